"""`ThreadSource`, the interface of the live API and of the archive, and `Window`, the page that both return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Generic, Protocol, TypeVar

from threads.chatkit import Thread, ThreadItem

from .query import ItemQuery, ThreadQuery

RowT_co = TypeVar("RowT_co", Thread, ThreadItem, covariant=True)


@dataclass(frozen=True, slots=True)
class Window(Generic[RowT_co]):
    """One page of a list, rows in the query's order.

    `first_id` and `last_id` are the cursors at its ends, None where there is none. `lost` means that more rows follow
    and no cursor leads to them, `lost_before` that more rows come before and no cursor does. `ranked` tells that the
    rows are sorted by best match. `notes` are sentences about the page for the reader; `gaps` are sentences on why the
    rows may not be all that match.
    """

    rows: tuple[RowT_co, ...]
    first_id: str | None
    last_id: str | None
    has_previous: bool
    has_next: bool
    notes: tuple[str, ...] = ()
    lost: bool = False
    lost_before: bool = False
    gaps: tuple[str, ...] = ()
    ranked: bool = False

    @property
    def has_more(self) -> bool:
        """`has_next` under the name that `chatkit.pages` reads."""
        return self.has_next


class ThreadSource(Protocol):
    """A source of threads. Every method raises `ChatKitError`."""

    can_read_in_parallel: ClassVar[bool]
    """Whether reading a thread and its items at the same time is faster than one after the other."""

    def list_threads(self, query: ThreadQuery) -> Window[Thread]:
        """One page of threads. The live API needs one call for it."""
        ...

    def thread(self, thread_id: str) -> Thread:
        """One thread, without its items. Raises `NotFound`."""
        ...

    def list_items(self, thread_id: str, query: ItemQuery) -> Window[ThreadItem]:
        """One page of a thread's items, oldest first. The live API needs one call, two for `ItemQuery.at`. Raises
        `NotFound`."""
        ...
