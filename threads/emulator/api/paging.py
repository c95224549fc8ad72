"""Cursor paging, in each variant that the documentation allows."""

from bisect import bisect_left, bisect_right
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import islice


class BeforeReading(Enum):
    """Possible meanings of `before`; the documentation only says “created before this thread”."""

    ADJACENT = "adjacent"
    """The rows directly before the cursor, in the requested order."""
    FIRST = "first"
    """The first rows of the whole list, up to the cursor, in the requested order."""
    OLDER = "older"
    """Rows older than the cursor in either order, from the start of that order."""


class HasMoreReading(Enum):
    """Possible meanings of `has_more` on a `before` page."""

    DIRECTION = "direction"
    """Whether more rows lie before the page, in the direction of paging."""
    ORDER = "order"
    """Whether rows follow the page in the requested order, as on any other page."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The requested page. The cursors are row indexes, which need not be in the list."""

    limit: int
    descending: bool = True
    after: int | None = None
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Readings:
    """The variants that an emulator uses."""

    before: BeforeReading = BeforeReading.ADJACENT
    has_more: HasMoreReading = HasMoreReading.DIRECTION
    gone_cursor_status: int = 404
    """HTTP status for a cursor without a row: 404 or 400."""


def _window(rows: Sequence[int], requested: PageRequest, reading: BeforeReading) -> tuple[int, int]:
    """The positions [low, high) of the rows between the cursors."""
    low, high = 0, len(rows)
    if requested.after is not None:
        if requested.descending:
            high = bisect_left(rows, requested.after)
        else:
            low = bisect_right(rows, requested.after)
    if requested.before is not None:
        if requested.descending and reading is not BeforeReading.OLDER:
            low = max(low, bisect_right(rows, requested.before))
        else:
            high = min(high, bisect_left(rows, requested.before))
    return low, high


def _in_order(low: int, high: int, descending: bool) -> range:
    return range(high - 1, low - 1, -1) if descending else range(low, high)


def _visible(rows: Sequence[int], positions: Iterable[int], invisible: Container[int]) -> Iterable[int]:
    return (row for position in positions if (row := rows[position]) not in invisible)


def page(
    rows: Sequence[int], invisible: Container[int], requested: PageRequest, readings: Readings
) -> tuple[list[int], bool]:
    """The rows of a page in the requested order, and its `has_more`.

    `rows` are sorted, oldest first; those in `invisible` (deleted or hidden) are skipped. The cost depends on the
    limit, not on the depth of the page.
    """
    positions = _in_order(*_window(rows, requested, readings.before), requested.descending)
    backwards = requested.before is not None and readings.before is BeforeReading.ADJACENT
    visible = _visible(rows, reversed(positions) if backwards else positions, invisible)
    found = list(islice(visible, requested.limit + 1))
    taken, more = found[: requested.limit], len(found) > requested.limit
    if backwards:
        taken.reverse()
    if requested.before is not None and readings.has_more is HasMoreReading.ORDER:
        more = bool(taken) and _has_rows_after(rows, invisible, taken[-1], requested.descending)
    return taken, more


def _has_rows_after(rows: Sequence[int], invisible: Container[int], last: int, descending: bool) -> bool:
    """Whether a visible row follows `last` in the requested order."""
    if descending:
        positions = _in_order(0, bisect_left(rows, last), True)
    else:
        positions = _in_order(bisect_right(rows, last), len(rows), False)
    return any(True for _ in _visible(rows, positions, invisible))
