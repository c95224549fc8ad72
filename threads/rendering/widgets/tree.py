"""What the template is given: everything worked out, nothing left to decide."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Series:
    """One series of a chart, as a single path. `kind` is bar, line or area."""

    label: str
    kind: str
    color: str
    path: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A word at an axis; `anchor` is the side of it that `x` names."""

    x: str
    y: str
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart and the same data as a table, whose first column is the x axis."""

    name: str
    box: str
    zero: str
    series: tuple[Series, ...]
    ticks: tuple[Tick, ...]
    legend: bool
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Node:
    """One part of a widget. `kind` says how it is drawn; `text` is shown, `name`, `value` and `hint` stand in
    attributes: what a control is called, what is in it, and what it says when empty."""

    kind: str
    classes: str = ""
    text: str = ""
    children: tuple[Node, ...] = ()
    name: str = ""
    value: str = ""
    hint: str = ""
    on: bool = False
    href: str | None = None
    html: Markup | None = None
    chart: Chart | None = None


@dataclass(frozen=True, slots=True)
class Widget:
    """A widget. `note` says how much of it is not drawn, if anything."""

    root: Node
    note: str | None
