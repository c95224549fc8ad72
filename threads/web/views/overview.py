"""The overview: what there is to see in the archive over some days, each number a link to the list that it counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from threads import masking
from threads.archive import statistics as numbers
from threads.archive.statistics import Overview, Ranked, Standing
from threads.chatkit import MAX_USER
from threads.lib import times
from threads.lib.form_fields import DAYS_CLASH, Errors, is_day
from threads.rendering.escape import named
from threads.roles import Right, account, needs
from threads.sources.query_forms import FIELDS
from threads.web import charts
from threads.web.fetch_metadata import linked

_DAY = timedelta(days=1)
_KNOWN = {"locked": "Locked", "closed": "Closed", "active": "Active"}
"""The order in which the parts of a bar stand: the rarer ones on the ground, where lengths compare best."""

_EACH = {"day": "Threads per day", "week": "Threads per week", "month": "Threads per month", "year": "Threads per year"}
_LONGEST_ADDRESS = 4000
"""Servers and proxies cut what is much longer."""

_WIDE, _NARROW = 960.0, 340.0


@dataclass(frozen=True, slots=True)
class Status:
    """A status as it is drawn. `shape` is its class, `share` how much of all it is, such as "12 %"."""

    name: str
    shape: str
    threads: int
    share: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Cell:
    """A number of a chart and of its table, what it is of, both in words, and the list that it counts; None where no
    list does."""

    threads: int
    place: str
    said: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a table: what it is of, in full and in short, and its numbers."""

    name: str
    short: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Rank:
    """A user or a reason in its ranking. `length` is that of its bar, of 100."""

    name: str
    threads: int
    length: float
    url: str | None


@dataclass(frozen=True, slots=True)
class Preset:
    name: str
    url: str
    chosen: bool


@linked
@needs(Right.READ)
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """What began from one day to another, in the reader's zone. 400 where the days are none, or in the wrong order."""
    now, zone = datetime.now(UTC), times.zone(request.COOKIES.get("tz"))
    today = now.astimezone(zone).date()
    standing = numbers.standing(zone)
    sent = {name: request.GET.get(name, "") for name in ("from", "to")}
    days, errors = _days(sent, today)
    context: dict[str, Any] = {
        "errors": errors,
        "days": None,
        # A field for a day can hold nothing else, so what is no day is in the sentence beside it.
        "sent": {name: value if is_day(value) else "" for name, value in sent.items()},
        "presets": _presets(days, standing, today),
        "empty": not standing.threads,
        "threads": None,
        "untimed": standing.untimed,
        "reached": _time(standing.reached_end_at, zone),
        "swept": _time(standing.swept_at, zone),
        "as_of": _time(now, zone),
        "zone": str(zone),
    }
    if days is not None:
        begin, end = days
        context["days"] = f"on {_date(begin)}" if begin == end else f"from {_from_to(begin, end)}"
        context["sent"] = {"from": begin.isoformat(), "to": end.isoformat()}
        if standing.threads:
            context |= _shown(numbers.overview(begin, end, zone, standing), masked=masking.is_due(account(request)))
    return render(request, "overview/overview.html", context, status=400 if errors else 200)


def address(
    *,
    user: str | None = None,
    status: str | None = None,
    reason: str | None = None,
    hour: str | None = None,
    begin: date | None = None,
    end: date | None = None,
) -> str | None:
    """The list of threads that are so. None where no address can ask for them: a list takes what is blank for no
    filter, but as a user, and knows no user or reason of any length; and what stands for other characters in the name
    of a user that a column holds is not their id."""
    values = {"user": user, "status": status, "reason": reason, "hour": hour, "from": begin, "to": end}
    asked = {name: str(value) for name, value in values.items() if value is not None}
    if not all(value.strip() for name, value in asked.items() if name != "user"):
        return None
    if user is not None and (not user or len(user) > MAX_USER or "\ufffd" in user):
        return None
    try:
        made = f"{reverse('threads')}?{urlencode(asked)}"
    except UnicodeEncodeError:
        return None
    return made if len(made) <= _LONGEST_ADDRESS else None


