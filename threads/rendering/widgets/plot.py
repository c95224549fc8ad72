"""Converts series of numbers to SVG paths."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from .tree import Series, Tick

_WIDTH, _HEIGHT = 320, 150
_TOP, _FOOT = 8, 16
_LETTER = 6.2
"""The approximate width of a letter, in units of the drawing."""
_LINE = 10
"""The minimal distance between two labels."""


@dataclass(frozen=True, slots=True)
class SeriesData:
    """A series as it was given; a value is None if it can't be drawn."""

    label: str
    key: str
    kind: str
    color: str
    stack: str
    values: list[float | None]


Span = tuple[float, float]
"""Start and end of a value, in units of the largest value."""


class Plot:
    """The coordinate system of a chart. Values are divided by the largest one, since sums of huge floats would
    overflow."""

    def __init__(self, sources: list[SeriesData], rows: int, *, axis: bool) -> None:
        sizes = [abs(value) for source in sources for value in source.values if value is not None]
        self._unit = max(sizes, default=0) or 1.0
        self._spans = self._stacked(sources)
        ends = [end for spans in self._spans.values() for span in spans if span for end in span]
        self._low, self._high = min(ends, default=0), max(ends, default=0)
        bars = dict.fromkeys(_pile(source, turn) for turn, source in enumerate(sources) if source.kind == "bar")
        self._slots = {pile: slot for slot, pile in enumerate(bars)}
        self._ends = self._named_ends() if axis else {}
        self._left = max((len(name) * _LETTER + 4 for name in self._ends.values()), default=0)
        self._band = (_WIDTH - self._left) / rows
        self._turns = {id(source): turn for turn, source in enumerate(sources)}

    @property
    def box(self) -> str:
        """The `viewBox` of the SVG."""
        return f"0 0 {_WIDTH} {_HEIGHT + _FOOT}"

    @property
    def zero(self) -> str:
        """The zero line, as a path."""
        return f"M{_short(self._left)} {self._y(0)}H{_WIDTH}"

    def series(self, source: SeriesData, label: str) -> Series:
        """A series as one path."""
        turn = self._turns[id(source)]
        draw = {"bar": self._bars, "line": self._line, "area": self._area}[source.kind]
        return Series(label, source.kind, source.color, draw(self._spans[turn], _pile(source, turn)))

    def below(self, labels: list[str]) -> tuple[Tick, ...]:
        """The labels of the x axis, as many as fit side by side."""
        half = max((len(label) for label in labels), default=0) * _LETTER / 2
        ticks: list[Tick] = []
        free = 0.0
        for row, label in enumerate(labels):
            x = min(max(self._x(row), half), _WIDTH - half)
            if label and x - half >= free:
                ticks.append(Tick(_short(x), str(_HEIGHT + _FOOT - 4), "middle", label))
                free = x + half + _LETTER
        return tuple(ticks)

    def beside(self) -> tuple[Tick, ...]:
        """The labels of the y axis: the largest value, the smallest and zero, if they do not overlap."""
        ticks: dict[float, Tick] = {}
        for end, name in self._ends.items():
            y = min(float(self._y(end)) + 3, _HEIGHT)
            if all(abs(y - other) >= _LINE for other in ticks):
                ticks[y] = Tick(_short(self._left - 4), _short(y), "end", name)
        return tuple(ticks.values())

    def _named_ends(self) -> dict[float, str]:
        ends = {end: end * self._unit for end in (self._high, self._low) if end}
        # A sum may overflow.
        return {end: f"{value:.4g}" for end, value in ends.items() if math.isfinite(value)} | {0.0: "0"}

    def _stacked(self, sources: list[SeriesData]) -> dict[int, list[Span | None]]:
        """The span of each value of each series; negative values are stacked separately."""
        reached: dict[tuple[str, int, bool], float] = {}
        spans: dict[int, list[Span | None]] = {}
        for turn, source in enumerate(sources):
            spans[turn] = []
            for row, value in enumerate(source.values):
                if value is None:
                    spans[turn].append(None)
                    continue
                place = (_pile(source, turn), row, value < 0)
                start = reached.get(place, 0.0)
                reached[place] = start + value / self._unit
                spans[turn].append((start, reached[place]))
        return spans

    def _bars(self, spans: list[Span | None], pile: str) -> str:
        wide = self._band * 0.8 / len(self._slots)
        # The offset from the middle of the row to the left edge of the bar.
        aside = self._slots[pile] * wide - self._band * 0.4
        return "".join(
            f"M{_short(self._x(row) + aside)} {self._y(start)}V{self._y(end)}h{_short(wide * 0.94)}V{self._y(start)}z"
            for run in _runs(spans)
            for row, (start, end) in run
        )

    def _line(self, spans: list[Span | None], pile: str) -> str:
        # `h0` draws a single point as a dot.
        return "".join("M" + "L".join(self._points(run, 1)) + "h0" for run in _runs(spans))

    def _area(self, spans: list[Span | None], pile: str) -> str:
        return "".join(
            "M" + "L".join([*self._points(run, 1), *reversed(self._points(run, 0))]) + "z" for run in _runs(spans)
        )

    def _points(self, run: list[tuple[int, Span]], end: int) -> list[str]:
        return [f"{_short(self._x(row))} {self._y(span[end])}" for row, span in run]

    def _x(self, row: int) -> float:
        return self._left + (row + 0.5) * self._band

    def _y(self, value: float) -> str:
        low, high = min(self._low, 0), max(self._high, 0)
        share = (value - low) / ((high - low) or 1)
        return _short(_TOP + (1 - share) * (_HEIGHT - _TOP))


def _pile(source: SeriesData, turn: int) -> str:
    """The key of a stack; series without a `stack` have one of their own."""
    return f"{source.kind} {source.stack}" if source.stack and source.kind != "line" else str(turn)


def _runs(spans: list[Span | None]) -> Iterator[list[tuple[int, Span]]]:
    """Runs of consecutive rows with a value."""
    run: list[tuple[int, Span]] = []
    for row, span in enumerate([*spans, None]):
        if span:
            run.append((row, span))
        elif run:
            yield run
            run = []


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
