"""The four endpoints of the ChatKit threads API: list, get and delete threads, list items."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import unquote

from threads.emulator.faults import Fault
from threads.emulator.world.state import WorldState, as_bytes

from .authentication import check_beta, check_key
from .paging import PageRequest, Readings, page
from .parameters import check_names, page_request, user_filter
from .replies import ApiError, EmulatorReply, Request, invalid_url

_ROOT = ["", "v1", "chatkit", "threads"]
_ITEM_NAMES = frozenset(("limit", "order", "after", "before"))
_LIST_NAMES = _ITEM_NAMES | {"user"}
_NO_CURSOR_OF_ITEMS = frozenset((Fault.CURSORS_404, Fault.CURSORS_400))
_NO_CURSOR_OF_THREADS = _NO_CURSOR_OF_ITEMS | {Fault.EMPTY_LIST}


def _page_body(rows: list[bytes], ids: list[str], has_more: bool) -> bytes:
    """The JSON of a page. `rows` are encoded rows, `ids` those of the first and last row, or empty."""
    first_id, last_id = ids or (None, None)
    ends = as_bytes({"first_id": first_id, "last_id": last_id, "has_more": has_more})
    return b'{"object":"list","data":[' + b",".join(rows) + b"]," + ends[1:]


class ThreadsApi:
    """Answers calls from `state`. `key` is the only valid API key; None accepts nearly any.

    `fault`, one of `DATA_LOSS_FAULTS`, decides which data the API does not find.
    """

    def __init__(self, state: WorldState, key: str | None, readings: Readings, fault: Fault | None = None) -> None:
        self._state = state
        self._key = key
        self._readings = readings
        self._fault = fault

    def handle(self, request: Request, rows: int | None = None) -> EmulatorReply:
        """Returns the reply to one call. `rows` overrides the limit of a list, for the fault that ignores it."""
        try:
            check_key(request, self._key)
            return EmulatorReply(200, body=self._route(request, rows))
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
        index = None if self._fault is Fault.THREADS_404 else self._state.find(tail[0])
        if index is None:
            raise ApiError(404, f"No thread found with id '{tail[0]}'.", "thread_id", "not_found")
        if tail[1:]:
            return self._items(request, index, rows)
        return self._delete(index, tail[0]) if request.method == "DELETE" else self._state.thread(index)

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
        user = user_filter(parameters)
        requested = self._page_request(parameters, self._state.find, _NO_CURSOR_OF_THREADS, limit)
        rows = () if self._fault is Fault.EMPTY_LIST else self._state.rows(user)
        found, has_more = page(rows, self._state.invisible, requested, self._readings)
        ids = [self._state.thread_id(found[end]) for end in (0, -1) if found]
        return _page_body([self._state.thread(index) for index in found], ids, has_more)

    def _items(self, request: Request, index: int, limit: int | None) -> bytes:
        parameters = request.parameters()
        check_names(parameters, _ITEM_NAMES)
        requested = self._page_request(
            parameters, lambda item_id: self._state.find_item(index, item_id), _NO_CURSOR_OF_ITEMS, limit
        )
        items = self._state.items(index)
        found, has_more = page(range(len(items)), (), requested, self._readings)
        ids = [items[found[end]]["id"] for end in (0, -1) if found]
        return _page_body([as_bytes(items[position]) for position in found], ids, has_more)

    def _page_request(
        self,
        parameters: Mapping[str, str],
        find: Callable[[str], int | None],
        no_cursor: frozenset[Fault],
        limit: int | None,
    ) -> PageRequest:
        """The requested page. Under a fault in `no_cursor`, every cursor is unknown."""
        if self._fault in no_cursor:
            requested = page_request(parameters, lambda _: None, 400 if self._fault is Fault.CURSORS_400 else 404)
        else:
            requested = page_request(parameters, find, self._readings.gone_cursor_status)
        return requested if limit is None else replace(requested, limit=limit)

    def _delete(self, index: int, thread_id: str) -> bytes:
        if not self._state.delete(index):
            raise ApiError(404, f"No thread found with id '{thread_id}'.", "thread_id", "not_found")
        return as_bytes({"id": thread_id, "object": "chatkit.thread.deleted", "deleted": True})
