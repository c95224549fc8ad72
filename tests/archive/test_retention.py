"""What is past its time goes by itself, once a day, and nothing else does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.utils import timezone

from dashboard.remember import Remembered
from tests.archive.erasing import done, states
from tests.archive.scripted import Scripted
from tests.archive.test_sync import spoken, sync
from tests.conftest import NOW
from threads.archive.models import ArchivedThread
from threads.audit.models import AuditEvent
from threads.audit.record import SYSTEM
from threads.erasure import retention, scrub
from threads.erasure.management.commands import retention as command
from threads.erasure.models import Erasure

pytestmark = pytest.mark.django_db(transaction=True)

DAYS = 20


@pytest.fixture(autouse=True)
def rule(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.RETENTION_DAYS = DAYS
    settings.RETENTION_STATUS = ["closed", "locked"]
    monkeypatch.setattr(timezone, "now", lambda: datetime.fromtimestamp(NOW, UTC))
    monkeypatch.setattr(command, "start", lambda: None)
    monkeypatch.setattr(scrub, "scrub", lambda _alive: {"rewritten": True, "bytes": 0})


@pytest.fixture
def world() -> Scripted:
    """The oldest five threads are closed, and so is the newest."""
    made = Scripted()
    ids = list(made.thread_ids(order="asc"))
    for each in ids:
        made.set_status(each, "active")
    for each in (*ids[:5], ids[-1]):
        made.set_status(each, "closed", "done with")
    sync(made)
    return made


def closed(world: Scripted) -> list[str]:
    return list(world.thread_ids(order="asc"))[:5]


def test_what_is_due_goes_in_the_name_of_nobody(world: Scripted) -> None:
    ids = closed(world)
    job = retention.daily()
    assert job is not None
    assert job.who == SYSTEM
    job = done(job, world)
    assert states(job) == dict.fromkeys(ids, "erased")
    assert not ArchivedThread.objects.filter(thread_id__in=ids).exists()
    assert len(list(world.thread_ids())) == 40
    assert set(AuditEvent.objects.filter(action="delete").values_list("who", flat=True)) == {SYSTEM}


def test_once_a_day_whoever_asks(world: Scripted) -> None:
    assert retention.daily() is not None
    assert retention.daily() is None
    assert Erasure.objects.count() == 1


def test_what_has_changed_since_is_left_alone(world: Scripted) -> None:
    first, second, third, *rest = closed(world)
    job = retention.daily()
    world.set_status(first, "active")
    late = {"created_at": int(NOW) - 3600}
    world.set_items(second, [spoken("written yesterday") | late])
    world.delete(third)
    assert job is not None
    job = done(job, world)
    assert states(job) == {first: "skipped", second: "skipped", third: "gone"} | dict.fromkeys(rest, "erased")
    assert {first, second} <= set(world.thread_ids())
    assert ArchivedThread.objects.filter(thread_id__in=[first, second]).count() == 2
    assert not [each for method, each, _ in world.told if method == "DELETE" and each in {first, second}]


@pytest.mark.parametrize(
    "change", [{"RETENTION_DAYS": 0}, {"RETENTION_DAYS": DAYS + 1}, {"RETENTION_STATUS": ["locked"]}]
)
def test_what_was_ordered_ends_where_the_rule_is_switched_off_or_narrowed(
    world: Scripted, settings: Any, change: dict[str, Any]
) -> None:
    ids = closed(world)
    job = retention.daily()
    assert job is not None
    for name, value in change.items():
        setattr(settings, name, value)
    job = done(job, world)
    assert states(job) == dict.fromkeys(ids, "failed")
    assert job.trouble.startswith("no longer wanted")
    assert set(ids) <= set(world.thread_ids())


def test_items_that_cannot_be_had_are_no_sign_that_a_thread_is_gone(
    world: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = closed(world)
    handle = Scripted.handle

    def without_items(self: Scripted, method: str, path: str, *rest: Any) -> Any:
        return handle(self, method, path.replace("/items", "-which-nobody-has/items"), *rest)

    job = retention.daily()
    assert job is not None
    monkeypatch.setattr(Scripted, "handle", without_items)
    job = done(job, world)
    assert states(job) == dict.fromkeys(ids, "failed")
    assert not [each for method, each, _ in world.told if method == "DELETE"]
    assert ArchivedThread.objects.filter(thread_id__in=ids).count() == 5


def test_a_thread_whose_newest_item_has_no_time_is_left_alone(world: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    first, *rest = closed(world)
    job = retention.daily()
    assert job is not None
    handle = Scripted.handle

    def timeless(self: Scripted, method: str, path: str, *more: Any) -> Any:
        reply = handle(self, method, path, *more)
        if path.endswith(f"{first}/items"):
            body = json.loads(reply.body)
            for each in body["data"]:
                each["created_at"] = None
            reply.body = json.dumps(body).encode()
        return reply

    monkeypatch.setattr(Scripted, "handle", timeless)
    assert states(done(job, world)) == {first: "skipped"} | dict.fromkeys(rest, "erased")


def test_a_thread_that_somebody_still_writes_in_is_not_due(world: Scripted) -> None:
    ids = closed(world)
    ArchivedThread.objects.filter(thread_id=ids[0]).update(last_activity_at=timezone.now() - timedelta(days=DAYS - 1))
    ArchivedThread.objects.filter(thread_id=ids[1]).update(read_at=None)
    job = retention.daily()
    assert job is not None
    assert set(states(job)) == set(ids[2:])


def test_the_worker_looks_now_and_then_and_not_each_minute(world: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    from threads.erasure import tasks

    monkeypatch.setattr(tasks, "_looked", Remembered(3600))
    monkeypatch.setattr(connections, "close_all", lambda: None)
    asked: list[str] = []
    monkeypatch.setattr(retention, "daily", lambda: asked.append("asked"))
    tasks.take_up()
    tasks.take_up()
    assert asked == ["asked"]


def test_the_command_is_a_dry_run_unless_told_otherwise(world: Scripted) -> None:
    ids = closed(world)
    said = StringIO()
    for way in ([], ["--dry-run"]):
        call_command("retention", *way, stdout=said)
    assert not Erasure.objects.exists()
    assert "5 threads, closed or locked, silent since before" in said.getvalue()
    assert all(each in said.getvalue() for each in ids)
    call_command("retention", "--erase", stdout=said)
    job = Erasure.objects.get()
    assert str(job.pk) in said.getvalue()
    assert states(done(job, world)) == dict.fromkeys(ids, "erased")


def test_the_command_says_where_there_is_no_rule(settings: Any) -> None:
    settings.RETENTION_DAYS = 0
    with pytest.raises(CommandError, match="RETENTION_DAYS is 0"):
        call_command("retention")
    settings.ARCHIVE = "off"
    with pytest.raises(CommandError, match="ARCHIVE is off"):
        call_command("retention")
