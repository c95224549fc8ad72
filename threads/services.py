"""What a page may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from . import upstream
from .chatkit import MAX_LIMIT, ChatKitError, Garbled, NotFound, Thread, ThreadItem
from .query import ItemQuery, ThreadQuery
from .sources import LiveSource, ThreadSource, Window


@dataclass(frozen=True, slots=True)
class Conversation:
    """A thread and a page of its items, or why they could not be had."""

    thread: Thread
    items: Window[ThreadItem] | None
    fault: ChatKitError | None = None


def list_threads(query: ThreadQuery) -> Window[Thread]:
    """One page of threads. Raises `ChatKitError`."""
    return _source().list_threads(query)


def is_thread(thread_id: str) -> bool:
    """Whether there is a thread with exactly this id. Raises `ChatKitError`."""
    try:
        return _source().thread(thread_id).id == thread_id
    except NotFound:
        return False


def conversation(thread_id: str, query: ItemQuery) -> Conversation:
    """A thread and a page of its items, asked for side by side. Raises `ChatKitError` where the thread can't be had."""
    source = _source()
    with ThreadPoolExecutor(1) as beside:
        items: Future[Window[ThreadItem]] = beside.submit(source.list_items, thread_id, query)
        thread = source.thread(thread_id)
        try:
            return Conversation(thread, items.result())
        except ChatKitError as error:
            return Conversation(thread, None, error)


def list_items(thread_id: str, query: ItemQuery) -> Window[ThreadItem]:
    """One page of a conversation. Raises `ChatKitError`."""
    return _source().list_items(thread_id, query)


def whole(thread_id: str) -> tuple[Thread, Iterator[Window[ThreadItem]]]:
    """A thread, and all its items, page by page. The first page is there when this returns; each further one may raise
    `ChatKitError`, as this does."""
    first = conversation(thread_id, ItemQuery(limit=MAX_LIMIT))
    if first.items is None:
        raise first.fault or NotFound("the thread has no items")
    return first.thread, _pages(thread_id, first.items)


def neighbour(query: ThreadQuery) -> str | None:
    """The id of the first thread of this list beyond its cursor, None where there is none. Raises `ChatKitError`."""
    rows = list_threads(replace(query, limit=1)).rows
    return rows[0].id if rows else None


def _pages(thread_id: str, window: Window[ThreadItem]) -> Iterator[Window[ThreadItem]]:
    passed: set[str | None] = set()
    yield window
    while window.has_next:
        if window.last_id in passed:
            raise Garbled("the pages lead in a circle")
        passed.add(window.last_id)
        window = list_items(thread_id, ItemQuery(limit=MAX_LIMIT, after=window.last_id))
        yield window


def _source() -> ThreadSource:
    return LiveSource(upstream.client())
