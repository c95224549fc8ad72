"""Faults that last, and clocks that jump: hours of them, in seconds, by a clock that the test moves."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

import threads.archive
from dashboard.accounts import session_store
from dashboard.accounts.models import DeskSession
from tests.support.erasing import ordered
from tests.support.mirror import archive, asking, upstream
from tests.support.reader import Get
from tests.support.seen import Seen
from tests.support.syncing import is_complete, sync
from tests.support.upstream import use_upstream
from threads.archive import thread_info
from threads.archive.completeness import completeness
from threads.archive.models import ArchivedThread, Lease, SyncRun
from threads.archive.sync.lease import ArchiveLease, LeaseHeldError
from threads.archive.sync.sync import Sync
from threads.chatkit import Garbled
from threads.emulator import Emulator, Fault
from threads.erasure.models import Erasure
from threads.jobs import queue
from threads.jobs.lease import LeaseLostError
from threads.lib import times
from threads.service import circuit_breaker

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

ELSEWHERE = "elsewhere 1 1700000000 x"


class Clock:
    """Both of a machine's clocks. `jump` moves the one that tells the time of day alone, as somebody who sets it."""

    def __init__(self) -> None:
        self._passed = self._off = 0.0
        self._now, self._monotonic = timezone.now, time.monotonic

    def now(self) -> datetime:
        return self._now() + timedelta(seconds=self._passed + self._off)

    def monotonic(self) -> float:
        return self._monotonic() + self._passed

    def wait(self, seconds: float) -> None:
        self._passed += seconds

    def jump(self, seconds: float) -> None:
        self._off += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(timezone, "now", made.now)
    monkeypatch.setattr(time, "monotonic", made.monotonic)
    return made


def test_an_upstream_that_is_down_for_an_hour(get: Get, emulator: Emulator, clock: Clock, seen: Seen) -> None:
    sync(emulator)
    live = get("/threads/?limit=5").thread_ids
    emulator.fault = Fault.ERROR_503
    emulator.calls.clear()
    began, since, pages = clock.monotonic(), clock.now(), 0
    for pause in [5.0] * 24 + [60.0] * 58:
        page = get("/threads/?limit=5")
        pages += 1
        assert page.thread_ids == live
        clock.wait(pause)
    lasted = clock.monotonic() - began
    banner = page.said(page.one("div", id="outage"))
    assert "OpenAI can't be reached" in banner
    assert times.exact(since, UTC) in banner
    probes = len(emulator.calls) / 2  # each is repeated once
    assert probes <= lasted / circuit_breaker.OPEN_SECONDS + 1
    emulator.fault = None
    clock.wait(circuit_breaker.OPEN_SECONDS)
    page = get("/threads/?limit=5")
    assert not page.all("div", id="outage")
    assert page.thread_ids == live
    seen(f"{pages} pages in {lasted / 60:.0f} minutes from the archive, {probes:.0f} probes, then live again")


def test_a_sync_that_is_told_to_wait(emulator: Emulator, seen: Seen) -> None:
    emulator.fault = Fault.RATE_LIMIT_ONCE
    client = asking(emulator)
    done = Sync(client, pauses=())
    done.run()
    client.close()
    assert done.tally.refusals <= 1
    assert archive() == upstream(emulator)
    assert is_complete()
    seen("waited as asked, then complete")


def test_a_sync_that_is_refused_for_a_day_gives_no_page_up(emulator: Emulator, seen: Seen) -> None:
    sync(emulator, with_items=False)
    emulator.fault = Fault.RATE_LIMIT_86400
    client = asking(emulator)
    run = Sync(client, pauses=())
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        emulator.fault = None

    run._context._rate_limiter._sleep = wait
    run.run()
    client.close()
    assert 86_000 < max(waits) <= 86_400
    assert run.tally.refusals >= 1
    assert is_complete()
    seen(f"asked no more for {max(waits):,.0f} s, then went on to the end")


@pytest.mark.parametrize("fault", [Fault.LOOP, Fault.EMPTY_HAS_MORE, Fault.BAD_ROWS], ids=lambda fault: fault.value)
def test_a_sync_of_a_list_that_leads_nowhere(emulator: Emulator, fault: Fault, seen: Seen) -> None:
    emulator.fault = fault
    try:
        sync(emulator)
        ended = "to its end"
    except Garbled as error:
        ended = f"with “{error.detail}”"
    assert not is_complete()
    emulator.fault = None
    sync(emulator, everything=True)
    kept = {thread for thread in archive() if thread in set(emulator.thread_ids())}
    assert kept == set(emulator.thread_ids())
    seen(f"ended {ended}, never called complete; afterwards every thread is there")


