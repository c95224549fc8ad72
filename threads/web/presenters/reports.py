"""The numbers of the reports, charts and rankings: each number links to the list of threads that it counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from threads import masking
from threads.archive import statistics
from threads.archive.statistics import ArchiveTotals, PeriodStatistics, Ranked
from threads.chatkit import MAX_USER
from threads.lib import times
from threads.web import charts

from .statuses import NOT_GIVEN, WORDS, status_class

_DAY = timedelta(days=1)

_ORDER = ("locked", "closed", "active")
"""Statuses from the bottom of a bar to its top: the rarer ones at the bottom, where lengths compare best."""

_BARS_TITLES = {
    "day": "Threads per day",
    "week": "Threads per week",
    "month": "Threads per month",
    "year": "Threads per year",
}

_MAX_ADDRESS = 4000
"""Characters. Servers and proxies cut what is much longer."""

_WIDE, _NARROW = 960.0, 340.0
"""Widths of a chart in its own units: on a desktop, and on a phone."""


@dataclass(frozen=True, slots=True)
class StatusShare:
    """A status with its number of threads. `shape` is its CSS class, `share` its part of all, such as "12 %"."""

    name: str
    shape: str
    threads: int
    share: str
    url: str | None


@dataclass(frozen=True, slots=True)
class ChartCell:
    """A number in a chart and in its table. `place` is what it counts, `label` both in words; `url` is the list that it
    counts, None where no list can be asked for."""

    threads: int
    place: str
    label: str
    url: str | None


@dataclass(frozen=True, slots=True)
class ChartRow:
    """A row of a chart's table: a period, in full and in short, and its numbers."""

    name: str
    short: str
    cells: tuple[ChartCell, ...]


@dataclass(frozen=True, slots=True)
class RankedBar:
    """A user or a reason in its ranking. `length` of the bar is between 0 and 100."""

    name: str
    threads: int
    length: float
    url: str | None


@dataclass(frozen=True, slots=True)
class RangePreset:
    """A range of days to choose."""

    name: str
    url: str
    chosen: bool


def list_url(
    *,
    user: str | None = None,
    status: str | None = None,
    reason: str | None = None,
    hour: str | None = None,
    begin: date | None = None,
    end: date | None = None,
) -> str | None:
    """The list of threads with these properties. None where no address can ask for it: a list takes a blank value for
    no filter, except as a user; ids and reasons have a maximal length; and a user id with U+FFFD in it was stored with
    characters replaced, so it is not the id."""
    values = {"user": user, "status": status, "reason": reason, "hour": hour, "from": begin, "to": end}
    filters = {name: str(value) for name, value in values.items() if value is not None}
    if not all(value.strip() for name, value in filters.items() if name != "user"):
        return None
    if user is not None and (not user or len(user) > MAX_USER or "\ufffd" in user):
        return None
    try:
        url = f"{reverse('threads')}?{urlencode(filters)}"
    except UnicodeEncodeError:
        return None
    return url if len(url) <= _MAX_ADDRESS else None


def presets(days: tuple[date, date] | None, standing: ArchiveTotals, today: date) -> list[RangePreset]:
    """The ranges to choose from, the chosen one marked."""
    try:
        year_ago = today.replace(year=today.year - 1)
    except ValueError:  # the 29th of February
        year_ago = today - 366 * _DAY
    spans = [(f"{number} days", (today - (number - 1) * _DAY, today)) for number in (7, 30, 90)]
    spans.append(("12 months", (year_ago + _DAY, today)))
    if standing.first is not None and standing.last is not None:
        spans.append(("All", (standing.first, max(standing.last, today))))
    return [
        RangePreset(name, f"{reverse('reports')}?{urlencode({'from': begin, 'to': end})}", (begin, end) == days)
        for name, (begin, end) in spans
    ]


def reports_context(found: PeriodStatistics, *, masked: bool) -> dict[str, Any]:
    """The context of everything below the form. `masked` shortens user ids and e-mail addresses."""
    by_status = found.by_status
    names = [*_ORDER, *sorted(by_status.keys() - set(_ORDER))]
    statuses = [_status(name, by_status.get(name, 0), found) for name in names]
    context: dict[str, Any] = {
        "threads": ChartCell(found.threads, "", "", list_url(begin=found.begin, end=found.end)),
        "statuses": statuses,
    }
    if found.threads:
        context |= {**_bars(found, names, statuses), **_hours(found), **_rankings(found, masked=masked)}
    return context


def _status(name: str, threads: int, found: PeriodStatistics) -> StatusShare:
    return StatusShare(
        name=WORDS.get(name, name) or NOT_GIVEN,
        shape=status_class(name),
        threads=threads,
        share=_percent(threads, found.threads),
        url=list_url(status=name, begin=found.begin, end=found.end),
    )


