"""What the erasures file says, when all of its lines are read."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from . import journal
from .journal import Entry, What


@dataclass(slots=True)
class Told:
    """`erased`: by thread and erasure, the line that says that the thread is erased, where that was not taken back by
    the same erasure. `orders`: each erasure with its line about a user where it has one. `ended` and `last`: the number
    of the line that says that an erasure has ended, and that of its last line."""

    lines: int = 0
    damaged: int = 0
    erased: dict[tuple[str, UUID], Entry] = field(default_factory=dict)
    orders: dict[UUID, Entry | None] = field(default_factory=dict)
    ended: dict[UUID, int] = field(default_factory=dict)
    last: dict[UUID, int] = field(default_factory=dict)


def read() -> Told:
    """Raises `JournalError`."""
    told = Told()
    for entry in journal.entries():
        told.lines += 1
        if entry is None:
            told.damaged += 1
            continue
        told.last[entry.erasure] = entry.number
        if entry.what is What.ERASE:
            told.erased[entry.thread, entry.erasure] = entry
        elif entry.what is What.KEPT:
            told.erased.pop((entry.thread, entry.erasure), None)
        elif entry.what is What.ORDER:
            told.orders[entry.erasure] = entry
        else:
            told.ended[entry.erasure] = entry.number
    for _, erasure in told.erased:
        told.orders.setdefault(erasure, None)
    return told
