"""How long a sync still takes: told from how it gets on at present, and before that from what it may ask."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from tests.support.clock import Clock, put_forward
from tests.support.mirror import asking as client_of
from tests.support.syncing import sync
from threads.archive.management.commands.archive import _Bars, _lines
from threads.archive.models import ArchivedThread, Lease, SyncRun
from threads.archive.report import archive_report
from threads.archive.sync import context, status, throughput
from threads.archive.sync.context import SyncContext
from threads.archive.sync.sync import Sync
from threads.archive.sync.throughput import Throughput
from threads.emulator import Emulator

BEGAN = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@given(st.floats(0.01, 2000), st.floats(0.2, 2000), st.floats(1, 15), st.integers(1, 200))
def test_a_rate_that_changed_is_told_as_it_is_soon(before: float, after: float, step: float, spent: int) -> None:
    """However long the other one was, the rates being in threads a second."""
    made, at, done = Throughput(BEGAN, 0), 0.0, 0.0
    for rate, ticks in ((before, spent), (after, int(75 / step) + 2)):
        for _ in range(ticks):
            at, done = at + step, done + rate * step
            since, number = made.window(BEGAN + timedelta(seconds=at), int(done))
    told = number / (BEGAN + timedelta(seconds=at) - since).total_seconds()
    assert told == pytest.approx(after, rel=0.15, abs=1 / 30)


@given(st.lists(st.tuples(st.integers(1, 900), st.integers(0, 50)), min_size=1, max_size=60))
def test_it_looks_back_no_longer_than_it_says(steps: list[tuple[int, int]]) -> None:
    made, at, done, counts = Throughput(BEGAN, 0), BEGAN, 0, {BEGAN: 0}
    for seconds, number in steps:
        at, done = at + timedelta(seconds=seconds), done + number
        since, told = made.window(at, done)
        counts[at] = done
        assert told == done - counts[since]
        following = next(each for each in counts if each > since)
        assert following == at or at - following < throughput.MAX_WINDOW


@pytest.fixture
def clock() -> Iterator[Clock]:
    with put_forward() as made:
        yield made


@pytest.fixture
def reading(clock: Clock) -> SyncContext:
    """A run that reads."""
    made = SyncContext(cast(Any, None), side_by_side=1, per_minute=None, pauses=(), watch=lambda _tally: None)
    made.begin(everything=False, answers=False)
    made.set_phase("read")
    return made


def goes_on(reading: SyncContext, clock: Clock, threads: int, seconds: int, times: int) -> status.RunningSync:
    for _ in range(times):
        clock.forward(timedelta(seconds=seconds))
        reading.tally.threads_read += threads
        reading._saved_at = 0.0
        with reading.leased_transaction():
            pass
    found = status.running_sync()
    assert found is not None
    return found


@pytest.mark.django_db(transaction=True)
def test_the_time_left_follows_an_upstream_that_gets_slower(
    reading: SyncContext, clock: Clock, emulator: Emulator
) -> None:
    """An hour at five threads a second, then one in two seconds: with 45 before it that is 90 seconds, not 10."""
    ids = list(emulator.thread_ids())
    ArchivedThread.objects.bulk_create(
        ArchivedThread(number=n, thread_id=each, raw="{}", checked_at=timezone.now()) for n, each in enumerate(ids, 1)
    )
    assert goes_on(reading, clock, threads=150, seconds=30, times=120).seconds_left == pytest.approx(9, rel=0.05)
    assert goes_on(reading, clock, threads=5, seconds=10, times=8).seconds_left == pytest.approx(90, rel=0.05)
    stalled = goes_on(reading, clock, threads=0, seconds=15, times=42)
    assert (stalled.rate, stalled.seconds_left) == (0, None)
    reading.end()


@pytest.mark.django_db(transaction=True)
def test_a_run_that_waits_goes_on_telling(reading: SyncContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "LEASE_RENEWAL_SECONDS", 0.02)
    monkeypatch.setattr(context, "_PROGRESS_SECONDS", 0.0)
    before = SyncRun.objects.get().updated_at
    reading.wait_for(lambda: time.sleep(0.2))
    assert SyncRun.objects.get().updated_at > before
    reading.end()


@pytest.fixture
def unread(emulator: Emulator, settings: Any) -> None:
    """Thirty of 45 conversations are not read, at ten requests a minute; no sync is under way."""
    sync(emulator)
    settings.ARCHIVE_REQUESTS_PER_MINUTE = 10
    first = ArchivedThread.objects.order_by("number")[15].number
    ArchivedThread.objects.filter(number__gte=first).update(read_at=None, due_at=None)


def reported() -> str:
    return "\n".join(_lines(archive_report()))


@pytest.mark.django_db(transaction=True)
def test_the_report_has_the_time_that_the_next_sync_takes(unread: None) -> None:
    assert "Conversations to be asked: 30, about 3 minutes at 10 requests a minute" in reported()
    # One that failed is not tried before its time.
    ArchivedThread.objects.filter(read_at=None).update(
        sync_error="it fails", due_at=timezone.now() + timedelta(hours=1)
    )
    assert "Conversations to be asked" not in reported()


@pytest.mark.django_db(transaction=True)
def test_a_run_that_asks_for_everything_has_all_before_it(unread: None) -> None:
    now = timezone.now()
    walks = {
        "finished_at": None,
        "phase": "walk",
        "phase_at": now,
        "updated_at": now,
        "started_at": now,
        "everything": True,
    }
    SyncRun.objects.update(**walks)
    Lease.objects.update(holder=SyncRun.objects.get().holder, until=now + timedelta(minutes=1))
    assert "A sync is under way. Reading the list of threads." in reported()
    assert "Conversations to be asked after that: 45, about 5 minutes at 10 requests a minute" in reported()


@pytest.mark.django_db(transaction=True)
def test_the_terminal_has_it_while_the_list_is_walked(emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    with _Bars(10) as bars:
        Sync(client_of(emulator), pauses=(), watch=bars.show).run()
    shown = capsys.readouterr().err
    assert "then=45 conversations, about 5 minutes" in shown
    assert "Conversations: 100%" in shown
    assert "45/45" in shown
