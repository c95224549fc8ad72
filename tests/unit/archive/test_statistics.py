"""The numbers of the reports are what a look at every thread would count."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.effort import times
from threads.archive import statistics as numbers
from threads.archive.models import ArchivedThread
from threads.archive.statistics import PeriodStatistics, Ranked
from threads.archive.store import write
from threads.archive.utc_offsets import offset_periods
from threads.chatkit import Status, Thread

pytestmark = pytest.mark.django_db

ZONES = [
    "UTC", "Asia/Kolkata", "Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe", "America/Santiago",
    "Pacific/Auckland", "America/Havana",
]  # fmt: skip

FIRST = datetime(2026, 3, 1, tzinfo=UTC)
"""A week before the clocks of New York are set forward, a month before those of Lord Howe are set back."""

DAYS = 60


def threads(count: int, *, untimed: int = 0, disordered: bool = False, users: int = 30) -> list[Thread]:
    """Threads over `DAYS` days, of few users and with few reasons, some much more often than others."""
    rng = random.Random(11)
    moments = sorted(FIRST + timedelta(seconds=rng.randrange(DAYS * 86400)) for _ in range(count))
    times: list[datetime | None] = [*moments]
    for place in rng.sample(range(count), untimed):
        times[place] = None
    if disordered:
        for _ in range(count // 5):
            one, other = rng.randrange(count), rng.randrange(count)
            times[one], times[other] = times[other], times[one]
    return [
        Thread(
            id=f"cthr_{number}",
            user=None if rng.random() < 0.1 else f"user_{int(users * rng.random() ** 2)}",
            title="A title",
            status=rng.choice(
                [
                    None,
                    Status("active", None),
                    Status("locked", None),
                    Status("locked", f"reason {int(14 * rng.random() ** 2)}"),
                    Status("closed", "solved"),
                    Status("snoozed", "later"),
                ]
            ),
            created_at=moment,
            raw={"number": number},
        )
        for number, moment in enumerate(times)
    ]


def filled(rows: Sequence[Thread]) -> list[Thread]:
    for start in range(0, len(rows), 100):
        write.store_threads(rows[start : start + 100], datetime(2026, 6, 1, tzinfo=UTC))
    return list(rows)


def naive(rows: Sequence[Thread], begin: date, end: date, zone: ZoneInfo) -> PeriodStatistics:
    """Every thread, looked at one by one."""
    by_day: dict[date, Counter[str]] = {}
    hours = [[0] * 24 for _ in range(7)]
    reasons, users = Counter[str](), Counter[str]()
    for row in rows:
        local = row.created_at.astimezone(zone) if row.created_at else None
        if local is None or not begin <= local.date() <= end:
            continue
        by_day.setdefault(local.date(), Counter())[row.status.label if row.status else ""] += 1
        hours[local.weekday()][local.hour] += 1
        if row.user is not None:
            users[row.user] += 1
        if row.status and row.status.reason:
            reasons[row.status.reason] += 1
    # Of equals, those that were first seen in the archive are first.
    return PeriodStatistics(
        begin,
        end,
        {day: dict(by_day[day]) for day in sorted(by_day)},
        tuple(map(tuple, hours)),
        _best(reasons),
        _best(users),
    )


def _best(counted: Counter[str]) -> tuple[Ranked, ...]:
    return tuple(Ranked(name, count) for name, count in counted.most_common(10))


def counts(ranks: Sequence[Ranked]) -> list[int]:
    return [each.threads for each in ranks]


def check(rows: Sequence[Thread], begin: date, end: date, name: str) -> None:
    zone = ZoneInfo(name)
    expected = naive(rows, begin, end, zone)
    found = numbers.period_statistics(begin, end, zone, numbers.archive_totals(zone))
    assert found.by_day == expected.by_day
    assert list(found.by_day) == sorted(found.by_day)
    assert found.hours == expected.hours
    assert found.threads == sum(map(sum, expected.hours))
    for made, meant, column in ((found.reasons, expected.reasons, "reason"), (found.users, expected.users, "user")):
        assert counts(made) == counts(meant), column
        least = made[-1].threads if made else 0
        # Among equals in the last place, either may be shown; above it, all are the same.
        assert {each for each in made if each.threads > least} == {each for each in meant if each.threads > least}


ranges = st.tuples(st.integers(-5, DAYS + 5), st.integers(0, DAYS + 5)).map(
    lambda drawn: (FIRST.date() + timedelta(days=drawn[0]), FIRST.date() + timedelta(days=sum(drawn)))
)

WAYS = ["grouped", "through", "whole index"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["in order", "disordered", "untimed"])
def test_the_numbers_are_those_of_a_look_at_each_thread(monkeypatch: pytest.MonkeyPatch, way: str, kind: str) -> None:
    monkeypatch.setattr(numbers, "_MAX_GROUPED_THREADS", 10**9 if way == "grouped" else -1)
    monkeypatch.setattr(numbers, "_MAX_COUNTED_CANDIDATES", 0 if way == "whole index" else 10**9)
    monkeypatch.setattr(numbers, "_CHUNK", 3)
    rows = filled(threads(700, untimed=20 if kind == "untimed" else 0, disordered=kind == "disordered"))

    @settings(max_examples=times(40), suppress_health_check=list(HealthCheck))
    @given(ranges, st.sampled_from(ZONES))
    def holds(days: tuple[date, date], zone: str) -> None:
        check(rows, *days, zone)

    holds()


@pytest.mark.parametrize("zone", ZONES)
def test_the_whole_archive_and_the_ends_of_the_calendar(zone: str) -> None:
    rows = filled(threads(300))
    check(rows, date.min, date.max, zone)
    check(rows, date.max, date.max, zone)
    check(rows, date.min, date.min, zone)


@pytest.mark.parametrize("zone", ZONES)
def test_offset_periods_are_those_of_the_clock(zone: str) -> None:
    where = ZoneInfo(zone)
    since, until = FIRST - timedelta(days=200, hours=7), FIRST + timedelta(days=400, minutes=45)
    found = list(offset_periods(since, until, where))
    assert found[0][0] * 900 == since.timestamp()
    assert found[-1][1] * 900 == until.timestamp()
    for before, after in itertools.pairwise(found):
        assert before[1] == after[0]
        assert before[2] != after[2]
    for low, high, offset in found:
        for quarter in (low, (low + high) // 2, high - 1):
            assert datetime.fromtimestamp(quarter * 900, UTC).astimezone(where).utcoffset() == offset


def test_the_candidates_are_not_gone_through_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has fewer threads in all than the last of the best has in these days is not even looked at."""
    monkeypatch.setattr(numbers, "_MAX_GROUPED_THREADS", -1)
    monkeypatch.setattr(numbers, "_CHUNK", 10)
    rows = [
        Thread(
            id=f"cthr_{number}",
            user=f"busy_{number % 20}" if number % 2 else f"user_{number}",
            created_at=FIRST + timedelta(hours=number),
            raw={},
        )
        for number in range(400)
    ]
    filled(rows)
    with CaptureQueriesContext(connection) as asked:
        check(rows, FIRST.date(), FIRST.date() + timedelta(days=9), "UTC")
    candidates = [each for each in asked if "archive_archiveduser" in each["sql"] and "LIMIT" in each["sql"]]
    assert len(candidates) <= 2


def test_the_standing() -> None:
    zone = ZoneInfo("Asia/Kolkata")
    assert numbers.archive_totals(zone) == numbers.ArchiveTotals(0, 0, None, None, None, None)
    rows = filled(threads(50, untimed=3))
    days = [row.created_at.astimezone(zone).date() for row in rows if row.created_at]
    standing = numbers.archive_totals(zone)
    assert (standing.threads, standing.untimed) == (50, 3)
    assert (standing.first, standing.last) == (min(days), max(days))


def test_what_was_forgotten_is_counted_no_more() -> None:
    rows = filled(threads(60))
    for thread in ArchivedThread.objects.filter(number__gt=20):
        write.delete_thread(thread)
    kept = set(ArchivedThread.objects.values_list("thread_id", flat=True))
    check([row for row in rows if row.id in kept], FIRST.date(), FIRST.date() + timedelta(days=DAYS), "UTC")
