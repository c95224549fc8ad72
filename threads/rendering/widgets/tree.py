"""The nodes of a rendered widget, which the template writes as HTML."""

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
    """A label at an axis; `anchor` is its `text-anchor` in SVG."""

    x: str
    y: str
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class ChartNode:
    """A chart, and its data as a table whose first column is the x axis."""

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
    """One part of a widget. `kind` selects the HTML; `text` is its content; `name`, `value` and `hint` are a control's
    accessible name, value and placeholder."""

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
    chart: ChartNode | None = None


@dataclass(frozen=True, slots=True)
class WidgetTree:
    """A widget. `note` says how many parts are left out, None if none are."""

    root: Node
    note: str | None
