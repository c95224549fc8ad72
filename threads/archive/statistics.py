"""Statistics for the reports: threads by day, status, hour of the week, reason and user.

The sums are made in the database, from counters that are kept up as threads are stored, not from the threads.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from heapq import nlargest

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet, Sum, Value
from django.db.models.functions import StrIndex

from .models import ArchivedThread, ArchivedUser, Day, Progress, QuarterCount, Reason, ThreadState
from .store.counters import DAY_SECONDS, QUARTER_SECONDS
from .utc_offsets import QUARTERS_PER_DAY, offset_periods, quarter_of, quarter_start

_MAX_GROUPED_THREADS = 50_000
"""A ranking of up to so many threads groups them; one of more threads uses the index of users or reasons."""

_MAX_COUNTED_CANDIDATES = 1_500
"""Users or reasons that are counted in chunks, the largest first; if that takes more, the whole index is read once."""

MAX_THREADS_TO_NARROW = 1_000
"""Up to so many threads of a reason, only the users of these threads are looked for in its text; else all users."""

_CHUNK = 50
_A_DAY = timedelta(days=1)
_PER_HOUR, _HOURS_OF_A_WEEK = 3600 // QUARTER_SECONDS, 7 * 24


@dataclass(frozen=True, slots=True)
class Ranked:
    """A user or a reason of a ranking: its `name`, number of `threads` and primary `key`."""

    name: str
    threads: int
    key: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class ArchiveTotals:
    """Size and freshness of the archive. `untimed` threads have no creation time and so no day. `first` and `last` are
    the days of the first and the last thread, None if no thread has a time."""

    threads: int
    untimed: int
    first: date | None
    last: date | None
    reached_end_at: datetime | None
    swept_at: datetime | None


@dataclass(frozen=True, slots=True)
class PeriodStatistics:
    """Threads that began from the day `begin` to the day `end`. `by_day` has the number of threads by status for each
    day with threads, `hours` 24 numbers for each day of the week, Monday first; rankings have up to ten entries."""

    begin: date
    end: date
    by_day: Mapping[date, Mapping[str, int]]
    hours: tuple[tuple[int, ...], ...]
    reasons: tuple[Ranked, ...]
    users: tuple[Ranked, ...]

    @property
    def by_status(self) -> dict[str, int]:
        found: Counter[str] = Counter()
        for sums in self.by_day.values():
            found.update(sums)
        return dict(found)

    @property
    def threads(self) -> int:
        return sum(self.by_status.values())


def archive_totals(zone: tzinfo) -> ArchiveTotals:
    """The present size and freshness, with days in the time zone `zone`."""
    timed = QuarterCount.objects.filter(threads__gt=0)
    # Two queries, since SQLite scans the whole index for MIN and MAX in one.
    first = timed.order_by("quarter").values_list("quarter", flat=True).first()
    last = timed.order_by("-quarter").values_list("quarter", flat=True).first()
    threads = ThreadState.objects.aggregate(sum=Sum("threads"))["sum"] or 0
    untimed = threads - (QuarterCount.objects.aggregate(sum=Sum("threads"))["sum"] or 0)
    progress = Progress.objects.filter(pk=1).first()
    return ArchiveTotals(
        threads=threads,
        untimed=untimed,
        first=None if first is None else quarter_start(first).astimezone(zone).date(),
        last=None if last is None else quarter_start(last).astimezone(zone).date(),
        reached_end_at=progress.reached_end_at if progress else None,
        swept_at=progress.swept_at if progress else None,
    )


def period_statistics(begin: date, end: date, zone: tzinfo, now: ArchiveTotals) -> PeriodStatistics:
    """Statistics of the days from `begin` to `end`, both included, in the time zone `zone`. `now` is the result of
    `archive_totals`."""
    if now.first is None or now.last is None or end < now.first or begin > now.last:
        return PeriodStatistics(begin, end, {}, ((0,) * 24,) * 7, (), ())
    # Days outside the archive have no threads, and those at the ends of the calendar overflow.
    since = _start(max(begin, now.first), zone)
    until = _start(min(end, now.last) + _A_DAY, zone)
    by_day: defaultdict[date, Counter[int]] = defaultdict(Counter)
    hours = [0] * _HOURS_OF_A_WEEK
    for low, high, offset in offset_periods(since, until, zone):
        tallies = QuarterCount.objects.filter(quarter__gte=low, quarter__lt=high, threads__gt=0).order_by()
        local = (quarter_start(low) + offset).date()
        monday = local - timedelta(days=local.weekday())
        base = quarter_of(datetime.combine(local, time(), UTC) - offset)
        days = tallies.values_list((F("quarter") - base) / QUARTERS_PER_DAY, "state").annotate(Sum("threads"))
        for day, state, threads in days:
            by_day[local + day * _A_DAY][state] += threads
        base = quarter_of(datetime.combine(monday, time(), UTC) - offset)
        hour = ((F("quarter") - base) / _PER_HOUR) % _HOURS_OF_A_WEEK
        for place, threads in tallies.values_list(hour).annotate(Sum("threads")):
            hours[place] += threads
    threads = sum(sum(statuses.values()) for statuses in by_day.values())
    everything = begin <= now.first and end >= now.last and now.untimed == 0
    thread_range = None if everything else _ThreadRange.of(since, until, threads, untimed=now.untimed > 0)
    return PeriodStatistics(
        begin=begin,
        end=end,
        by_day=_by_status(by_day),
        hours=tuple(tuple(hours[24 * day : 24 * day + 24]) for day in range(7)),
        reasons=_ranked(Reason.objects.all(), "text", "cause", thread_range),
        users=_ranked(ArchivedUser.objects.all(), "user_id", "archived_user", thread_range),
    )


def users_named_in(reason: Ranked) -> list[str]:
    """The ids of users that the text of a reason contains and that have threads with this reason."""
    theirs = ArchivedThread.objects.filter(cause=reason.key)
    standing_in = ArchivedUser.objects.annotate(place=StrIndex(Value(reason.name), F("user_id"))).filter(place__gt=0)
    if Reason.objects.filter(pk=reason.key, threads__gt=MAX_THREADS_TO_NARROW).exists():
        # With many threads, first the users whose id the text contains, then whether each has such a thread.
        standing_in = standing_in.filter(Exists(theirs.filter(archived_user=OuterRef("pk"))))
    else:
        standing_in = standing_in.filter(pk__in=theirs.values("archived_user"))
    return list(standing_in.values_list("user_id", flat=True))


@dataclass(frozen=True, slots=True)
class _ThreadRange:
    """The threads of a ranking: those that began from `since` until before `until`. Their numbers are from `low` to
    `high`. All threads from `sure_low` to `sure_high` are among them, so that their times need not be read."""

    since: datetime
    until: datetime
    threads: int
    low: int
    high: int
    sure_low: int
    sure_high: int

    @classmethod
    def of(cls, since: datetime, until: datetime, threads: int, *, untimed: bool) -> _ThreadRange:
        first, last = int(since.timestamp() // DAY_SECONDS), int((until.timestamp() - 1) // DAY_SECONDS)
        ends = Day.objects.filter(day__gte=first, day__lte=last).aggregate(low=Min("first"), high=Max("last"))
        low, high = ends["low"] or 0, ends["high"] or -1
        # Days are counted in UTC, so the first and the last one may lie partly outside.
        before = Day.objects.filter(day__lte=first).aggregate(last=Max("last"))["last"]
        after = Day.objects.filter(day__gte=last).aggregate(first=Min("first"))["first"]
        sure_low = low if before is None else max(low, before + 1)
        sure_high = high if after is None else min(high, after - 1)
        if untimed or sure_high < sure_low:
            sure_low, sure_high = high + 1, high
        return cls(since, until, threads, low, high, sure_low, sure_high)

    def parts(self, *, by_index: bool) -> Iterator[QuerySet[ArchivedThread]]:
        """Querysets that together contain each thread once. With `by_index` they are counted by the index alone."""
        all_threads = ArchivedThread.objects.order_by()
        if self.sure_low <= self.sure_high and by_index:
            # The sum makes SQLite use the index of users or reasons, which has all that is needed.
            numbered = all_threads.annotate(place=F("number") + 0)
            yield numbered.filter(place__gte=self.sure_low, place__lte=self.sure_high)
        elif self.sure_low <= self.sure_high:
            yield all_threads.filter(number__gte=self.sure_low, number__lte=self.sure_high)
        edges = Q(number__gte=self.low, number__lt=self.sure_low) | Q(number__gt=self.sure_high, number__lte=self.high)
        yield all_threads.filter(edges, created_at__gte=self.since, created_at__lt=self.until)


def _ranked(
    everyone: QuerySet[ArchivedUser] | QuerySet[Reason],
    name: str,
    column: str,
    thread_range: _ThreadRange | None,
    most: int = 10,
) -> tuple[Ranked, ...]:
    """The `most` users or reasons with the most threads among some; ties in the order of their keys.

    Candidates are counted in the order of their threads in the whole archive. Once the next candidate has fewer of
    those than the last of the best has here, no further one can be among the best.
    """
    candidates = everyone.filter(threads__gt=0).order_by("-threads", "pk")
    if thread_range is None:
        return tuple(Ranked(*row) for row in candidates.values_list(name, "threads", "pk")[:most])
    counted: Counter[int] | None = Counter()
    if thread_range.threads <= _MAX_GROUPED_THREADS:
        counted = _grouped(thread_range, column, None)
    else:
        counted = _count_largest(candidates, column, thread_range, most)
        counted = _grouped(thread_range, column, None) if counted is None else counted
    best = nlargest(most, ((threads, -key) for key, threads in counted.items() if threads))
    names = dict(everyone.filter(pk__in=[-key for _, key in best]).values_list("pk", name))
    return tuple(Ranked(names[-key], threads, -key) for threads, key in best)


def _count_largest(
    candidates: QuerySet[ArchivedUser] | QuerySet[Reason], column: str, thread_range: _ThreadRange, most: int
) -> Counter[int] | None:
    """Threads by key for as many candidates as it takes to know the best; None if that is too many."""
    counted: Counter[int] = Counter()
    start, size = 0, _CHUNK
    while start < _MAX_COUNTED_CANDIDATES:
        chunk = list(candidates.values_list("pk", "threads")[start : start + size])
        best = nlargest(most, counted.values())
        # A tie is won by the lower key, so the next candidate must have fewer.
        if not chunk or (len(best) == most and chunk[0][1] < best[-1]):
            return counted
        counted.update(_grouped(thread_range, column, [key for key, _ in chunk]))
        start, size = start + size, min(2 * size, 800)
    return None


def _grouped(thread_range: _ThreadRange, column: str, keys: list[int] | None) -> Counter[int]:
    """Threads by key, for all users or reasons or for those with these `keys`."""
    found: Counter[int] = Counter()
    for threads in thread_range.parts(by_index=keys is None and thread_range.threads > _MAX_GROUPED_THREADS):
        chosen = threads.filter(**{f"{column}__isnull": False} if keys is None else {f"{column}__in": keys})
        found.update(dict(chosen.values_list(column).annotate(Count("number"))))
    return found


def _by_status(by_day: Mapping[date, Mapping[int, int]]) -> dict[date, dict[str, int]]:
    """Threads by status for each day, in order; a status with and without a reason counts as one."""
    states = dict(ThreadState.objects.values_list("pk", "status"))
    found: dict[date, dict[str, int]] = {}
    for day in sorted(by_day):
        sums: Counter[str] = Counter()
        for state, threads in by_day[day].items():
            sums[states[state]] += threads
        found[day] = dict(sums)
    return found


def _start(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
