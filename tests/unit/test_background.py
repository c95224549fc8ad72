"""Tasks: their names in the queue, their schedule, and how they are told to stop."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from threading import Event

import pytest

from threads.jobs import schedule, stopping

NAMES = {
    "threads.archive.tasks.index_stale",
    "threads.archive.tasks.keep_up",
    "threads.archive.tasks.sync_now",
    "threads.archive.tasks.take_up_sync",
    "threads.erasure.tasks.erase",
    "threads.erasure.tasks.take_up_erasures",
    "threads.exports.tasks.export_now",
    "threads.exports.tasks.look_after_exports",
}
"""A task that the last release has queued has to run in this one."""

_REGISTERED = """
import django
django.setup()
from threads.archive import tasks
from threads.erasure import tasks as erasure
from threads.exports import tasks as exports
print(*tasks.huey._registry._registry)
"""


@pytest.fixture
def requested(monkeypatch: pytest.MonkeyPatch) -> Iterator[Event]:
    event = Event()
    monkeypatch.setattr(stopping, "requested", event)
    yield event
    assert stopping._callbacks == []


def test_tasks_keep_their_names_in_the_queue(tmp_path: object) -> None:
    environment = {"DJANGO_SETTINGS_MODULE": "tests.settings", "DATA_DIR": str(tmp_path), "PYTHONPATH": "."}
    done = subprocess.run(
        [sys.executable, "-c", _REGISTERED], env=environment, check=True, capture_output=True, text=True
    )
    assert set(done.stdout.split()) == NAMES


def test_each_periodic_task_is_in_the_schedule() -> None:
    assert set(schedule.MINUTES) == {"keep_up", "take_up_sync", "index_stale", "look_after_exports", "take_up_erasures"}


@pytest.mark.parametrize("minutes", [1, 5, 60, 1440])
def test_a_task_is_due_once_in_its_minutes(minutes: int) -> None:
    midnight = datetime(2026, 11, 25)  # noqa: DTZ001  # huey's times have no zone, and are UTC
    due = [number for number in range(1440) if schedule.is_due(midnight + timedelta(minutes=number), minutes)]
    assert due == list(range(0, 1440, minutes))


def test_what_runs_is_told_to_stop(requested: Event) -> None:
    told: list[str] = []
    with stopping.on_stop(lambda: told.append("before")):
        pass
    with stopping.on_stop(lambda: told.append("within")):
        assert told == []
        stopping.stop()
        assert told == ["within"]
    assert requested.is_set()


def test_what_begins_after_that_is_told_at_once(requested: Event) -> None:
    told: list[str] = []
    stopping.stop()
    with stopping.on_stop(lambda: told.append("at once")):
        assert told == ["at once"]
    assert requested.is_set()
