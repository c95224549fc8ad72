"""Geometry of bar charts and heat maps: rectangles and labels, in units of the drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Unit = Literal["day", "week", "month", "year"]

LEVELS = 5
"""Shades of a heat map, besides the one for zero."""

_UNITS: tuple[tuple[int, Unit], ...] = ((120, "day"), (3 * 366, "week"), (30 * 366, "month"))
"""The longest range in days for each unit of a bar; longer ranges use years."""

_MIN_HEIGHT = 1.5
"""The minimal height of a bar, so that one thread among thousands can be seen and clicked."""

_DIGIT_WIDTH, _LETTER_WIDTH = 6.6, 8.0
"""The approximate width of a character: in numbers and dates, and in names of days."""


@dataclass(frozen=True, slots=True)
class Bin:
    """The days of one bar, from `first` to `last` inclusive."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Mark:
    """A rectangle. `row` and `column` index the number that it shows: part and bar, or day and hour. `level` is its
    shade in a heat map, from 0 to `LEVELS`."""

    x: float
    y: float
    width: float
    height: float
    row: int
    column: int
    level: int = 0


@dataclass(frozen=True, slots=True)
class Label:
    """A text whose baseline starts, ends or is centred at `x` and `y`, according to `anchor`."""

    x: float
    y: float
    text: str
    anchor: Literal["start", "middle", "end"]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart. `lines` are the heights of its grid lines, which go from `left` to `right`."""

    width: float
    height: float
    left: float
    right: float
    marks: tuple[Mark, ...]
    labels: tuple[Label, ...]
    lines: tuple[float, ...] = ()


def unit(begin: date, end: date) -> Unit:
    """The unit of one bar in a chart of the days from `begin` to `end`."""
    days = (end - begin).days + 1
    for most, name in _UNITS:
        if days <= most:
            return name
    return "year"


def bins(begin: date, end: date, of: Unit) -> list[Bin]:
    """The range split into days, weeks from Monday, months or years; the first and the last may be cut."""
    found = []
    first = begin
    while first <= end:
        last = min(_last(first, of), end)
        found.append(Bin(first, last))
        if last == date.max:
            break
        first = last + timedelta(days=1)
    return found


def summed(by_day: Mapping[date, Mapping[str, int]], into: Sequence[Bin]) -> list[dict[str, int]]:
    """The sums of each bin. `by_day` must be sorted, with no day outside the bins."""
    sums: list[dict[str, int]] = [{} for _ in into]
    place = 0
    for day, numbers in by_day.items():
        while into[place].last < day:
            place += 1
        for name, number in numbers.items():
            sums[place][name] = sums[place].get(name, 0) + number
    return sums


def scale(most: int) -> list[int]:
    """The ticks of an axis: three to six round numbers at equal steps, from 0 up to at least `most`."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if step * factor * 4 >= most:
                count = max(2, -(-most // (step * factor)))
                return [step * factor * number for number in range(count + 1)]
        step *= 10


def bars(stacks: Sequence[Sequence[int]], names: Sequence[str], width: float, height: float) -> Chart:
    """Stacked bars, one for each of `stacks`, its parts from bottom to top. `names` label the bars, as many as fit."""
    steps = scale(max(map(sum, stacks), default=0))
    left = 10 + _DIGIT_WIDTH * len(f"{steps[-1]:,}")
    right, top, bottom = width - 4.0, 10.0, height - 24.0
    across, up = (right - left) / max(1, len(stacks)), (bottom - top) / steps[-1]
    gap = min(4.0, across * 0.2)
    marks = []
    for column, parts in enumerate(stacks):
        foot = bottom
        for row, number in enumerate(parts):
            if number:
                tall = max(_MIN_HEIGHT, number * up)
                foot -= tall
                place = _round(left + column * across + gap / 2, foot, across - gap, tall)
                marks.append(Mark(*place, row=row, column=column))
    labels = [Label(left - 6, _r(bottom - step * up + 4), f"{step:,}", "end") for step in steps]
    room = max(map(len, names), default=0) * _DIGIT_WIDTH + 14
    every = max(1, -int(-room // across))
    for column in range(0, len(names), every):
        middle = left + (column + 0.5) * across
        half = len(names[column]) * _DIGIT_WIDTH / 2
        if middle + half > width:
            labels.append(Label(_r(width), height - 6, names[column], "end"))
        else:
            labels.append(Label(_r(max(middle, left + half - 6)), height - 6, names[column], "middle"))
    return Chart(width, height, left, right, tuple(marks), tuple(labels), tuple(_r(bottom - s * up) for s in steps))


def heat(
    numbers: Sequence[Sequence[int]],
    rows: Sequence[str],
    columns: Sequence[str],
    width: float,
    cell: float,
    *,
    turned: bool = False,
) -> Chart:
    """A heat map of `numbers`, which are rows of equal length, shaded relative to the greatest. Empty names get no
    label. `turned` swaps rows and columns."""
    most = max(map(max, numbers), default=0)
    down, over = (columns, rows) if turned else (rows, columns)
    left, top = 12 + _LETTER_WIDTH * max(map(len, down)), 20.0
    across = (width - left) / len(over)
    marks = []
    for row, line in enumerate(numbers):
        for column, number in enumerate(line):
            x, y = (row, column) if turned else (column, row)
            place = _round(left + x * across + 1, top + y * cell + 1, across - 2, cell - 2)
            marks.append(Mark(*place, row=row, column=column, level=level(number, most)))
    labels = [Label(left - 6, _r(top + (y + 0.5) * cell + 4), text, "end") for y, text in enumerate(down) if text]
    labels += [Label(_r(left + (x + 0.5) * across), top - 7, text, "middle") for x, text in enumerate(over) if text]
    return Chart(width, top + cell * len(down) + 1, left, width, tuple(marks), tuple(labels))


def level(number: int, most: int) -> int:
    """The shade of a number: 0 for zero, `LEVELS` for the greatest."""
    return 0 if number == 0 else max(1, -(-number * LEVELS // most))


def _last(first: date, of: Unit) -> date:
    if of == "day":
        return first
    if of == "week":
        return first + timedelta(days=min(6 - first.weekday(), (date.max - first).days))
    if of == "year" or first.month == 12:
        return date(first.year, 12, 31)
    return date(first.year, first.month + 1, 1) - timedelta(days=1)


def _round(x: float, y: float, width: float, height: float) -> tuple[float, float, float, float]:
    return _r(x), _r(y), _r(width), _r(height)


def _r(number: float) -> float:
    """Rounded to a hundredth of a unit, which is invisible."""
    return round(number, 2)
