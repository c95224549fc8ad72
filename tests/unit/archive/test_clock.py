"""The hours of a clock that is changed: what the reports count is what the list behind its mark has."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest

from threads.archive import statistics as numbers
from threads.archive.search.source import ArchiveSource
from threads.archive.store import write
from threads.archive.utc_offsets import local_hour_periods, quarter_of, quarter_start
from threads.chatkit.decode import thread as read_thread
from threads.sources.query import ThreadQuery

FIRST, LAST = datetime(2023, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
"""Years in which there may be threads, and in which zones are changed as they will be for a while."""

DAY, HOUR, QUARTER = timedelta(days=1), timedelta(hours=1), timedelta(minutes=15)


def changes() -> list[tuple[str, datetime]]:
    """One of each kind of change that any zone has: from what offset, to what, at what time of the day."""
    found: dict[tuple[object, ...], tuple[str, datetime]] = {}
    days = [FIRST + DAY * number for number in range((LAST - FIRST).days)]
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        if zone.utcoffset(FIRST) == zone.utcoffset(FIRST + 182 * DAY) == zone.utcoffset(LAST):
            continue
        offsets = [day.astimezone(zone).utcoffset() for day in days]
        for (day, before), (_, after) in pairwise(zip(days, offsets, strict=True)):
            if before != after:
                quarters = (day + QUARTER * number for number in range(1, 97))
                at = next(each for each in quarters if each.astimezone(zone).utcoffset() != before)
                found.setdefault((before, after, (at + (before or DAY)).time()), (name, at))
    return list(found.values())


CHANGES = changes()


def shown(moment: datetime, zone: ZoneInfo) -> datetime:
    """The hour that a clock shows."""
    return moment.astimezone(zone).replace(minute=0, second=0, tzinfo=None, fold=0)


def test_there_are_clocks_that_are_changed_by_less_than_an_hour_and_at_a_quarter() -> None:
    assert len(CHANGES) > 30
    local = {(at.astimezone(ZoneInfo(name)).utcoffset() or DAY) % HOUR for name, at in CHANGES}
    assert {timedelta(), timedelta(minutes=30), timedelta(minutes=45)} <= local


@pytest.mark.parametrize(("name", "at"), CHANGES, ids=[f"{name}-{at:%Y-%m-%d}" for name, at in CHANGES])
def test_an_hour_of_a_clock_is_each_moment_at_which_it_is_shown(name: str, at: datetime) -> None:
    zone = ZoneInfo(name)
    expected: defaultdict[datetime, set[datetime]] = defaultdict(set)
    for number in range(-4 * 40, 4 * 40):
        expected[shown(at + QUARTER * number, zone)].add(at + QUARTER * number)
    middle = shown(at, zone)
    for hour in (middle + HOUR * number for number in range(-26, 26)):
        found = local_hour_periods(hour, zone)
        assert all(end <= begin for (_, end), (begin, _) in pairwise(found))
        quarters = {quarter_start(each) for begin, end in found for each in range(quarter_of(begin), quarter_of(end))}
        assert quarters == expected[hour], hour


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("Pacific/Chatham", datetime(2025, 4, 5, 14, tzinfo=UTC)),
        ("Pacific/Chatham", datetime(2025, 9, 27, 14, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2025, 4, 5, 15, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2025, 10, 4, 15, 30, tzinfo=UTC)),
        ("America/New_York", datetime(2025, 11, 2, 6, tzinfo=UTC)),
        ("America/Santiago", datetime(2025, 4, 6, 3, tzinfo=UTC)),
        ("Africa/Cairo", datetime(2025, 10, 30, 21, tzinfo=UTC)),
    ],
)
def test_each_mark_of_the_reports_leads_to_as_many_threads(name: str, at: datetime) -> None:
    zone = ZoneInfo(name)
    moments = [at + timedelta(minutes=30 * number + 1) for number in range(-60, 60)]
    sent = [{"id": f"cthr_{each:%d%H%M}", "created_at": int(each.timestamp())} for each in moments]
    write.store_threads([read_thread(each) for each in sent], at + 60 * DAY)
    begin, end = (at - 2 * DAY).astimezone(zone).date(), (at + 2 * DAY).astimezone(zone).date()
    found = numbers.period_statistics(begin, end, zone, numbers.archive_totals(zone))
    marks = {f"{day}-{hour:02}": number for day, hours in enumerate(found.hours) for hour, number in enumerate(hours)}
    assert sum(marks.values()) == len(moments)
    expected = Counter(f"{local.weekday()}-{local:%H}" for local in (each.astimezone(zone) for each in moments))
    assert {hour: number for hour, number in marks.items() if number} == expected
    changed = {f"{local.weekday()}-{local:%H}" for local in ((at + HOUR * n).astimezone(zone) for n in range(-4, 4))}
    for hour in sorted(changed):
        for order in ("asc", "desc"):
            asked = ThreadQuery(hour=hour, begin=begin, end=end, limit=100, order=order)
            rows = ArchiveSource(zone).list_threads(asked).rows
            times = [each.created_at for each in rows if each.created_at]
            assert len(times) == marks[hour], (hour, order)
            assert times == sorted(times, reverse=order == "desc")
    for day, by_status in found.by_day.items():
        rows = ArchiveSource(zone).list_threads(ThreadQuery(begin=day, end=day, limit=100)).rows
        assert len(rows) == sum(by_status.values()), day