def _days(sent: Mapping[str, str], today: date) -> tuple[tuple[date, date] | None, Errors]:
    """The first and the last day that are asked for; or None, and what is wrong, by field."""
    found: dict[str, date | None] = {}
    errors: Errors = {}
    for name, value in sent.items():
        try:
            found[name] = FIELDS[name].clean(value)
        except forms.ValidationError:
            errors[name] = [f"“{named(value, 40)}” is not a day. A day is written as in 2026-11-30."]
    if errors:
        return None, errors
    begin, end = found["from"], found["to"]
    if begin is not None and end is not None and begin > end:
        return None, {"to": [DAYS_CLASH]}
    if end is None:
        end = today if begin is None else max(begin, today)
    return (begin or max(end, date.min + 29 * _DAY) - 29 * _DAY, end), {}


def _presets(days: tuple[date, date] | None, standing: Standing, today: date) -> list[Preset]:
    try:
        year_ago = today.replace(year=today.year - 1)
    except ValueError:  # the 29th of February
        year_ago = today - 366 * _DAY
    spans = [(f"{number} days", (today - (number - 1) * _DAY, today)) for number in (7, 30, 90)]
    spans.append(("12 months", (year_ago + _DAY, today)))
    if standing.first is not None and standing.last is not None:
        spans.append(("All", (standing.first, max(standing.last, today))))
    return [
        Preset(name, f"{reverse('overview')}?{urlencode({'from': begin, 'to': end})}", (begin, end) == days)
        for name, (begin, end) in spans
    ]


def _shown(found: Overview, *, masked: bool) -> dict[str, Any]:
    """All that the page has beside its form, `masked` for who may not see user ids and e-mail addresses whole."""
    by_status = found.by_status
    names = [*_KNOWN, *sorted(by_status.keys() - _KNOWN.keys())]
    statuses = [_status(name, by_status.get(name, 0), found) for name in names]
    shown: dict[str, Any] = {
        "threads": Cell(found.threads, "", "", address(begin=found.begin, end=found.end)),
        "statuses": statuses,
    }
    if found.threads:
        shown |= {**_bars(found, names, statuses), **_hours(found), **_rankings(found, masked=masked)}
    return shown


def _status(name: str, threads: int, found: Overview) -> Status:
    return Status(
        name=_KNOWN.get(name, name) or "Not given",
        shape=name if name in _KNOWN else "unknown",
        threads=threads,
        share=_percent(threads, found.threads),
        url=address(status=name, begin=found.begin, end=found.end),
    )


def _bars(found: Overview, names: Sequence[str], statuses: Sequence[Status]) -> dict[str, Any]:
    begin, end = found.begin, found.end
    if charts.unit(begin, end) in ("month", "year") and found.by_day:
        # Years before the first thread and after the last would be nothing but white.
        begin, end = max(begin, min(found.by_day)), min(end, max(found.by_day))
    unit = charts.unit(begin, end)
    into = charts.bins(begin, end, unit)
    sums = charts.summed(found.by_day, into)
    lines, whole = [], []
    for each, by_status in zip(into, sums, strict=True):
        name = _bin(each, unit)
        cells = []
        for status, shown in zip(names, statuses, strict=True):
            url = address(status=status, begin=each.first, end=each.last)
            cells.append(_cell(by_status.get(status, 0), shown.name.lower(), name, url))
        total = sum(by_status.values())
        everything = _cell(total, "in all", name, address(begin=each.first, end=each.last))
        short = f"{name[:3]}, {_date(each.first)}" if unit == "day" else name
        if begin.year == end.year:
            short = short.replace(f" {begin.year}", "")
        lines.append(Line(name, short, (*cells, everything)))
        whole.append(total)
    stacks = [[cell.threads for cell in line.cells[:-1]] for line in lines]
    names_below = [_short(each, unit) for each in into]
    best = max(range(len(whole)), key=whole.__getitem__)
    return {
        "bars_title": _EACH[unit],
        "unit": unit,
        "lines": lines,
        "bars": [charts.bars(stacks, names_below, _WIDE, 260), charts.bars(stacks, names_below, _NARROW, 220)],
        "busiest": _busiest(unit, f"{lines[best].name}, with {whole[best]:,}", whole) if len(whole) > 1 else "",
    }


