"""The live API as a source of threads."""

from __future__ import annotations

from dataclasses import replace
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
        if query.at is not None:
            return self._items_around(thread_id, query.at, query.context, query.limit)
        if query.before is None and not query.is_latest:
            page = self._client.list_items(thread_id, order="asc", limit=query.limit, after=query.after)
            return _forward(page, query.after)
        page = self._client.list_items(thread_id, order="desc", limit=query.limit, after=query.before)
        window = _reversed(page, "asc")
        return replace(window, has_next=False) if query.is_latest else window

    def _items_around(self, thread_id: str, item_id: str, context: int, limit: int) -> Window[ThreadItem]:
        """The items before one, then itself and those after it. It has no cursor for itself, so the second call starts
        after the item before it."""
        page = self._client.list_items(thread_id, order="desc", limit=max(context, 1), after=item_id)
        earlier = _reversed(page, "asc")
        shown = len(earlier.rows) if context else 0
        onward = self._client.list_items(thread_id, order="asc", limit=limit - shown, after=earlier.last_id)
        if not shown:
            return _forward(onward, earlier.last_id)
        return Window(
            rows=earlier.rows + onward.rows,
            first_id=earlier.first_id,
            last_id=onward.last_id,
            has_previous=earlier.has_previous,
            has_next=onward.has_more,
            notes=earlier.notes + onward.notes,
            lost=onward.lost,
            lost_before=earlier.lost_before,
        )


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
        lost_before=page.lost,
    )


def _opposite(order: Order) -> Order:
    return "asc" if order == "desc" else "desc"
