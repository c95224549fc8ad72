"""Chart components: their data series, and the same data as a table. `plot` computes the paths."""

from __future__ import annotations

from .drawing import Component, Drawing, more, note
from .plot import Plot, SeriesData
from .props import Props, number, plain, short, words
from .tree import ChartNode, Node

MAX_ROWS = 200
MAX_SERIES = 12

_COLORS = ("blue", "purple", "orange", "green", "red", "yellow", "pink")
_KINDS = ("bar", "line", "area")


def _chart(drawing: Drawing, props: Props) -> Node:
    data, series = props.objects("data"), props.objects("series")
    columns = min(len(series), MAX_SERIES)
    rows = data[: drawing.take(min(len(data), MAX_ROWS) * max(1, columns)) // max(1, columns)]
    sources = [_source(each, turn, rows) for turn, each in enumerate(series[:columns])]
    notes = []
    if len(data) > len(rows):
        notes.append(more(len(data) - len(rows), "row", "rows"))
    if len(series) > len(sources):
        notes.append(more(len(series) - len(sources), "series", "series"))
    if not rows or not sources:
        return Node("group", "w-col", children=(note("A chart without data"), *notes))
    drawn = Node("chart", "w-chart", chart=_drawn(drawing, props, rows, sources))
    return Node("group", "w-col", children=(drawn, *notes)) if notes else drawn


def _source(series: Props, turn: int, rows: list[Props]) -> SeriesData:
    kind, color, key = series.text("type"), series.text("color"), series.text("dataKey")
    return SeriesData(
        label=series.text("label") or key or f"Series {turn + 1}",
        key=key,
        kind=kind if kind in _KINDS else "bar",
        color=color if color in _COLORS else _COLORS[turn % len(_COLORS)],
        stack=series.text("stack"),
        values=[number(row.get(key)) for row in rows],
    )


def _drawn(drawing: Drawing, props: Props, rows: list[Props], sources: list[SeriesData]) -> ChartNode:
    axis = props.inner("xAxis")
    key = axis.text("dataKey") or props.text("xAxis")
    names = axis.inner("labels")
    labels = [names.text(row.text(key)) or row.text(key) for row in rows]
    plot = Plot(sources, len(rows), axis=props.flag("showYAxis"))
    ticks = () if axis.flag("hide") else plot.below([_tick(label) for label in labels])
    return ChartNode(
        name=_name(sources, labels),
        box=plot.box,
        zero=plot.zero,
        series=tuple(plot.series(source, drawing.text(source.label)) for source in sources),
        ticks=(*ticks, *plot.beside()),
        legend=props.get("showLegend") is not False,
        heads=(drawing.text(key or "Row"), *(drawing.text(source.label) for source in sources)),
        rows=tuple(_cells(drawing, row, label, sources) for row, label in zip(rows, labels, strict=True)),
    )


def _cells(drawing: Drawing, row: Props, label: str, sources: list[SeriesData]) -> tuple[str, ...]:
    values = (short(words(row.get(source.key))) for source in sources)
    return (drawing.text(short(label) or "–"), *(drawing.text(value or "–") for value in values))


def _tick(label: str) -> str:
    return short(plain(short(label, 14)), 14)


def _name(sources: list[SeriesData], labels: list[str]) -> str:
    kinds = [kind for kind in _KINDS if any(source.kind == kind for source in sources)]
    shown = ", ".join(plain(short(source.label, 40)) for source in sources)
    ends = [plain(short(label, 40)) for label in (labels[0], labels[-1]) if label]
    reach = f", {' to '.join(dict.fromkeys(ends))}" if ends else ""
    count = f"{len(labels)} row{'s' if len(labels) != 1 else ''}"
    return f"{' and '.join(kinds).capitalize()} chart of {shown}: {count}{reach}. A table with the same data follows."


COMPONENTS: dict[str, Component] = {"Chart": _chart}