def _hours(found: Overview) -> dict[str, Any]:
    lines = []
    for day, hours in enumerate(found.hours):
        cells = []
        for hour, threads in enumerate(hours):
            said = f"{times.DAYS[day]}s, {hour:02}:00 to {hour + 1:02}:00"
            url = address(hour=f"{day}-{hour:02}", begin=found.begin, end=found.end)
            cells.append(_cell(threads, "", said, url))
        lines.append(Line(times.DAYS[day], times.DAYS[day][:3], tuple(cells)))
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
            "hour", f"{best.place}, with {best.threads:,}", [cell.threads for line in lines for cell in line.cells]
        ),
    }


def _busiest(what: str, said: str, among: Sequence[int]) -> str:
    """A sentence on the greatest, which need not be the only one."""
    alone = among.count(max(among)) == 1
    return f"The busiest {what} was {said}." if alone else f"One of the busiest {what}s was {said}."


def _rankings(found: Overview, *, masked: bool) -> dict[str, Any]:
    begin, end = found.begin, found.end
    reasons = [_rank(each, found.reasons, address(reason=each.name, begin=begin, end=end)) for each in found.reasons]
    users = [_rank(each, found.users, address(user=each.name, begin=begin, end=end)) for each in found.users]
    if masked:
        # The list of one would say in its address what is shortened.
        users = [replace(each, name=masking.short(each.name), url=None) for each in users]
        shown = (masking.text(each.name, numbers.users_in(each)) for each in found.reasons)
        reasons = [
            each if each.name == name else replace(each, name=name, url=None)
            for each, name in zip(reasons, shown, strict=True)
        ]
    return {"reasons": reasons, "users": users}


def _rank(each: Ranked, among: Sequence[Ranked], url: str | None) -> Rank:
    return Rank(each.name, each.threads, round(100 * each.threads / among[0].threads, 1), url)


def _cell(threads: int, what: str, place: str, url: str | None) -> Cell:
    said = f"{place}: {threads:,} {what or ('thread' if threads == 1 else 'threads')}"
    return Cell(threads, place, said, url if threads else None)


def _bin(each: charts.Bin, unit: charts.Unit) -> str:
    """Such as "Tuesday, 3 Nov 2026", or "2 Nov 2026 to 8 Nov 2026"."""
    return _long(each.first) if unit == "day" else _from_to(each.first, each.last)


def _short(each: charts.Bin, unit: charts.Unit) -> str:
    """Such as "3 Nov", "3 Nov 2026", "Nov 2026", "2026"."""
    day, month, year = _date(each.first).split()
    return {"day": f"{day} {month}", "week": f"{day} {month} {year}", "month": f"{month} {year}", "year": year}[unit]


def _from_to(begin: date, end: date) -> str:
    return _date(begin) if begin == end else f"{_date(begin)} to {_date(end)}"


def _date(day: date) -> str:
    return _long(day).split(", ")[1]


def _long(day: date) -> str:
    return times.day(datetime.combine(day, time(12), UTC), UTC)


def _time(moment: datetime | None, zone: tzinfo) -> dict[str, str] | None:
    return None if moment is None else {"iso": moment.isoformat(), "text": times.exact(moment, zone)}


def _percent(part: int, whole: int) -> str:
    """To the nearest, but 0 % is for none, and 100 % for all."""
    if not whole:
        return "0 %"
    near = round(100 * part / whole)
    if part and not near:
        return "less than 1 %"
    return "more than 99 %" if near == 100 and part < whole else f"{near} %"
