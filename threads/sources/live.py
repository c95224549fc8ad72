"""The live API as a source of threads."""

from __future__ import annotations

from typing import ClassVar

from threads.chatkit import ChatKitClient, Garbled, Order, Page, Thread, ThreadItem

from .query import ItemQuery, ThreadQuery
from .window import RowT_co, Window


class LiveSource:
    """Threads from the live API, without a cache.

    It never sends `before`, whose meaning the specification leaves open. The page before a row is the page *after* it
    in the opposite order, reversed: one call, correct under every reading of the specification (docs/adr/0001).
    """

    can_read_in_parallel: ClassVar[bool] = True

    def __init__(self, client: ChatKitClient) -> None:
        self._client = client

    def list_threads(self, query: ThreadQuery) -> Window[Thread]:
        if query.before is None:
            page = self._client.list_threads(user=query.user, order=query.order, limit=query.limit, after=query.after)
            return _forward(page, query.after)
        page = self._client.list_threads(
            user=query.user, order=_opposite(query.order), limit=query.limit, after=query.before
        )
        return _reversed(page, query.order)

    def thread(self, thread_id: str) -> Thread:
        return self._client.retrieve_thread(thread_id)

    def list_items(self, thread_id: str, query: ItemQuery) -> Window[ThreadItem]:
        if query.before is not None:
            page = self._client.list_items(thread_id, order="desc", limit=query.limit, after=query.before)
            return _reversed(page, "asc")
        after = query.after
        if query.at is not None:
            after = self._client.list_items(thread_id, order="desc", limit=1, after=query.at).first_id
        return _forward(self._client.list_items(thread_id, order="asc", limit=query.limit, after=after), after)


def _forward(page: Page[RowT_co], after: str | None) -> Window[RowT_co]:
    return Window(
        rows=page.rows,
        first_id=page.first_id,
        last_id=page.last_id,
        # The cursor's own row is on the previous page.
        has_previous=after is not None and page.first_id is not None,
        has_next=page.has_more,
        notes=page.notes,
        lost=page.lost,
    )


def _reversed(page: Page[RowT_co], order: Order) -> Window[RowT_co]:
    """A page read in the opposite order, as a window in `order`. Raises `Garbled` where the API ignored the order."""
    times = [row.created_at for row in page.rows if row.created_at]
    if times and (times[0] < times[-1] if order == "asc" else times[0] > times[-1]):
        raise Garbled("the rows are not in the order asked for")
    return Window(
        rows=page.rows[::-1],
        first_id=page.last_id,
        last_id=page.first_id,
        has_previous=page.has_more,
        has_next=page.first_id is not None,
        notes=page.notes,
        lost=page.lost,
    )


def _opposite(order: Order) -> Order:
    return "asc" if order == "desc" else "desc"
