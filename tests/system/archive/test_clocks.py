"""Leases where clocks differ: those of two machines, and that of one before and after somebody set it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now

from tests.support.erasing import done, ordered, recorded, states
from tests.support.scripted import Scripted
from tests.support.working import ROOT, until
from threads.archive.models import Lease
from threads.archive.sync.lease import ArchiveLease, LeaseHeldError
from threads.emulator import EmulatorServer
from threads.erasure import erase_thread, runner
from threads.erasure.models import Erasure
from threads.jobs import lease_holder

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def worker(ahead: int, job: Erasure, base_url: str, role: str, log: Path) -> Iterator[subprocess.Popen[str]]:
    at = connection.settings_dict
    settings = {
        "DJANGO_SETTINGS_MODULE": "dashboard.settings", "PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"],
        "DATA_DIR": str(log.parent), "OPENAI_API_KEY": "sk-test", "SECRET_KEY": "of this test alone",
        "DATABASE_URL": f"postgres://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{at['NAME']}",
        "ERASE_REWRITE_MB": "0",
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.system.archive.skewed", str(ahead), str(job.pk), base_url, role]
    with log.open("w") as errors:
        process = subprocess.Popen(
            command, cwd=ROOT, env=settings, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
        )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def begin(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("begin\n")
    process.stdin.flush()


@pytest.mark.database("postgresql")  # SQLite is for one machine, which has one clock
@pytest.mark.parametrize("ahead", [-90, 90])
def test_two_processes_whose_clocks_differ_take_nothing_from_each_other(tmp_path: Path, ahead: int) -> None:
    world = Scripted(10)
    world.latency_ms = 100
    job = ordered(list(world.thread_ids())[:6])
    with ExitStack() as stack:
        url = stack.enter_context(EmulatorServer(world)).base_url
        first = stack.enter_context(worker(ahead, job, url, "first", tmp_path / "first"))
        second = stack.enter_context(worker(0, job, url, "second", tmp_path / "second"))
        assert (line(first), line(second)) == ("ready", "ready"), (tmp_path / "first").read_text()
        begin(first)
        until(lambda: world.told)
        begin(second)
        assert (line(first), line(second)) == ("held", "held")
    assert "taken over" not in (tmp_path / "first").read_text() + (tmp_path / "second").read_text()
    assert [method for method, _, _ in world.told] == ["DELETE"] * 6
    assert set(states(job).values()) == {"erased"}


def stopped(monkeypatch: pytest.MonkeyPatch, seconds: float, meanwhile: Callable[[], object]) -> None:
    """The process stands still between the record of the intent and the call."""
    passed, record = lease_holder.monotonic, erase_thread._record
    off = [0.0]
    monkeypatch.setattr(lease_holder, "monotonic", lambda: passed() + off[0])

    def recording(*about: object, **more: object) -> None:
        record(*about, **more)  # type: ignore[arg-type]
        if not off[0]:
            off[0] = seconds
            meanwhile()

    monkeypatch.setattr(erase_thread, "_record", recording)


def test_who_stood_still_and_lost_the_job_deletes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    world = Scripted(10)
    job = ordered(list(world.thread_ids())[:1])
    (thread,) = states(job)
    stopped(monkeypatch, 100, lambda: Erasure.objects.update(holder="elsewhere 1 1700000000 x"))
    client = world.client()
    runner.work(job, client, Event())
    client.close()
    assert world.told == []
    assert states(job) == {thread: "asked"}
    Erasure.objects.update(until=Now())
    done(job, world)
    assert [method for method, _, _ in world.told] == ["GET", "DELETE"]
    assert recorded(job, thread) == ["intent", "intent", "done"]


def test_who_stood_still_and_holds_the_job_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    world = Scripted(10)
    job = ordered(list(world.thread_ids())[:1])
    kept = Erasure.objects.filter(pk=job.pk).values_list("until", flat=True)
    before: list[Any] = []
    stopped(monkeypatch, 100, lambda: before.extend(kept.all()))
    traced = erase_thread._traced
    monkeypatch.setattr(erase_thread, "_traced", lambda call: before.extend(kept.all()) or traced(call))  # type: ignore[func-returns-value]
    time.sleep(0.01)
    done(job, world)
    assert set(states(job).values()) == {"erased"}
    assert before[1] > before[0], "the lease was renewed before the call"


@pytest.mark.database("sqlite")  # PostgreSQL's clock is not this machine's
@pytest.mark.parametrize("step", [-3600, -90, 90, 3600])
def test_setting_the_clock_of_the_one_machine_takes_no_lease_away(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Half a minute after its last renewal, and after its end."""
    booted = lease_holder._boot_time
    job = ordered(list(Scripted(10).thread_ids())[:1])
    monkeypatch.setattr(lease_holder, "_boot_time", lambda: booted() - step)
    ArchiveLease("sync")
    assert Erasure.objects.get(pk=job.pk).claim()
    monkeypatch.undo()
    for model in (Lease, Erasure):
        model.objects.update(until=Now() + timedelta(seconds=30 - step))
    with pytest.raises(LeaseHeldError):
        ArchiveLease("sync")
    assert not Erasure.objects.get(pk=job.pk).claim()
    for model in (Lease, Erasure):
        model.objects.update(until=Now() - timedelta(seconds=max(0, step)))
    ArchiveLease("sync")
    assert Erasure.objects.get(pk=job.pk).claim()
