"""What the archive comes to over some days: how many threads, in which status, at which hours, of whom and why.

Nothing here goes through the threads one by one: sums are made in the database from what was counted as it was written.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from heapq import nlargest

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet, Sum, Value
from django.db.models.functions import StrIndex

from .clock_changes import PER_DAY, moment, quarter, stretches
from .models import ArchivedThread, Day, Person, Progress, Reason, State, Tally
from .store.counters import DAY, QUARTER

MOST_GROUPED = 50_000
"""Threads that are read and grouped for a ranking; more are counted through the index of the ranked."""

MOST_COUNTED = 1_500
"""Candidates that are counted one by one; where more would be, the whole index is read once instead."""

FEW = 1_000
"""Threads whose users are all looked for in a text; for more of them, all users are."""

_CHUNK = 50
_A_DAY = timedelta(days=1)
_PER_HOUR, _HOURS_OF_A_WEEK = 3600 // QUARTER, 7 * 24


@dataclass(frozen=True, slots=True)
class Ranked:
    """A user or a reason, how many threads it has, and its key."""

    name: str
    threads: int
    key: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Standing:
    """How large the archive is and how fresh. `untimed` threads have no time and are on no day; `first` and `last` are
    the days that threads began on, None where no thread has a time."""

    threads: int
    untimed: int
    first: date | None
    last: date | None
    reached_end_at: datetime | None
    swept_at: datetime | None


@dataclass(frozen=True, slots=True)
class Overview:
    """What began from the day `begin` to the day `end`. `by_day` has the days that have threads, each with its threads
    by status; `hours` has the seven days of the week, Monday first, with 24 hours each; a ranking has its ten best."""

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


def standing(zone: tzinfo) -> Standing:
    """As the reader in `zone` dates it."""
    timed = Tally.objects.filter(threads__gt=0)
    # The two ends of an index are asked for one by one: asked for together, SQLite goes from end to end.
    first = timed.order_by("quarter").values_list("quarter", flat=True).first()
    last = timed.order_by("-quarter").values_list("quarter", flat=True).first()
    threads = State.objects.aggregate(sum=Sum("threads"))["sum"] or 0
    untimed = threads - (Tally.objects.aggregate(sum=Sum("threads"))["sum"] or 0)
    progress = Progress.objects.filter(pk=1).first()
    return Standing(
        threads=threads,
        untimed=untimed,
        first=None if first is None else moment(first).astimezone(zone).date(),
        last=None if last is None else moment(last).astimezone(zone).date(),
        reached_end_at=progress.reached_end_at if progress else None,
        swept_at=progress.swept_at if progress else None,
    )


def overview(begin: date, end: date, zone: tzinfo, now: Standing) -> Overview:
    """The days from `begin` to `end`, both included, as they are in `zone`."""
    if now.first is None or now.last is None or end < now.first or begin > now.last:
        return Overview(begin, end, {}, ((0,) * 24,) * 7, (), ())
    # Days beyond the archive have no threads; and those at the ends of the calendar cannot be reckoned with.
    since = _start(max(begin, now.first), zone)
    until = _start(min(end, now.last) + _A_DAY, zone)
    by_day: defaultdict[date, Counter[int]] = defaultdict(Counter)
    hours = [0] * _HOURS_OF_A_WEEK
    for low, high, offset in stretches(since, until, zone):
        tallies = Tally.objects.filter(quarter__gte=low, quarter__lt=high, threads__gt=0).order_by()
        local = (moment(low) + offset).date()
        monday = local - timedelta(days=local.weekday())
        base = quarter(datetime.combine(local, time(), UTC) - offset)
        days = tallies.values_list((F("quarter") - base) / PER_DAY, "state").annotate(Sum("threads"))
        for day, state, threads in days:
            by_day[local + day * _A_DAY][state] += threads
        base = quarter(datetime.combine(monday, time(), UTC) - offset)
        hour = ((F("quarter") - base) / _PER_HOUR) % _HOURS_OF_A_WEEK
        for place, threads in tallies.values_list(hour).annotate(Sum("threads")):
            hours[place] += threads
    threads = sum(sum(each.values()) for each in by_day.values())
    everything = begin <= now.first and end >= now.last and now.untimed == 0
    among = None if everything else _Among.of(since, until, threads, untimed=now.untimed > 0)
    return Overview(
        begin=begin,
        end=end,
        by_day=_by_status(by_day),
        hours=tuple(tuple(hours[24 * day : 24 * day + 24]) for day in range(7)),
        reasons=_ranked(Reason.objects.all(), "text", "cause", among),
        users=_ranked(Person.objects.all(), "name", "person", among),
    )


def users_in(reason: Ranked) -> list[str]:
    """The users of threads of a reason whose ids stand in it."""
    theirs = ArchivedThread.objects.filter(cause=reason.key)
    standing_in = Person.objects.annotate(place=StrIndex(Value(reason.name), F("name"))).filter(place__gt=0)
    if Reason.objects.filter(pk=reason.key, threads__gt=FEW).exists():
        # So many are asked for one by one, where their ids stand in it.
        standing_in = standing_in.filter(Exists(theirs.filter(person=OuterRef("pk"))))
    else:
        standing_in = standing_in.filter(pk__in=theirs.values("person"))
    return list(standing_in.values_list("name", flat=True))


@dataclass(frozen=True, slots=True)
class _Among:
    """The threads that a ranking is of: those that began from `since` up to but not `until`. They have numbers from
    `low` to `high`; every thread from `sure_low` to `sure_high` is one of them, so that its time need not be read."""

    since: datetime
    until: datetime
    threads: int
    low: int
    high: int
    sure_low: int
    sure_high: int

    @classmethod
    def of(cls, since: datetime, until: datetime, threads: int, *, untimed: bool) -> _Among:
        first, last = int(since.timestamp() // DAY), int((until.timestamp() - 1) // DAY)
        ends = Day.objects.filter(day__gte=first, day__lte=last).aggregate(low=Min("first"), high=Max("last"))
        low, high = ends["low"] or 0, ends["high"] or -1
        # The days at the ends may begin or end elsewhere than the reader's.
        before = Day.objects.filter(day__lte=first).aggregate(last=Max("last"))["last"]
        after = Day.objects.filter(day__gte=last).aggregate(first=Min("first"))["first"]
        sure_low = low if before is None else max(low, before + 1)
        sure_high = high if after is None else min(high, after - 1)
        if untimed or sure_high < sure_low:
            sure_low, sure_high = high + 1, high
        return cls(since, until, threads, low, high, sure_low, sure_high)

    def parts(self, *, by_index: bool) -> Iterator[QuerySet[ArchivedThread]]:
        """Threads that together are all that are meant, each once. `by_index` is for more than are worth reading."""
        all_threads = ArchivedThread.objects.order_by()
        if self.sure_low <= self.sure_high and by_index:
            # A sum keeps SQLite from the threads themselves: the index of the ranked has all that is needed.
            numbered = all_threads.annotate(place=F("number") + 0)
            yield numbered.filter(place__gte=self.sure_low, place__lte=self.sure_high)
        elif self.sure_low <= self.sure_high:
            yield all_threads.filter(number__gte=self.sure_low, number__lte=self.sure_high)
        edges = Q(number__gte=self.low, number__lt=self.sure_low) | Q(number__gt=self.sure_high, number__lte=self.high)
        yield all_threads.filter(edges, created_at__gte=self.since, created_at__lt=self.until)


def _ranked(
    everyone: QuerySet[Person] | QuerySet[Reason], name: str, column: str, among: _Among | None, most: int = 10
) -> tuple[Ranked, ...]:
    """The `most` that have the most threads among some; those of equal number in the order that they were first seen.

    The candidates are gone through by how many threads each has in all. As soon as the next one has no more in all than
    the last of the best has among these, no other can come in."""
    candidates = everyone.filter(threads__gt=0).order_by("-threads", "pk")
    if among is None:
        return tuple(Ranked(*each) for each in candidates.values_list(name, "threads", "pk")[:most])
    counted: Counter[int] | None = Counter()
    if among.threads <= MOST_GROUPED:
        counted = _grouped(among, column, None)
    else:
        counted = _through(candidates, column, among, most)
        counted = _grouped(among, column, None) if counted is None else counted
    best = nlargest(most, ((threads, -key) for key, threads in counted.items() if threads))
    names = dict(everyone.filter(pk__in=[-key for _, key in best]).values_list("pk", name))
    return tuple(Ranked(names[-key], threads, -key) for threads, key in best)


def _through(
    candidates: QuerySet[Person] | QuerySet[Reason], column: str, among: _Among, most: int
) -> Counter[int] | None:
    """The counts of as many candidates as it takes to know the best; None where that would be too many."""
    counted: Counter[int] = Counter()
    start, size = 0, _CHUNK
    while start < MOST_COUNTED:
        chunk = list(candidates.values_list("pk", "threads")[start : start + size])
        best = nlargest(most, counted.values())
        # Of equals the one that was seen first is shown: so the next must be less, not only no more.
        if not chunk or (len(best) == most and chunk[0][1] < best[-1]):
            return counted
        counted.update(_grouped(among, column, [key for key, _ in chunk]))
        start, size = start + size, min(2 * size, 800)
    return None


def _grouped(among: _Among, column: str, keys: list[int] | None) -> Counter[int]:
    """How many threads each has among these: of all, or of those with these `keys`."""
    found: Counter[int] = Counter()
    for threads in among.parts(by_index=keys is None and among.threads > MOST_GROUPED):
        chosen = threads.filter(**{f"{column}__isnull": False} if keys is None else {f"{column}__in": keys})
        found.update(dict(chosen.values_list(column).annotate(Count("number"))))
    return found


def _by_status(by_day: Mapping[date, Mapping[int, int]]) -> dict[date, dict[str, int]]:
    """In order. A status with a reason and without one are one here."""
    states = dict(State.objects.values_list("pk", "status"))
    found: dict[date, dict[str, int]] = {}
    for day in sorted(by_day):
        sums: Counter[str] = Counter()
        for state, threads in by_day[day].items():
            sums[states[state]] += threads
        found[day] = dict(sums)
    return found


def _start(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
