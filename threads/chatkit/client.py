"""The four calls of OpenAI's hosted ChatKit threads API.

`GET /chatkit/threads`, `GET /chatkit/threads/{id}`, `GET /chatkit/threads/{id}/items` and
`DELETE /chatkit/threads/{id}`, as in OpenAI's published OpenAPI document. Every method raises a `ChatKitError`.
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
from .pages import beyond, shrinking
from .parse import parse
from .transport import BearerKey, Limits, Method, Reply, Transport, date_of
from .types import MAX_LIMIT, Deletion, LeftOut, Order, Page, Thread, ThreadItem

BETA = "chatkit_beta=v1"


@dataclass(frozen=True, slots=True)
class Account:
    """Which upstream, and as whom. `base_url` ends in `/v1`; the key is left out of the repr."""

    key: str = field(repr=False)
    base_url: str = "https://api.openai.com/v1"
    organization: str | None = None
    project: str | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call and what came of it, for who keeps count. `call` is "list", "thread", "items" or "delete"; `seconds` is
    how long it took, `retries` how often it was sent again within that; `error` None where it was answered; `date` what
    the upstream's clock said, in Unix seconds, where it said so."""

    call: str
    seconds: float
    retries: int
    error: ChatKitError | None
    date: float | None = None


Observer = Callable[[Exchange], None]


class ChatKitClient:
    """One upstream. Safe to use from many threads at once; keeps `pool_size` connections open."""

    def __init__(
        self,
        account: Account,
        *,
        limits: Limits | None = None,
        pool_size: int = 16,
        proxy: str | None = None,
        adapter: BaseAdapter | None = None,
        observer: Observer | None = None,
    ) -> None:
        """`observer` is told of every call when it is over, in the thread of who made it."""
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
        """Up to `limit` (0 to 100) threads in `order`, those after `after` in that order, of `user` alone. Fewer, with
        `has_more`, where a page of so many is too large to read; one thread that is too large is a row that says so.

        What `before` means is open: see docs/adr/0001. `Retired` where the endpoint is gone; `CursorGone` where
        the cursor's thread is, or the endpoint.
        """

        def ask(size: int, order: Order, after: str | None) -> Page[Thread]:
            params = _list_params(order, size, after, before) | ({"user": user} if user else {})
            with self._reply("list", "GET", self._threads, params, cursor=after or before, collection=True) as reply:
                page = decode.page(parse(reply.body), decode.thread, limit=size)
                return decode.checked(page, cursor=after)

        return _fitting(ask, order, limit, after, before, lambda id_, why: Thread(id_, problems=(why,)))

    def retrieve_thread(self, thread_id: str) -> Thread:
        """One thread, without its items. `NotFound` where there is none with this id."""
        with self._reply("thread", "GET", self._address(thread_id)) as reply:
            return decode.whole_thread(parse(reply.body), thread_id)

    def list_items(
        self,
        thread_id: str,
        *,
        order: Order = "desc",
        limit: int = 20,
        after: str | None = None,
        before: str | None = None,
    ) -> Page[ThreadItem]:
        """Up to `limit` (0 to 100) items of one thread, as `list_threads` does for threads; `LeftOut` stands for one
        item that is too large. `NotFound` where there is no such thread."""

        def ask(size: int, order: Order, after: str | None) -> Page[ThreadItem]:
            params = _list_params(order, size, after, before)
            address = self._address(thread_id) + "/items"
            with self._reply("items", "GET", address, params, cursor=after or before) as reply:
                page = decode.page(parse(reply.body), item, limit=size)
                return decode.checked(decode.of_thread(page, thread_id), cursor=after)

        return _fitting(ask, order, limit, after, before, lambda id_, why: ThreadItem(id_, None, None, LeftOut(why)))

    def delete_thread(self, thread_id: str) -> Deletion:
        """Removes a thread, its items and stored attachments. Sent once: a time-out leaves it open what happened."""
        with self._reply("delete", "DELETE", self._address(thread_id)) as reply:
            return decode.deletion(parse(reply.body))

    def close(self) -> None:
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
    ) -> Iterator[Reply]:
        """The reply, to be decoded within. The observer learns what came of it, the decoding included."""
        began = time.monotonic()
        reply = None
        try:
            reply = self._transport.send(method, url, params)
            with error_mapping.of(reply, self._auth.hide, cursor=cursor, collection=collection):
                yield reply
        except ChatKitError as error:
            self._tell(call, began, reply, error)
            raise
        self._tell(call, began, reply, None)

    def _tell(self, call: str, began: float, reply: Reply | None, error: ChatKitError | None) -> None:
        if self._observer is not None:
            source = reply if reply is not None else error
            retries = source.retries if source is not None else 0
            date = date_of(reply.headers) if reply is not None else None
            self._observer(Exchange(call, time.monotonic() - began, retries, error, date))

    def _address(self, thread_id: str) -> str:
        """An id is any text, but "." and ".." would be resolved as path segments, to another resource."""
        if thread_id.strip(".") == "":
            raise NotFound("there is no thread with this id")
        return f"{self._threads}/{quote(thread_id, safe='')}"


def _fitting(
    ask: Callable[[int, Order, str | None], Page[RowT]],
    order: Order,
    limit: int,
    after: str | None,
    before: str | None,
    stand_in: Callable[[str | None, str], RowT],
) -> Page[RowT]:
    """A page that can be read: a smaller one where it is too large, and past a single row that is."""
    try:
        return shrinking(lambda size: ask(size, order, after), limit)
    except TooLarge as error:
        if before is not None:
            raise
        other: Order = "asc" if order == "desc" else "desc"
        backward = lambda cursor: shrinking(lambda size: ask(size, other, cursor), MAX_LIMIT)  # noqa: E731
        return beyond(error, after, backward, stand_in)


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
