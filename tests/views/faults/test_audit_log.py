"""An audit log that can't be written: reading goes on, and nothing that destroys or exports is done."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import OperationalError, connection, transaction
from django.test import Client
from django.utils import timezone

from tests.support.accounts import account
from tests.support.reader import Get
from tests.support.seen import Seen
from tests.support.working import until
from threads.audit import retries
from threads.audit.models import AuditEvent
from threads.audit.record import Action, NotRecordedError, Outcome, record, record_or_raise
from threads.emulator import Emulator

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def full(agent: Client) -> Iterator[None]:
    """The database takes no more rows into the audit log, from when somebody is signed in."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE audit_auditevent ADD CONSTRAINT no_room CHECK (false) NOT VALID")
        else:
            cursor.execute(
                "CREATE TRIGGER audit_full BEFORE INSERT ON audit_auditevent "
                "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
            )
    yield
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE audit_auditevent DROP CONSTRAINT no_room")
        else:
            cursor.execute("DROP TRIGGER audit_full")


@pytest.mark.usefixtures("full")
def test_reading_goes_on(get: Get, emulator: Emulator, caplog: pytest.LogCaptureFixture, seen: Seen) -> None:
    thread, before = next(emulator.thread_ids()), AuditEvent.objects.count()
    assert get("/threads/?user=anybody").one("h1") is not None
    assert get(f"/threads/{thread}/").one("h1") is not None
    assert AuditEvent.objects.count() == before
    assert "The audit log could not be written" in caplog.text
    seen("200, and the log says that it is not in the audit log")


@pytest.mark.usefixtures("full")
def test_what_must_be_recorded_is_refused(seen: Seen) -> None:
    with pytest.raises(NotRecordedError):
        record_or_raise(Action.DELETE, Outcome.INTENT, thread_id="cthr_1")
    seen("NotRecordedError before anything is done")


@pytest.mark.usefixtures("full")
def test_nothing_is_downloaded(agent: Client, emulator: Emulator, seen: Seen) -> None:
    thread = next(emulator.thread_ids())
    for kind in ("md", "json"):
        response = agent.post(f"/threads/{thread}/", {"format": kind})
        assert response.status_code == 503, kind
        assert "attachment" not in response.get("Content-Disposition", "")
    assert not [path for _, path, _ in emulator.calls if path.endswith("/items")]
    seen("503, and the upstream was not even asked")


def test_no_role_is_given(emulator: Emulator, request: pytest.FixtureRequest, seen: Seen) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(account("root", "Administrator", is_staff=True))
    other = account("ada", "Viewer")
    form = {"username": "ada", "is_active": "on", "groups": [each.pk for each in Group.objects.all()]}
    request.getfixturevalue("full")
    response = client.post(f"/admin/auth/user/{other.pk}/change/", form)
    assert response.status_code == 503
    assert b"This can&#39;t be recorded" in response.content
    assert [each.name for each in other.groups.all()] == ["Viewer"]
    seen("503: what is not in the audit log is not done")


def test_what_is_locked_for_a_moment_is_recorded_after_all(
    get: Get, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, seen: Seen
) -> None:
    create, refused = AuditEvent.objects.create, [3]

    def locked(**row: Any) -> AuditEvent:
        if refused[0]:
            refused[0] -= 1
            raise OperationalError("database is locked")
        return create(**row)

    monkeypatch.setattr(AuditEvent.objects, "create", locked)
    monkeypatch.setattr(retries, "PAUSES", (0.01, 0.01, 0.01, 0.01))
    began = timezone.now()
    assert get("/threads/?user=anybody").one("h1") is not None
    assert get("/threads/?user=somebody").one("h1") is not None
    ended = timezone.now()
    until(lambda: not retries._running, 10)
    first, second = AuditEvent.objects.filter(action="search").order_by("at")
    assert (first.user_id, second.user_id) == ("anybody", "somebody")
    assert began < first.at < second.at < ended, "when it happened, not when it was written"
    assert first.account == "agent"
    assert "tried again" in caplog.text
    assert "given up" not in caplog.text
    seen("in the audit log, with the time at which it happened")


@pytest.mark.database("postgresql")  # SQLite's connection is a file, which nobody drops
def test_a_connection_that_was_dropped_is_not_used_again(
    get: Get, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, seen: Seen
) -> None:
    create, sleep, dropped = AuditEvent.objects.create, time.sleep, [False]
    held: list[bool] = []

    def drop(**row: Any) -> AuditEvent:
        if threading.current_thread().name != "audit":
            raise OperationalError("no server")
        if not dropped[0]:
            dropped[0] = True
            with connection.cursor() as cursor, suppress(OperationalError):
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return create(**row)

    def pause(seconds: float) -> None:
        if threading.current_thread().name == "audit":
            held.append(connection.connection is not None)
        sleep(seconds)

    monkeypatch.setattr(AuditEvent.objects, "create", drop)
    monkeypatch.setattr("threads.audit.retries.time.sleep", pause)
    monkeypatch.setattr(retries, "PAUSES", (0.01, 0.01, 0.01, 0.01))
    get("/threads/?user=anybody")
    until(lambda: not retries._running, 10)
    assert AuditEvent.objects.filter(action="search").count() == 1
    assert "given up" not in caplog.text
    assert held == [False, False], "while it waits, others may have its connection"
    seen("in the audit log, by another connection")


def test_what_stays_locked_is_given_up_and_said(
    get: Get, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, seen: Seen
) -> None:
    def locked(**_row: Any) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(retries, "PAUSES", (0.01, 0.01))
    monkeypatch.setattr(AuditEvent.objects, "create", locked)
    get("/threads/?user=anybody")
    until(lambda: "the event is given up: search done" in caplog.text, 10)
    assert "anybody" not in caplog.text
    monkeypatch.setattr(retries, "MAX_EVENTS", 0)
    get("/threads/?user=anybody")
    assert "The audit log could not be written: search done" in caplog.text
    seen("the log says that it is given up")


def test_what_belongs_to_a_transaction_is_not_tried_again_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be undone, and what it was about with it."""

    def locked(**_row: Any) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(AuditEvent.objects, "create", locked)
    with transaction.atomic():
        record(Action.ARCHIVE)
    assert not retries._rows
