"""What is past its time goes by itself, once a day, and nothing else does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from tests.support.effort import times
from tests.support.erasing import done, states
from tests.support.scripted import Scripted
from tests.support.syncing import spoken, sync
from tests.support.upstream import NOW, use_upstream
from threads.archive.models import ArchivedThread
from threads.audit.models import AuditEvent
from threads.audit.record import SYSTEM
from threads.chatkit import ChatKitError
from threads.emulator import Fault
from threads.erasure import receipt, retention, vacuum
from threads.erasure.clock_check import ClockError
from threads.erasure.management.commands import retention as command
from threads.erasure.models import Erasure
from threads.erasure.runner import ready
from threads.lib.ttl_cache import TTLCache
from threads.sources import upstream

pytestmark = pytest.mark.django_db(transaction=True)

DAYS = 20


@pytest.fixture(autouse=True)
def rule(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.RETENTION_DAYS = DAYS
    settings.RETENTION_STATUS = ["closed", "locked"]
    monkeypatch.setattr(timezone, "now", lambda: datetime.fromtimestamp(NOW, UTC))
    monkeypatch.setattr(command, "notify_workers", lambda: None)
    monkeypatch.setattr(vacuum, "scrub", lambda _alive: {"rewritten": True, "bytes": 0})


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    """The oldest five threads are closed, and so is the newest. Its clock is right."""
    made = Scripted()
    made.clock = lambda: NOW
    ids = list(made.thread_ids(order="asc"))
    for each in ids:
        made.set_status(each, "active")
    for each in (*ids[:5], ids[-1]):
        made.set_status(each, "closed", "done with")
    sync(made)
    client = made.client()
    use_upstream(monkeypatch, client)
    yield made
    client.close()


def daily() -> Erasure | None:
    return retention.order_daily(upstream.client())


def ordered() -> Erasure:
    """What is due, ordered and confirmed."""
    job = daily()
    assert job is not None
    assert retention.confirm(job, "eraser")
    return Erasure.objects.get(pk=job.pk)


def closed(world: Scripted) -> list[str]:
    return list(world.thread_ids(order="asc"))[:5]


def test_what_is_due_goes_in_the_name_of_nobody(world: Scripted) -> None:
    ids = closed(world)
    job = ordered()
    assert job.account == SYSTEM
    job = done(job, world)
    assert states(job) == dict.fromkeys(ids, "erased")
    assert not ArchivedThread.objects.filter(thread_id__in=ids).exists()
    assert len(list(world.thread_ids())) == 40
    assert set(AuditEvent.objects.filter(action="delete").values_list("account", flat=True)) == {SYSTEM}


def test_once_a_day_whoever_asks(world: Scripted) -> None:
    assert daily() is not None
    assert daily() is None
    assert Erasure.objects.count() == 1


def test_what_has_changed_since_is_left_alone(world: Scripted) -> None:
    first, second, third, *rest = closed(world)
    job = ordered()
    world.set_status(first, "active")
    late = {"created_at": int(NOW) - 3600}
    world.set_items(second, [spoken("written yesterday") | late])
    world.delete(third)
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
    job = ordered()
    for name, value in change.items():
        setattr(settings, name, value)
    job = done(job, world)
    assert states(job) == dict.fromkeys(ids, "failed")
    assert job.error.startswith("no longer wanted")
    assert set(ids) <= set(world.thread_ids())


@pytest.mark.parametrize("seconds", [-600, -3, 3, 600])
def test_a_worker_whose_clock_is_not_that_of_who_ordered_goes_on(
    monkeypatch: pytest.MonkeyPatch, settings: Any, seconds: int
) -> None:
    """Each may differ from the API's by five minutes."""
    of = {"statuses": ["closed"], "before": retention.current_rule().before.isoformat()}
    monkeypatch.setattr(timezone, "now", lambda: datetime.fromtimestamp(NOW + seconds, UTC))
    assert retention.still_applies(of)
    settings.RETENTION_DAYS = DAYS + 1
    assert not retention.still_applies(of)


