"""A page of a list, and what every source of threads answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from threads.chatkit import Thread, ThreadItem

from .query import ItemQuery, ThreadQuery

RowT_co = TypeVar("RowT_co", Thread, ThreadItem, covariant=True)


@dataclass(frozen=True, slots=True)
class Window(Generic[RowT_co]):
    """One page of a list as a reader sees it: rows in the query's order, and whether there is more on either side.

    `first_id` and `last_id` are the cursors of its ends, None where nothing leads on from there. `lost`: there is more,
    which can't be reached. `gaps`: why the list may not be all that was asked for, in sentences.
    """

    rows: tuple[RowT_co, ...]
    first_id: str | None
    last_id: str | None
    has_previous: bool
    has_next: bool
    notes: tuple[str, ...] = ()
    lost: bool = False
    gaps: tuple[str, ...] = ()

    @property
    def has_more(self) -> bool:
        """As a page of the API has it."""
        return self.has_next


class ThreadSource(Protocol):
    """All of it raises `ChatKitError`."""

    def list_threads(self, query: ThreadQuery) -> Window[Thread]:
        """One page of threads, in one call upstream."""
        ...

    def thread(self, thread_id: str) -> Thread:
        """One thread, without its items."""
        ...

    def list_items(self, thread_id: str, query: ItemQuery) -> Window[ThreadItem]:
        """One page of a conversation, oldest first, in one call upstream; two where it is to begin at an item."""
        ...
