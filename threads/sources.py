"""Where threads come from. A source answers a `ThreadQuery` with a `Window`, whatever it has behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from .chatkit import ChatKitClient, Garbled, Order, Thread
from .query import ThreadQuery


@dataclass(frozen=True, slots=True)
class Window:
    """One page of a list as a reader sees it: rows in the query's order, and whether there is more on either side.

    `first_id` and `last_id` are the cursors of its ends, None where nothing leads on from there.
    """

    rows: tuple[Thread, ...]
    first_id: str | None
    last_id: str | None
    has_previous: bool
    has_next: bool
    notes: tuple[str, ...] = ()


class ThreadSource(Protocol):
    def list_threads(self, query: ThreadQuery) -> Window:
        """One page, in one call upstream. Raises `ChatKitError`."""
        ...


class LiveSource:
    """The hosted API, asked anew for every page.

    It is never sent `before`, whose meaning is open. The page before a thread is the page *after* it in the opposite
    order, turned round: one call, exact under every reading of the specification (docs/adr/0001).
    """

    def __init__(self, client: ChatKitClient) -> None:
        self._client = client

    def list_threads(self, query: ThreadQuery) -> Window:
        if query.before is not None:
            return self._before(query)
        page = self._client.list_threads(user=query.user, order=query.order, limit=query.limit, after=query.after)
        return Window(
            rows=page.rows,
            first_id=page.first_id,
            last_id=page.last_id,
            # The thread that the cursor names stands before this page.
            has_previous=query.after is not None and page.first_id is not None,
            has_next=page.has_more,
            notes=page.notes,
        )

    def _before(self, query: ThreadQuery) -> Window:
        page = self._client.list_threads(
            user=query.user, order=_opposite(query.order), limit=query.limit, after=query.before
        )
        times = [thread.created_at for thread in page.rows if thread.created_at]
        if times and (times[0] < times[-1] if query.order == "asc" else times[0] > times[-1]):
            raise Garbled("the rows are not in the order asked for")
        return Window(
            rows=page.rows[::-1],
            first_id=page.last_id,
            last_id=page.first_id,
            has_previous=page.has_more,
            has_next=page.first_id is not None,
            notes=page.notes,
        )


def _opposite(order: Order) -> Order:
    return "asc" if order == "desc" else "desc"