@pytest.mark.parametrize("seconds", [-48 * 3600, -90, 90, 48 * 3600])
def test_a_clock_that_is_set_while_a_worker_holds_the_lease(clock: Clock, seconds: int, seen: Seen) -> None:
    first = ArchiveLease("sync")
    # On another machine: that it lives cannot be seen from here.
    first.holder = ELSEWHERE
    Lease.objects.update(holder=ELSEWHERE)
    clock.jump(seconds)
    with pytest.raises(LeaseHeldError):
        ArchiveLease("sync")
    first.renew()
    Lease.objects.update(until=Now())
    second = ArchiveLease("sync")
    with pytest.raises(LeaseLostError):
        first.renew()
    second.renew()
    seen("the lease stays with its holder: its time is the database's")


@pytest.mark.parametrize("seconds", [-48 * 3600, -90, 90, 48 * 3600])
def test_a_clock_that_is_set_while_a_worker_is_at_a_job(
    emulator: Emulator, clock: Clock, seconds: int, seen: Seen
) -> None:
    job = ordered([next(emulator.thread_ids())])
    first, second = Erasure.objects.get(pk=job.pk), Erasure.objects.get(pk=job.pk)
    assert first.claim()
    first.holder = ELSEWHERE
    Erasure.objects.update(holder=ELSEWHERE)
    clock.jump(seconds)
    assert not second.claim()
    first.renew(done=1)
    Erasure.objects.update(until=Now())
    assert second.claim()
    with pytest.raises(LeaseLostError):
        first.renew(done=1)
    seen("the same")


@pytest.fixture
def tasks(settings: Any, tmp_path: Path) -> Iterator[Any]:
    """The worker's tasks, loaded anew onto a queue of this test's, and forgotten afterwards."""

    def forget() -> None:
        sys.modules.pop("threads.archive.tasks", None)
        vars(threads.archive).pop("tasks", None)
        queue.huey.cache_clear()

    settings.DATA_DIR = tmp_path
    forget()
    yield importlib.import_module("threads.archive.tasks")
    forget()


def test_a_clock_that_is_put_back_stops_no_round(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, tasks: Any, seen: Seen
) -> None:
    rounds: list[bool] = []
    monkeypatch.setattr(tasks, "_run", lambda *, everything: rounds.append(everything))
    monkeypatch.setattr("django.db.connections.close_all", lambda: None)
    SyncRun.objects.create(
        pk=1,
        started_at=clock.now(),
        updated_at=clock.now(),
        finished_at=clock.now(),
        phase="ended",
        phase_at=clock.now(),
    )
    clock.jump(24 * 3600)
    tasks._keep_up()
    assert not rounds, "once in a round is enough, by the database's clock"
    SyncRun.objects.update(finished_at=clock.now())
    tasks._keep_up()
    assert rounds == [False]
    seen("the next round begins at its time")


def test_a_clock_that_is_set_ends_sessions_in_one_direction(
    agent: Client, emulator: Emulator, clock: Clock, seen: Seen
) -> None:
    assert agent.get("/threads/").status_code == 200
    clock.jump(-48 * 3600)
    session_store._sessions.clear()
    assert agent.get("/threads/").status_code == 200
    clock.jump(48 * 3600 + 13 * 3600)
    session_store._sessions.clear()
    assert agent.get("/threads/").status_code == 302
    assert DeskSession.objects.exists()
    seen("put back: signed in still; put forward by 13 hours: signed out")


def test_rows_of_the_future(agent: Client, get: Get, seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = Emulator(threads=45, seed=7, now=timezone.now().timestamp() + 400 * 86_400)
    client = asking(ahead)
    use_upstream(monkeypatch, client)
    sync(ahead)
    thread_info.clear_cache()
    assert len(get("/threads/").thread_ids) == 20
    assert get("/reports/").one("h1") is not None
    assert "Complete" in get("/sync/").said()
    assert ArchivedThread.objects.count() == 45
    assert completeness().as_of is not None
    client.close()
    seen("listed, copied and counted as they are")
