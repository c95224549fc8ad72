"""One page of a list, by each reading of what the documentation leaves open."""

from bisect import bisect_left, bisect_right
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import islice


class BeforeReading(Enum):
    """What `before` may mean; the documentation says “created before this thread” only."""

    ADJACENT = "adjacent"
    """The rows next to the cursor on its near side, in the order asked for."""
    FIRST = "first"
    """The first rows of the whole list that stand before the cursor in the order asked for."""
    OLDER = "older"
    """Rows older than the cursor whatever the order, from the start of that order."""


class HasMoreReading(Enum):
    """What `has_more` may say on a `before` page."""

    DIRECTION = "direction"
    """Whether `before` leaves more rows than the page has."""
    ORDER = "order"
    """Whether rows follow the page in the order asked for, as on any other page."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Which page is asked for. The cursors are rows, whether or not they are in the list."""

    limit: int
    descending: bool = True
    after: int | None = None
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Readings:
    """How the emulator understands what is open."""

    before: BeforeReading = BeforeReading.ADJACENT
    has_more: HasMoreReading = HasMoreReading.DIRECTION
    gone_cursor_status: int = 404
    """The status for a cursor that names no row: 404 or 400."""


def _window(rows: Sequence[int], cut: Cut, reading: BeforeReading) -> tuple[int, int]:
    """The places [low, high) of the rows that lie between the cursors."""
    low, high = 0, len(rows)
    if cut.after is not None:
        if cut.descending:
            high = bisect_left(rows, cut.after)
        else:
            low = bisect_right(rows, cut.after)
    if cut.before is not None:
        if cut.descending and reading is not BeforeReading.OLDER:
            low = max(low, bisect_right(rows, cut.before))
        else:
            high = min(high, bisect_left(rows, cut.before))
    return low, high


def _in_order(low: int, high: int, descending: bool) -> range:
    return range(high - 1, low - 1, -1) if descending else range(low, high)


def _alive(rows: Sequence[int], places: Iterable[int], gone: Container[int]) -> Iterable[int]:
    return (row for place in places if (row := rows[place]) not in gone)


def page(rows: Sequence[int], gone: Container[int], cut: Cut, readings: Readings) -> tuple[list[int], bool]:
    """The rows of a page in the order asked for, and its `has_more`.

    `rows` ascend, oldest first; those in `gone` are deleted or hidden, and skipped. The cost depends
    on the limit, not on how deep in the list the page lies.
    """
    places = _in_order(*_window(rows, cut, readings.before), cut.descending)
    backwards = cut.before is not None and readings.before is BeforeReading.ADJACENT
    alive = _alive(rows, reversed(places) if backwards else places, gone)
    found = list(islice(alive, cut.limit + 1))
    taken, more = found[: cut.limit], len(found) > cut.limit
    if backwards:
        taken.reverse()
    if cut.before is not None and readings.has_more is HasMoreReading.ORDER:
        more = bool(taken) and _followed(rows, gone, taken[-1], cut.descending)
    return taken, more


def _followed(rows: Sequence[int], gone: Container[int], last: int, descending: bool) -> bool:
    """Whether any row follows `last` in the order asked for."""
    if descending:
        places = _in_order(0, bisect_left(rows, last), True)
    else:
        places = _in_order(bisect_right(rows, last), len(rows), False)
    return any(True for _ in _alive(rows, places, gone))
