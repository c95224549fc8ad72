"""Converts ranges of time to ranges of thread numbers, the primary key of archived threads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, tzinfo

from django.db.models import Max, Min, QuerySet

from threads.archive.models import ArchivedThread, Day
from threads.archive.store.counters import DAY_SECONDS
from threads.archive.utc_offsets import local_hour_periods
from threads.lib.times import day_bounds

_EPOCH = date(1970, 1, 1).toordinal()
_FIRST, _LAST = date(1, 3, 1).toordinal(), date(9999, 11, 1).toordinal()
"""Range of days for the filter by hour of the week; at least a month from both ends of the calendar."""


@dataclass(frozen=True, slots=True)
class Span:
    """Threads with `low` <= number < `high` and `begin` <= created_at < `end`; None for no bound in time."""

    low: int
    high: int
    begin: datetime | None = None
    end: datetime | None = None

    def cut(self, low: int, high: int) -> Span:
        """The part of this span with `low` <= number < `high`."""
        return replace(self, low=max(self.low, low), high=min(self.high, high))

    def threads(self) -> QuerySet[ArchivedThread]:
        """The archived threads of this span."""
        numbered = ArchivedThread.objects.filter(number__gte=self.low, number__lt=self.high)
        return created_between(numbered, self.begin, self.end)


def created_between(
    threads: QuerySet[ArchivedThread], begin: datetime | None, end: datetime | None
) -> QuerySet[ArchivedThread]:
    """The threads with `begin` <= created_at < `end`; None for no bound."""
    if begin is not None:
        threads = threads.filter(created_at__gte=begin)
    return threads if end is None else threads.filter(created_at__lt=end)


def day_spans(
    begin: date | None, end: date | None, hour: str | None, zone: tzinfo, beyond: tuple[int, int], *, descending: bool
) -> Iterator[Span]:
    """Spans that hold all threads from the day `begin` to the day `end`, in list order, within the numbers `beyond`
    (lower bound, exclusive upper bound). With `hour`, an hour of the week, one span per week."""
    # Two queries: SQLite would scan the table for both ends in one.
    numbers = ArchivedThread.objects.values_list("number", flat=True)
    first, last = numbers.order_by("number").first(), numbers.order_by("-number").first()
    if first is None or last is None:
        return
    low, high = max(beyond[0], first), min(beyond[1], last + 1)
    if begin is None and end is None and hour is None:
        yield Span(low, high)
        return
    since, until = day_bounds(begin, end, zone)
    if hour is None:
        yield from _within(since, until, low, high)
        return
    # There may be hundreds of weeks, so all days are read at once.
    days = {each.day: (each.first, each.last) for each in Day.objects.all()}
    if not days:
        return
    for begins, ends_at in _hours(hour, since, until, zone, days, descending=descending):
        reached = range(int(begins.timestamp() // DAY_SECONDS), int(ends_at.timestamp() // DAY_SECONDS) + 1)
        if runs := [days[day] for day in reached if day in days]:
            begin_at, end_at = max(low, min(each for each, _ in runs)), min(high, max(each for _, each in runs) + 1)
            if begin_at < end_at:
                yield Span(begin_at, end_at, begins, ends_at)


def grouped(where: Iterable[Span], *, descending: bool) -> list[tuple[Span, ...]]:
    """Spans in the order of their numbers, with overlapping ones grouped. Spans overlap where a thread was archived
    late, which widens the range of its day."""
    groups: list[list[Span]] = []
    high = 0
    for span in sorted(where, key=lambda each: each.low):
        if groups and span.low < high:
            groups[-1].append(span)
        else:
            groups.append([span])
        high = max(high, span.high) if len(groups[-1]) > 1 else span.high
    found = [tuple(each) for each in groups]
    return found[::-1] if descending else found


def _within(begin: datetime | None, end: datetime | None, low: int, high: int) -> Iterator[Span]:
    days = Day.objects.all()
    if begin is not None:
        days = days.filter(day__gte=int(begin.timestamp() // DAY_SECONDS))
    if end is not None:
        days = days.filter(day__lte=int(end.timestamp() // DAY_SECONDS))
    found = days.aggregate(first=Min("first"), last=Max("last"))
    if found["first"] is not None:
        low, high = max(low, found["first"]), min(high, found["last"] + 1)
        if low < high:
            yield Span(low, high, begin, end)


def _hours(
    hour: str,
    since: datetime | None,
    until: datetime | None,
    zone: tzinfo,
    days: Iterable[int],
    *,
    descending: bool,
) -> Iterator[tuple[datetime, datetime]]:
    """Start and end of the hour in each week that may have threads. `days` are the UTC days with threads."""
    weekday, clock = int(hour[0]), int(hour[2:])
    # One UTC day overlaps up to three local days, over all zones.
    near = {each for day in days for each in range(_EPOCH + day - 1, _EPOCH + day + 2)}
    candidates = (each for each in near if _FIRST <= each <= _LAST and (each - 1) % 7 == weekday)
    for each in sorted(candidates, reverse=descending):
        shown = local_hour_periods(datetime.combine(date.fromordinal(each), time(clock)), zone)
        for begins, ends in reversed(shown) if descending else shown:
            begin, end = max(begins, since or begins), min(ends, until or ends)
            if begin < end:
                yield begin, end
