"""From numbers to marks with places: what is drawn, in the units of the drawing, and nothing of how it looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Unit = Literal["day", "week", "month", "year"]

LEVELS = 5
"""Shades of a heat map, beside the one for nothing."""

_MOST: tuple[tuple[int, Unit], ...] = ((120, "day"), (3 * 366, "week"), (30 * 366, "month"))
"""Days in a range, and what one bar stands for up to there."""

_MIN_HEIGHT = 1.5
"""Where there is one thread among thousands, there is still something to see and to press."""

_CHARACTER, _LETTER = 6.6, 8.0
"""How wide a character of a label is, about, in numbers and dates, and in names of days."""


@dataclass(frozen=True, slots=True)
class Bin:
    """The days from `first` to `last`, both included, that one bar stands for."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Mark:
    """A rectangle. `row` and `column` are which number it stands for: the part and the bar, or the day and the hour.
    `level` is its shade, from 0 to `LEVELS`, in a heat map."""

    x: float
    y: float
    width: float
    height: float
    row: int
    column: int
    level: int = 0


@dataclass(frozen=True, slots=True)
class Label:
    """A text, `x` and `y` being where its line begins, ends, or has its middle, as `anchor` says."""

    x: float
    y: float
    text: str
    anchor: Literal["start", "middle", "end"]


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing of a size. `lines` are the heights at which a line goes across, from `left` to `right`."""

    width: float
    height: float
    left: float
    right: float
    marks: tuple[Mark, ...]
    labels: tuple[Label, ...]
    lines: tuple[float, ...] = ()


def unit(begin: date, end: date) -> Unit:
    """What one bar stands for where the days from `begin` to `end` are drawn."""
    days = (end - begin).days + 1
    for most, name in _MOST:
        if days <= most:
            return name
    return "year"


def bins(begin: date, end: date, of: Unit) -> list[Bin]:
    """The days from `begin` to `end` by days, weeks from Monday, months or years; the first and the last may be cut."""
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
    """The numbers of each bin. `by_day` is in order and has no day beyond the bins."""
    sums: list[dict[str, int]] = [{} for _ in into]
    place = 0
    for day, numbers in by_day.items():
        while into[place].last < day:
            place += 1
        for name, number in numbers.items():
            sums[place][name] = sums[place].get(name, 0) + number
    return sums


def scale(most: int) -> list[int]:
    """Round numbers from 0 up to at least `most`, at equal steps, three to six of them."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if step * factor * 4 >= most:
                count = max(2, -(-most // (step * factor)))
                return [step * factor * number for number in range(count + 1)]
        step *= 10


def bars(stacks: Sequence[Sequence[int]], names: Sequence[str], width: float, height: float) -> Chart:
    """Stacked bars, one for each of `stacks`, whose parts stand on each other in their order; `names` are below them,
    as many as there is room for."""
    steps = scale(max(map(sum, stacks), default=0))
    left = 10 + _CHARACTER * len(f"{steps[-1]:,}")
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
    room = max(map(len, names), default=0) * _CHARACTER + 14
    every = max(1, -int(-room // across))
    for column in range(0, len(names), every):
        middle = left + (column + 0.5) * across
        half = len(names[column]) * _CHARACTER / 2
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
    """A square of each of `numbers`, which are rows of equal length, shaded by how it compares with the greatest; an
    empty name is not written. `turned` has the rows side by side and the columns below each other."""
    most = max(map(max, numbers), default=0)
    down, over = (columns, rows) if turned else (rows, columns)
    left, top = 12 + _LETTER * max(map(len, down)), 20.0
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
    """A shade: 0 for nothing, `LEVELS` for the greatest."""
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
    """A hundredth of a unit is nothing to see."""
    return round(number, 2)