def _bars(found: PeriodStatistics, names: Sequence[str], statuses: Sequence[StatusShare]) -> dict[str, Any]:
    begin, end = found.begin, found.end
    if charts.unit(begin, end) in ("month", "year") and found.by_day:
        # Years before the first thread and after the last would be empty.
        begin, end = max(begin, min(found.by_day)), min(end, max(found.by_day))
    unit = charts.unit(begin, end)
    into = charts.bins(begin, end, unit)
    sums = charts.summed(found.by_day, into)
    lines, whole = [], []
    for each, by_status in zip(into, sums, strict=True):
        name = _bin(each, unit)
        cells = []
        for status, shown in zip(names, statuses, strict=True):
            url = list_url(status=status, begin=each.first, end=each.last)
            cells.append(_cell(by_status.get(status, 0), shown.name.lower(), name, url))
        total = sum(by_status.values())
        everything = _cell(total, "in all", name, list_url(begin=each.first, end=each.last))
        short = f"{name[:3]}, {date_in_words(each.first)}" if unit == "day" else name
        if begin.year == end.year:
            short = short.replace(f" {begin.year}", "")
        lines.append(ChartRow(name, short, (*cells, everything)))
        whole.append(total)
    stacks = [[cell.threads for cell in line.cells[:-1]] for line in lines]
    names_below = [_short(each, unit) for each in into]
    best = max(range(len(whole)), key=whole.__getitem__)
    return {
        "bars_title": _BARS_TITLES[unit],
        "unit": unit,
        "lines": lines,
        "bars": [charts.bars(stacks, names_below, _WIDE, 260), charts.bars(stacks, names_below, _NARROW, 220)],
        "busiest": _busiest(unit, f"{lines[best].name} ({whole[best]:,})", whole) if len(whole) > 1 else "",
    }


def _hours(found: PeriodStatistics) -> dict[str, Any]:
    lines = []
    for day, hours in enumerate(found.hours):
        cells = []
        for hour, threads in enumerate(hours):
            place = f"{times.DAYS[day]}s, {hour:02}:00 to {hour + 1:02}:00"
            url = list_url(hour=f"{day}-{hour:02}", begin=found.begin, end=found.end)
            cells.append(_cell(threads, "", place, url))
        lines.append(ChartRow(times.DAYS[day], times.DAYS[day][:3], tuple(cells)))
    rows, columns = [line.short for line in lines], [f"{hour:02}" for hour in range(24)]
    best = max((cell for line in lines for cell in line.cells), key=lambda cell: cell.threads)
    return {
        "hours": lines,
        "heat": [
            charts.heat(found.hours, rows, columns, _WIDE, 28),
            charts.heat(found.hours, rows, columns, _NARROW, 22, turned=True),
        ],
        "levels": range(1, charts.LEVELS + 1),
        "busiest_hour": _busiest(
            "hour", f"{best.place} ({best.threads:,})", [cell.threads for line in lines for cell in line.cells]
        ),
    }


def _busiest(unit: str, greatest: str, among: Sequence[int]) -> str:
    """A sentence on the greatest number, of which there may be several."""
    alone = among.count(max(among)) == 1
    return f"Most in one {unit}: {greatest}." if alone else f"Most in one {unit}, among others: {greatest}."


def _rankings(found: PeriodStatistics, *, masked: bool) -> dict[str, Any]:
    begin, end = found.begin, found.end
    reasons = [_rank(each, found.reasons, list_url(reason=each.name, begin=begin, end=end)) for each in found.reasons]
    users = [_rank(each, found.users, list_url(user=each.name, begin=begin, end=end)) for each in found.users]
    if masked:
        # A link would hold the id that is shortened.
        users = [replace(each, name=masking.mask_id(each.name), url=None) for each in users]
        shown = (masking.text(each.name, statistics.users_named_in(each)) for each in found.reasons)
        reasons = [
            each if each.name == name else replace(each, name=name, url=None)
            for each, name in zip(reasons, shown, strict=True)
        ]
    return {"reasons": reasons, "users": users}


def _rank(each: Ranked, among: Sequence[Ranked], url: str | None) -> RankedBar:
    return RankedBar(each.name, each.threads, round(100 * each.threads / among[0].threads, 1), url)


def _cell(threads: int, what: str, place: str, url: str | None) -> ChartCell:
    label = f"{place}: {threads:,} {what or ('thread' if threads == 1 else 'threads')}"
    return ChartCell(threads, place, label, url if threads else None)


def _bin(each: charts.Bin, unit: charts.Unit) -> str:
    """Such as "Tuesday, 3 Nov 2026", or "2 Nov 2026 to 8 Nov 2026"."""
    return _weekday_and_date(each.first) if unit == "day" else days_in_words(each.first, each.last)


def _short(each: charts.Bin, unit: charts.Unit) -> str:
    """Such as "3 Nov", "3 Nov 2026", "Nov 2026", "2026"."""
    day, month, year = date_in_words(each.first).split()
    return {"day": f"{day} {month}", "week": f"{day} {month} {year}", "month": f"{month} {year}", "year": year}[unit]


def days_in_words(begin: date, end: date) -> str:
    """Such as "2 Nov 2026 to 8 Nov 2026"."""
    return date_in_words(begin) if begin == end else f"{date_in_words(begin)} to {date_in_words(end)}"


def date_in_words(day: date) -> str:
    """Such as "3 Nov 2026"."""
    return _weekday_and_date(day).split(", ")[1]


def _weekday_and_date(day: date) -> str:
    return times.day(datetime.combine(day, time(12), UTC), UTC)


def time_element(moment: datetime | None, zone: tzinfo) -> dict[str, str] | None:
    """A time for a `<time>` element: machine-readable and in words."""
    return None if moment is None else {"iso": moment.isoformat(), "text": times.exact(moment, zone)}


def _percent(part: int, whole: int) -> str:
    """To the nearest percent; 0 % only for none, and 100 % only for all."""
    if not whole:
        return "0 %"
    near = round(100 * part / whole)
    if part and not near:
        return "less than 1 %"
    return "more than 99 %" if near == 100 and part < whole else f"{near} %"
