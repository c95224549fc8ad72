"""The four calls of the ChatKit threads API."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import unquote

from threads.emulator.faults import Fault
from threads.emulator.world.desk import Desk, as_bytes

from .keys import check_beta, check_key
from .paging import Cut, Readings, page
from .parameters import check_names, cut_of, user_of
from .replies import ApiError, Reply, Request, invalid_url

_ROOT = ["", "v1", "chatkit", "threads"]
_ITEM_NAMES = frozenset(("limit", "order", "after", "before"))
_LIST_NAMES = _ITEM_NAMES | {"user"}
_NO_CURSOR_OF_ITEMS = frozenset((Fault.CURSORS_404, Fault.CURSORS_400))
_NO_CURSOR_OF_THREADS = _NO_CURSOR_OF_ITEMS | {Fault.EMPTY_LIST}


def _page_body(rows: list[bytes], ids: list[str], has_more: bool) -> bytes:
    """A page around rows that are JSON already. `ids` are those of the first and last row, if any."""
    first_id, last_id = ids or (None, None)
    ends = as_bytes({"first_id": first_id, "last_id": last_id, "has_more": has_more})
    return b'{"object":"list","data":[' + b",".join(rows) + b"]," + ends[1:]


class Api:
    """Answers calls from `desk`. `key` is the only right one; None takes nearly any.

    `fault`, one of `faults.LOST`, names what the API does not find.
    """

    def __init__(self, desk: Desk, key: str | None, readings: Readings, fault: Fault | None = None) -> None:
        self._desk = desk
        self._key = key
        self._readings = readings
        self._fault = fault

    def handle(self, request: Request, rows: int | None = None) -> Reply:
        """Answers one call. `rows` overrides the limit of a list, for faults that break it."""
        try:
            check_key(request, self._key)
            return Reply(200, body=self._route(request, rows))
        except ApiError as error:
            return error.reply()

    def _route(self, request: Request, rows: int | None) -> bytes:
        parts = [unquote(part) for part in request.path.split("/")]
        head, tail = parts[:4], parts[4:]
        if head != _ROOT or len(tail) > 2 or "" in tail or tail[1:] not in ([], ["items"]):
            raise invalid_url(request)
        self._check_method(request, ("GET", "DELETE") if len(tail) == 1 else ("GET",))
        check_beta(request)
        if not tail:
            return self._list(request, rows)
        index = None if self._fault is Fault.THREADS_404 else self._desk.find(tail[0])
        if index is None:
            raise ApiError(404, f"No thread found with id '{tail[0]}'.", "thread_id", "not_found")
        if tail[1:]:
            return self._items(request, index, rows)
        return self._delete(index, tail[0]) if request.method == "DELETE" else self._desk.thread(index)

    def _check_method(self, request: Request, allowed: tuple[str, ...]) -> None:
        if request.method not in allowed:
            message = (
                f"Not allowed to {request.method} on {request.path}. "
                "(HINT: Perhaps you meant to use a different HTTP method?)"
            )
            raise ApiError(405, message, code="method_not_supported")

    def _list(self, request: Request, limit: int | None) -> bytes:
        parameters = request.parameters()
        check_names(parameters, _LIST_NAMES)
        user = user_of(parameters)
        cut = self._cut(parameters, self._desk.find, _NO_CURSOR_OF_THREADS, limit)
        rows = () if self._fault is Fault.EMPTY_LIST else self._desk.rows(user)
        found, has_more = page(rows, self._desk.gone, cut, self._readings)
        ids = [self._desk.thread_id(found[end]) for end in (0, -1) if found]
        return _page_body([self._desk.thread(index) for index in found], ids, has_more)

    def _items(self, request: Request, index: int, limit: int | None) -> bytes:
        parameters = request.parameters()
        check_names(parameters, _ITEM_NAMES)
        cut = self._cut(parameters, lambda item_id: self._desk.find_item(index, item_id), _NO_CURSOR_OF_ITEMS, limit)
        items = self._desk.items(index)
        found, has_more = page(range(len(items)), (), cut, self._readings)
        ids = [items[found[end]]["id"] for end in (0, -1) if found]
        return _page_body([as_bytes(items[position]) for position in found], ids, has_more)

    def _cut(
        self,
        parameters: Mapping[str, str],
        find: Callable[[str], int | None],
        no_cursor: frozenset[Fault],
        limit: int | None,
    ) -> Cut:
        """The page asked for. Under a fault in `no_cursor`, every cursor is unknown."""
        if self._fault in no_cursor:
            cut = cut_of(parameters, lambda _: None, 400 if self._fault is Fault.CURSORS_400 else 404)
        else:
            cut = cut_of(parameters, find, self._readings.gone_cursor_status)
        return cut if limit is None else replace(cut, limit=limit)

    def _delete(self, index: int, thread_id: str) -> bytes:
        if not self._desk.delete(index):
            raise ApiError(404, f"No thread found with id '{thread_id}'.", "thread_id", "not_found")
        return as_bytes({"id": thread_id, "object": "chatkit.thread.deleted", "deleted": True})
