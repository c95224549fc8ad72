"""Summary of the erasures file."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from . import journal
from .journal import EntryKind, JournalEntry


@dataclass(slots=True)
class JournalSummary:
    """All lines of the file together.

    `lines` and `damaged` are counts. `erased` maps (thread, erasure) to the line that the thread is erased, unless the
    same erasure revoked it. `orders` maps each erasure to its line about a user, None where it has none. `ended` and
    `last` map an erasure to the number of its line END, and of its last line."""

    lines: int = 0
    damaged: int = 0
    erased: dict[tuple[str, UUID], JournalEntry] = field(default_factory=dict)
    orders: dict[UUID, JournalEntry | None] = field(default_factory=dict)
    ended: dict[UUID, int] = field(default_factory=dict)
    last: dict[UUID, int] = field(default_factory=dict)


def read() -> JournalSummary:
    """Reads the whole file. Raises `JournalError`."""
    summary = JournalSummary()
    for entry in journal.read_entries():
        summary.lines += 1
        if entry is None:
            summary.damaged += 1
            continue
        summary.last[entry.erasure] = entry.number
        if entry.kind is EntryKind.ERASE:
            summary.erased[entry.thread, entry.erasure] = entry
        elif entry.kind is EntryKind.KEPT:
            summary.erased.pop((entry.thread, entry.erasure), None)
        elif entry.kind is EntryKind.ORDER:
            summary.orders[entry.erasure] = entry
        else:
            summary.ended[entry.erasure] = entry.number
    for _, erasure in summary.erased:
        summary.orders.setdefault(erasure, None)
    return summary