def test_items_that_cannot_be_had_are_no_sign_that_a_thread_is_gone(
    world: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = closed(world)
    handle = Scripted.handle

    def without_items(self: Scripted, method: str, path: str, *rest: Any) -> Any:
        return handle(self, method, path.replace("/items", "-which-nobody-has/items"), *rest)

    job = ordered()
    monkeypatch.setattr(Scripted, "handle", without_items)
    job = done(job, world)
    assert states(job) == dict.fromkeys(ids, "failed")
    assert not [each for method, each, _ in world.told if method == "DELETE"]
    assert ArchivedThread.objects.filter(thread_id__in=ids).count() == 5


def test_a_thread_whose_newest_item_has_no_time_is_left_alone(world: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    first, *rest = closed(world)
    job = ordered()
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
    job = ordered()
    assert set(states(job)) == set(ids[2:])


def test_the_worker_looks_now_and_then_and_not_each_minute(world: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    from threads.erasure import tasks

    monkeypatch.setattr(tasks, "_retention_checked", TTLCache(3600))
    monkeypatch.setattr(connections, "close_all", lambda: None)
    asked: list[str] = []
    monkeypatch.setattr(retention, "order_daily", lambda _client: asked.append("asked"))
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
    assert retention.confirm(job, "eraser")
    assert str(job.pk) in said.getvalue()
    assert states(done(job, world)) == dict.fromkeys(ids, "erased")


TWO_YEARS = timedelta(days=2 * 365)


def ahead(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    """This machine's clock is wrong from now on."""
    monkeypatch.setattr(timezone, "now", lambda: datetime.fromtimestamp(NOW, UTC) + by)


def refused() -> list[Any]:
    return list(AuditEvent.objects.filter(action="erasure", outcome="refused").values_list("detail", flat=True))


@pytest.mark.parametrize("by", [TWO_YEARS, timedelta(minutes=6), timedelta(minutes=-6)], ids=str)
def test_nothing_is_ordered_by_a_clock_that_is_wrong(
    world: Scripted, monkeypatch: pytest.MonkeyPatch, by: timedelta
) -> None:
    ahead(monkeypatch, by)
    with pytest.raises(ClockError, match="ahead of the API's|behind the API's"):
        daily()
    assert not Erasure.objects.exists()
    assert "this machine's clock is" in refused()[0]["reason"]
    with pytest.raises(CommandError, match="Nothing was ordered: this machine's clock is"):
        call_command("retention", "--erase", stdout=StringIO())
    assert not Erasure.objects.exists()
    said = StringIO()
    call_command("retention", stdout=said)
    assert "None would be ordered: this machine's clock is" in said.getvalue()
    assert len(list(world.thread_ids())) == 45
    ahead(monkeypatch, timedelta())  # the audit log's own times are not put forward here
    assert retention.last_refusal() == refused()[-1]["reason"]


@pytest.mark.parametrize("fault", [Fault.NO_DATE, Fault.OLD_DATE, Fault.ERROR_503])
def test_nothing_is_ordered_where_no_reply_says_the_time(world: Scripted, fault: Fault) -> None:
    world.fault = fault
    with pytest.raises((ClockError, ChatKitError)):
        daily()
    assert not Erasure.objects.exists()
    assert (retention.last_refusal() == "") == (fault is Fault.ERROR_503)
    world.fault = None
    assert daily() is not None
    assert retention.last_refusal() == ""


def test_a_clock_that_is_a_little_off_is_right(world: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = closed(world)
    ahead(monkeypatch, timedelta(minutes=4))
    assert states(done(ordered(), world)) == dict.fromkeys(ids, "erased")


def in_order(job: Erasure) -> list[str]:
    return list(job.targets.order_by("id").values_list("state", flat=True))


def deleted(world: Scripted) -> int:
    return sum(method == "DELETE" for method, _, _ in world.told)


@pytest.mark.parametrize("wrong", ["ahead", "old-date", "no-date"])
def test_an_erasure_stops_while_the_clock_is_wrong(
    world: Scripted, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    ids, job = closed(world), ordered()
    handle = Scripted.handle

    def goes_wrong(self: Scripted, method: str, *rest: Any) -> Any:
        reply = handle(self, method, *rest)
        if method == "DELETE" and deleted(world) == 2:
            if wrong == "ahead":
                ahead(monkeypatch, TWO_YEARS)
            else:
                self.fault = Fault(wrong)
        return reply

    monkeypatch.setattr(Scripted, "handle", goes_wrong)
    job = done(job, world)
    assert job.finished_at is None
    assert "clock" in job.held
    assert job.retry_at is not None
    assert in_order(job) == ["erased"] * 2 + ["todo"] * 3
    assert deleted(world) == 2
    job = done(job, world)
    assert deleted(world) == 2
    assert len(refused()) == 1, "the audit log has it once"
    # Not even a copy goes of what the upstream says is gone.
    world.delete(ids[2])
    assert in_order(done(job, world)) == ["erased"] * 2 + ["todo"] * 3
    ahead(monkeypatch, timedelta())
    world.fault = None
    job = done(job, world)
    assert in_order(job) == ["erased", "erased", "gone", "erased", "erased"]
    assert job.held == ""
    assert job.finished_at


def test_an_order_under_a_new_rule_waits_until_it_is_confirmed(world: Scripted, settings: Any) -> None:
    ids = closed(world)
    job = daily()
    assert job is not None
    assert job.needs_confirmation
    job = done(job, world)
    assert (job.finished_at, job.phase, set(states(job).values())) == (None, "confirming", {"todo"})
    assert list(ready()) == [], "no worker looks again and again"
    assert world.told == []
    assert retention.confirm(job, "eraser")
    assert not retention.confirm(job, "eraser"), "once"
    job = done(Erasure.objects.get(pk=job.pk), world)
    assert states(job) == dict.fromkeys(ids, "erased")
    assert (job.confirmed_by, receipt.as_json(job)["confirmed_by"]) == ("eraser", "eraser")


def test_an_order_that_waits_ends_where_the_rule_is_changed(world: Scripted, settings: Any) -> None:
    job = daily()
    assert job is not None
    settings.RETENTION_DAYS = DAYS + 1
    job = done(job, world)
    assert job.finished_at
    assert set(states(job).values()) == {"failed"}
    assert world.told == []


def test_no_second_order_while_one_waits(world: Scripted) -> None:
    first = daily()
    assert first is not None
    again = retention.order(retention.current_rule(), "the next day", upstream.client())
    assert again == first
    said = StringIO()
    call_command("retention", "--erase", stdout=said)
    assert f"Erasure {first.pk} of 5 threads waits, since it is the first by a rule." in said.getvalue()
    assert Erasure.objects.count() == 1


@pytest.mark.slow
@given(
    before=st.none() | st.tuples(st.integers(1, 3), st.sets(st.sampled_from(["closed", "locked"]), min_size=1)),
    days=st.integers(1, 3),
    statuses=st.sets(st.sampled_from(["closed", "locked"]), min_size=1),
    count=st.integers(0, 300),
    of=st.integers(1, 10_000),
)
@settings_of_hypothesis(max_examples=times(100), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_which_orders_have_to_be_confirmed(
    monkeypatch: pytest.MonkeyPatch,
    before: tuple[int, set[str]] | None,
    days: int,
    statuses: set[str],
    count: int,
    of: int,
) -> None:
    Erasure.objects.all().delete()
    if before is not None:
        rule = {"days": before[0], "statuses": sorted(before[1]), "before": "2026-01-01T00:00:00+00:00"}
        Erasure.objects.create(kind="retention", token="last", rule=rule, needs_confirmation=False)
        Erasure.objects.create(kind="retention", token="waits", rule=rule | {"days": days}, needs_confirmation=True)
    monkeypatch.setattr(retention, "current", lambda: SimpleNamespace(count=lambda: of))
    wanted = retention.Rule(days, tuple(statuses), datetime.fromtimestamp(NOW, UTC))
    may_go_on = before == (days, statuses) and count <= 100 and count <= of * 0.05
    assert (retention.confirmation_reason(wanted, count) == "") == may_go_on


@pytest.mark.parametrize("created_at", [0, 1, 1_000_000_000])
def test_a_time_that_cannot_be_true_is_no_age(world: Scripted, created_at: int) -> None:
    first, *rest = closed(world)
    world.set_created_at(first, created_at)
    world.set_items(first, [spoken("hello") | {"created_at": created_at}])
    job = ordered()
    assert states(done(job, world)) == {first: "skipped"} | dict.fromkeys(rest, "erased")


def test_the_command_says_where_there_is_no_rule(settings: Any) -> None:
    settings.RETENTION_DAYS = 0
    with pytest.raises(CommandError, match="RETENTION_DAYS is 0"):
        call_command("retention")
    settings.ARCHIVE = "off"
    with pytest.raises(CommandError, match="ARCHIVE is off"):
        call_command("retention")
