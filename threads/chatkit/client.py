"""API client: the four calls of OpenAI's hosted ChatKit threads API.

`GET /chatkit/threads`, `GET /chatkit/threads/{id}`, `GET /chatkit/threads/{id}/items` and
`DELETE /chatkit/threads/{id}`, as in OpenAI's published OpenAPI document. Every method raises `ChatKitError`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import TypeVar
from urllib.parse import quote

from requests.adapters import BaseAdapter

from . import decode, error_mapping
from .errors import ChatKitError, NotFound, TooLarge
from .items import item
from .pages import past_unreadable_row, smaller_until_readable
from .parse import parse
from .transport import BearerKey, Limits, Method, Transport, UpstreamReply, server_date
from .types import MAX_LIMIT, Deletion, LeftOut, Order, Page, Thread, ThreadItem

BETA = "chatkit_beta=v1"
"""The `OpenAI-Beta` header, which the API requires."""


@dataclass(frozen=True, slots=True)
class ApiConfig:
    """An upstream's address and credentials. `base_url` ends in `/v1`; the key is not in the repr."""

    key: str = field(repr=False)
    base_url: str = "https://api.openai.com/v1"
    organization: str | None = None
    project: str | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One finished call, for observers such as metrics.

    `call` is "list", "thread", "items" or "delete". `seconds` includes all retries, of which there were `retries`.
    `error` is None after a success. `date` is the reply's `Date` in Unix seconds, None where it has none.
    """

    call: str
    seconds: float
    retries: int
    error: ChatKitError | None
    date: float | None = None


Observer = Callable[[Exchange], None]


class ChatKitClient:
    """Client of one upstream. Thread-safe; keeps up to `pool_size` connections open."""

    def __init__(
        self,
        account: ApiConfig,
        *,
        limits: Limits | None = None,
        pool_size: int = 16,
        proxy: str | None = None,
        adapter: BaseAdapter | None = None,
        observer: Observer | None = None,
    ) -> None:
        """`observer` is called after every call, in the calling thread. `adapter` replaces the network, as in tests."""
        self._observer = observer
        headers = {"OpenAI-Beta": BETA, "User-Agent": f"threadkeeper/{_version()}"}
        if account.organization:
            headers["OpenAI-Organization"] = account.organization
        if account.project:
            headers["OpenAI-Project"] = account.project
        self._auth = BearerKey(account.key)
        self._threads = account.base_url.rstrip("/") + "/chatkit/threads"
        self._transport = Transport(
            self._threads,
            self._auth,
            headers,
            limits=limits or Limits(),
            pool_size=pool_size,
            proxy=proxy,
            adapter=adapter,
        )

    def list_threads(
        self,
        *,
        user: str | None = None,
        order: Order = "desc",
        limit: int = 20,
        after: str | None = None,
        before: str | None = None,
    ) -> Page[Thread]:
        """Up to `limit` (0 to 100) threads in `order`, after the cursor `after`; with `user`, only that user's.

        A page that is too large to read is fetched with fewer rows and `has_more`; a single thread that is too large
        becomes a row with `problems`. The meaning of `before` is open, see docs/adr/0001. Raises `Retired` where the
        endpoint is gone, and `CursorGone` where the cursor's thread or the endpoint is.
        """

        def fetch(size: int, order: Order, after: str | None) -> Page[Thread]:
            params = _list_params(order, size, after, before) | ({"user": user} if user else {})
            with self._reply("list", "GET", self._threads, params, cursor=after or before, collection=True) as reply:
                page = decode.page(parse(reply.body), decode.thread, limit=size)
                return decode.check_progress(page, cursor=after)

        return _readable_page(fetch, order, limit, after, before, lambda id_, why: Thread(id_, problems=(why,)))

    def retrieve_thread(self, thread_id: str) -> Thread:
        """One thread, without its items. Raises `NotFound`."""
        with self._reply("thread", "GET", self._address(thread_id)) as reply:
            return decode.single_thread(parse(reply.body), thread_id)

    def list_items(
        self,
        thread_id: str,
        *,
        order: Order = "desc",
        limit: int = 20,
        after: str | None = None,
        before: str | None = None,
    ) -> Page[ThreadItem]:
        """Up to `limit` (0 to 100) items of one thread, paged as in `list_threads`. An item that is too large to read
        has a `LeftOut` body. Raises `NotFound` where there is no such thread."""

        def fetch(size: int, order: Order, after: str | None) -> Page[ThreadItem]:
            params = _list_params(order, size, after, before)
            address = self._address(thread_id) + "/items"
            with self._reply("items", "GET", address, params, cursor=after or before) as reply:
                page = decode.page(parse(reply.body), item, limit=size)
                return decode.check_progress(decode.check_thread(page, thread_id), cursor=after)

        return _readable_page(
            fetch, order, limit, after, before, lambda id_, why: ThreadItem(id_, None, None, LeftOut(why))
        )

    def delete_thread(self, thread_id: str) -> Deletion:
        """Deletes a thread, its items and stored attachments. Never retried: `TimedOut` leaves the outcome open."""
        with self._reply("delete", "DELETE", self._address(thread_id)) as reply:
            return decode.deletion(parse(reply.body))

    def close(self) -> None:
        """Closes all connections."""
        self._transport.close()

    @contextmanager
    def _reply(
        self,
        call: str,
        method: Method,
        url: str,
        params: dict[str, str] | None = None,
        *,
        cursor: str | None = None,
        collection: bool = False,
    ) -> Iterator[UpstreamReply]:
        """The reply, for decoding in the `with` block. Notifies the observer, of decoding errors too."""
        began = time.monotonic()
        reply = None
        try:
            reply = self._transport.send(method, url, params)
            with error_mapping.raise_for_reply(reply, self._auth.hide, cursor=cursor, collection=collection):
                yield reply
        except ChatKitError as error:
            self._notify(call, began, reply, error)
            raise
        self._notify(call, began, reply, None)

    def _notify(self, call: str, began: float, reply: UpstreamReply | None, error: ChatKitError | None) -> None:
        if self._observer is not None:
            source = reply if reply is not None else error
            retries = source.retries if source is not None else 0
            date = server_date(reply.headers) if reply is not None else None
            self._observer(Exchange(call, time.monotonic() - began, retries, error, date))

    def _address(self, thread_id: str) -> str:
        """The URL of a thread. Any text may be an id, but "." and ".." would resolve to another resource."""
        if thread_id.strip(".") == "":
            raise NotFound("there is no thread with this id")
        return f"{self._threads}/{quote(thread_id, safe='')}"


def _readable_page(
    fetch: Callable[[int, Order, str | None], Page[RowT]],
    order: Order,
    limit: int,
    after: str | None,
    before: str | None,
    placeholder: Callable[[str | None, str], RowT],
) -> Page[RowT]:
    """A readable page: with fewer rows where it is too large, and with a placeholder for a single row that is."""
    try:
        return smaller_until_readable(lambda size: fetch(size, order, after), limit)
    except TooLarge as error:
        if before is not None:
            raise
        opposite: Order = "asc" if order == "desc" else "desc"
        backward = lambda cursor: smaller_until_readable(lambda size: fetch(size, opposite, cursor), MAX_LIMIT)  # noqa: E731
        return past_unreadable_row(error, after, backward, placeholder)


RowT = TypeVar("RowT", Thread, ThreadItem)


def _list_params(order: Order, limit: int, after: str | None, before: str | None) -> dict[str, str]:
    if not 0 <= limit <= MAX_LIMIT:
        raise ValueError(f"limit is {limit}, not between 0 and {MAX_LIMIT}")
    params = {"limit": str(limit), "order": order}
    return params | {name: value for name, value in (("after", after), ("before", before)) if value}


def _version() -> str:
    try:
        return version("threadkeeper")
    except PackageNotFoundError:
        return "0"
