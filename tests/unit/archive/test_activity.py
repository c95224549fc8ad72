"""Lists by last activity, and of the threads with recent activity: what a look at every thread would give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.support.effort import times
from tests.support.syncing import spoken, sync
from tests.support.upstream import NOW
from threads.archive import user_ids
from threads.archive.models import ArchivedThread
from threads.archive.search import activity, source, users
from threads.archive.search.source import ArchiveSource
from threads.chatkit import NotFound
from threads.emulator import Emulator
from threads.lib.times import day_start
from threads.service.customers import customer_totals
from threads.sources.query import WITHIN_DAYS, ThreadQuery, Within

pytestmark = pytest.mark.django_db

ZONES = ["UTC", "Asia/Kathmandu", "Pacific/Chatham", "America/St_Johns", "Australia/Lord_Howe", "America/New_York"]
THE_TIME = datetime.fromtimestamp(NOW, UTC)


class Rows(list[ArchivedThread]):
    """Short to look at where a test fails."""

    def __repr__(self) -> str:
        return f"{len(self)} rows"


@pytest.fixture
def filled(monkeypatch: pytest.MonkeyPatch) -> Rows:
    """Sixty threads, some with the same last activity, some without any; their numbers are in another order."""
    world = Emulator(threads=60, seed=7, now=NOW)
    for number, each in enumerate(world.thread_ids()):
        world.set_items(each, [spoken("nothing to see")])
        world.set_title(each, f"Title {'lamp' if number % 4 else 'desk'}")
        if number % 3 == 0:
            world.set_status(each, "locked", "fraud check" if number % 2 else None)
    sync(world)
    for number, kept in enumerate(ArchivedThread.objects.order_by("number")):
        hours = (number * 37) % 50 * 9
        at = None if number % 9 == 4 else THE_TIME - timedelta(hours=hours, microseconds=number % 2)
        ArchivedThread.objects.filter(pk=kept.pk).update(last_activity_at=at)
    monkeypatch.setattr(timezone, "now", lambda: THE_TIME)
    return Rows(ArchivedThread.objects.order_by("number"))


def naive(rows: Rows, query: ThreadQuery, zone: str) -> list[str]:
    """Every thread, looked at one by one, in the order of the list."""
    since = None
    if query.within:
        days = WITHIN_DAYS[query.within] - 1
        since = THE_TIME.astimezone(ZoneInfo(zone)).date() - timedelta(days=days)

    def fits(row: ArchivedThread) -> bool:
        created = cast(datetime, row.created_at).astimezone(ZoneInfo(zone))
        at = row.last_activity_at
        return all(
            [
                query.user is None
                or (
                    row.user == query.user
                    if query.match == "exact"
                    else user_ids.folded_user_id(query.user) in user_ids.folded_user_id(row.user or "")
                ),
                query.status is None or row.status == query.status,
                query.has_reason is None or bool(row.reason) == query.has_reason,
                query.reason is None or row.reason == query.reason,
                query.begin is None or created.date() >= query.begin,
                query.end is None or created.date() <= query.end,
                query.hour is None or query.hour == f"{created.weekday()}-{created.hour:02}",
                query.q is None or query.q in cast(str, row.title),
                since is None or (at is not None and at.astimezone(ZoneInfo(zone)).date() >= since),
            ]
        )

    found = [row for row in rows if fits(row)]
    if query.sort == "latest":
        down = query.order == "desc"
        silent = [row for row in found if row.last_activity_at is None]
        found = sorted(
            (row for row in found if row.last_activity_at is not None),
            key=lambda row: (cast(datetime, row.last_activity_at), row.number),
            reverse=down,
        )
        return [row.thread_id for row in found + silent[:: -1 if down else 1]]
    return [row.thread_id for row in found[:: -1 if query.order == "desc" else 1]]


@dataclass(frozen=True)
class Page:
    ids: list[str]
    before: int | None


def walk(query: ThreadQuery, zone: str, onward: str) -> Iterator[Page]:
    archive = ArchiveSource(ZoneInfo(zone))
    while True:
        window = archive.list_threads(query)
        yield Page([row.id or "" for row in window.rows], archive.count_before(query, window))
        if onward == "next" and window.has_next:
            query = query.beyond(after=window.last_id)
        elif onward == "previous" and window.has_previous:
            query = query.beyond(before=window.first_id)
        else:
            return


days = st.integers(-3, 400).map(lambda back: THE_TIME.date() - timedelta(days=back))
queries = st.builds(
    ThreadQuery,
    status=st.sampled_from([None, None, None, "locked", "active", "unheard of"]),
    has_reason=st.sampled_from([None, None, None, True, False]),
    reason=st.sampled_from([None, None, None, None, "fraud check", "none such"]),
    q=st.sampled_from([None, None, None, "lamp"]),
    hour=st.sampled_from([None, None, None, "0-09", "4-14"]),
    begin=st.none() | days,
    end=st.none() | days,
    within=st.sampled_from([None, None, "today", "7d", "30d"]),
    order=st.sampled_from(["asc", "desc"]),
    sort=st.sampled_from([None, "latest", "latest", "latest"]),
    limit=st.sampled_from([1, 3, 20, 100]),
)


@pytest.mark.slow
@settings(max_examples=times(300), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    queries,
    st.sampled_from(ZONES),
    st.integers(0, 6),
    st.sampled_from(["exact", "part"]),
    st.sampled_from([users.FEW, 3]),
    st.sampled_from([users.MAX_LOOKUPS, 1]),
)
def test_every_list_by_activity_is_what_a_look_at_each_thread_finds_and_pages_there_and_back(
    filled: Rows, query: ThreadQuery, zone: str, whose: int, match: str, few: int, lookups: int
) -> None:
    if whose < 3:
        user = filled[whose].user or ""
        query = replace(
            query, user=user if match == "exact" else user[:5], match="part" if match == "part" else "exact"
        )
    expected = naive(filled, query, zone)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(users, "FEW", few)
        patch.setattr(users, "MAX_LOOKUPS", lookups)
        forward = list(walk(query, zone, "next"))
        assert [each for page in forward for each in page.ids] == expected
        for page in forward:
            assert not page.ids or page.before == expected.index(page.ids[0])
        assert ArchiveSource(ZoneInfo(zone)).count(query) == (len(expected), False)
        if expected:
            back = list(walk(query.beyond(before=expected[-1]), zone, "previous"))
            assert [each for page in back[::-1] for each in page.ids] == expected[:-1]
            for page in back:
                assert not page.ids or page.before == expected.index(page.ids[0])


@pytest.mark.slow
@settings(max_examples=times(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(queries, st.sampled_from(ZONES), st.integers(0, 8))
def test_counts_are_of_the_list_without_its_status(filled: Rows, query: ThreadQuery, zone: str, whose: int) -> None:
    if whose < 3:
        query = replace(query, user=filled[whose].user)
    counts = ArchiveSource(ZoneInfo(zone)).counts(query)
    assume(counts is not None)
    assert counts is not None
    for status in ("locked", "active"):
        assert counts.get(status, 0) == len(naive(filled, replace(query, status=status), zone))


def test_a_view_of_today_is_counted_by_status(filled: Rows) -> None:
    found = ArchiveSource().counts(ThreadQuery(within="7d", sort="latest"))
    assert found is not None
    assert sum(found.values()) == len(naive(filled, ThreadQuery(within="7d"), "UTC")) > 0


def test_what_would_take_long_to_count_is_not_counted(filled: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = ArchiveSource()
    monkeypatch.setattr(source, "MOST_COUNTED", 5)
    assert archive.counts(ThreadQuery(within="30d")) is None
    assert archive.count(ThreadQuery(within="30d")) == (5, True)
    late = ThreadQuery(sort="latest", limit=7)
    second = late.beyond(after=archive.list_threads(late).last_id)
    assert archive.count_before(second, archive.list_threads(second)) is None


def test_a_page_stays_where_it_is_while_customers_write(filled: Rows) -> None:
    """The cursor is the place that a thread had, not the one it has by now."""
    archive, query = ArchiveSource(), ThreadQuery(sort="latest", limit=5)
    expected = naive(filled, query, "UTC")
    first = archive.list_threads(query)
    moved = first.rows[-1].id
    ArchivedThread.objects.filter(thread_id=moved).update(last_activity_at=THE_TIME + timedelta(minutes=1))
    second = archive.list_threads(query.beyond(after=first.last_id))
    assert [row.id for row in second.rows] == expected[5:10]
    back = archive.list_threads(query.beyond(before=second.first_id))
    assert [row.id for row in back.rows] == [moved, *expected[:4]], "it is the first now"
    ArchivedThread.objects.filter(thread_id=expected[4]).delete()
    again = archive.list_threads(query.beyond(after=first.last_id))
    assert [row.id for row in again.rows] == expected[5:10], "nor while they are erased"


@pytest.mark.parametrize("cursor", ["no such thread", "never.", "1.x", f"{'9' * 18}.1", "-.1"])
def test_a_place_that_nobody_made_is_not_found(filled: Rows, cursor: str) -> None:
    for query in (ThreadQuery(sort="latest", after=cursor), ThreadQuery(sort="latest", before=cursor)):
        with pytest.raises(NotFound):
            ArchiveSource().list_threads(query)


@given(st.none() | st.datetimes(timezones=st.just(UTC)), st.integers(0, 10**18 - 1))
def test_a_place_survives_its_address(at: datetime | None, number: int) -> None:
    place = activity.Place(at, number)
    assert activity.read_place(str(place)) == place


def test_of_many_matches_the_newest_are_sorted_and_that_is_said(filled: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MOST_SORTED", 5)
    query = ThreadQuery(q="lamp", sort="latest", limit=3)
    newest = set(naive(filled, ThreadQuery(q="lamp"), "UTC")[:5])
    pages = list(walk(query, "UTC", "next"))
    assert [each for page in pages for each in page.ids] == [
        each for each in naive(filled, query, "UTC") if each in newest
    ]
    window = ArchiveSource().list_threads(query)
    assert window.gaps
    assert set(window.gaps) <= set(window.notes)
    assert ArchiveSource().count(query) == (5, True)


ODD = [
    "Asia/Kathmandu", "Pacific/Chatham", "Australia/Lord_Howe", "America/St_Johns", "Africa/Cairo", "America/Havana",
    "Asia/Beirut", "America/Sao_Paulo", "Pacific/Apia", "Pacific/Kiritimati", "Etc/GMT+12", "Asia/Kolkata", "UTC",
]  # fmt: skip


@given(
    st.datetimes(datetime(2012, 1, 2), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  # `timezones`
    st.sampled_from(ODD),
    st.sampled_from(list(WITHIN_DAYS)),
)
def test_relative_days_begin_at_a_midnight_of_the_reader(now: datetime, name: str, within: Within) -> None:
    zone, days = ZoneInfo(name), WITHIN_DAYS[within]
    begin = day_start(days, now, zone)
    today, first = now.astimezone(zone).date(), begin.astimezone(zone).date()
    assert first == today - timedelta(days=days - 1)
    assert (begin - timedelta(microseconds=1)).astimezone(zone).date() < first
    assert begin <= now


@pytest.mark.parametrize("name", ODD)
def test_a_view_of_today_changes_at_midnight(filled: Rows, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    zone = ZoneInfo(name)
    midnight = datetime(2026, 9, 21, tzinfo=zone).astimezone(UTC)
    view = ThreadQuery(within="today", sort="latest", limit=100)
    last, first = filled[0].thread_id, filled[1].thread_id
    ArchivedThread.objects.update(last_activity_at=midnight - timedelta(days=60))
    ArchivedThread.objects.filter(thread_id=last).update(last_activity_at=midnight - timedelta(microseconds=1))

    def shown(at: datetime, view: ThreadQuery) -> list[str | None]:
        monkeypatch.setattr(timezone, "now", lambda: at)
        return [row.id for row in ArchiveSource(zone).list_threads(view).rows]

    for each in (view, replace(view, sort=None)):
        assert shown(midnight - timedelta(microseconds=1), each) == [last]
        assert shown(midnight, each) == []
    ArchivedThread.objects.filter(thread_id=first).update(last_activity_at=midnight)
    assert shown(midnight, view) == [first]
    assert shown(midnight, replace(view, within="7d")) == [first, last]
    week = midnight + timedelta(days=6, hours=1)
    assert shown(week, replace(view, within="7d")) == [first]


def test_users_are_suggested_with_their_locked_threads(filled: Rows) -> None:
    (busiest, *_) = users.suggest((filled[0].user or "")[:4])
    theirs = [row for row in filled if row.user == busiest.user_id]
    assert (busiest.threads, busiest.locked) == (len(theirs), sum(row.status == "locked" for row in theirs))


def test_the_totals_of_a_customer(filled: Rows) -> None:
    name = filled[0].user or ""
    found = customer_totals(name)
    theirs = [row for row in filled if row.user == name]
    assert found is not None
    assert found.threads == len(theirs)
    assert found.by_status.get("locked", 0) == sum(row.status == "locked" for row in theirs)
    assert found.first_seen_at == min(cast(datetime, row.created_at) for row in theirs)
    assert found.last_active_at == max((row.last_activity_at for row in theirs if row.last_activity_at), default=None)
    assert customer_totals("nobody") is None
