"""/readyz: whether the desk can be given work, told in time whatever hangs, and from what is known already."""

from __future__ import annotations

import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connection, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dashboard.monitoring import health, pending_migrations, upstream_status
from tests.support.upstream import NOW, use_upstream
from threads.archive.models import Progress, StoredOutage, SyncRun
from threads.chatkit import ApiConfig, ChatKitClient, ChatKitError, Exchange, NotFound, Unavailable
from threads.emulator import Emulator, EmulatorAdapter, Fault
from threads.jobs import queue
from threads.sources import upstream

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def afresh(settings: Any, tmp_path: Path) -> None:
    """The queue is this test's own."""
    settings.DATA_DIR = tmp_path


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as server:
        taken: list[socket.socket] = []

        def take() -> None:
            while True:
                try:
                    taken.append(server.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        for each in taken:
            each.close()


def asked(status: int = 200, **headers: str) -> list[str]:
    response = Client().get("/readyz", headers=headers)
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "text/plain"
    assert not response.cookies
    return response.content.decode().splitlines()


def heard_of(error: ChatKitError | None) -> None:
    upstream_status.monitor(Exchange("list", 0.1, 0, error))


def test_by_any_name_without_a_sign_in() -> None:
    assert asked(Host="10.0.0.7:8000") == ["ready", "database: ok", "queue: ok", "upstream: not asked yet"]


def test_over_plain_http_where_all_else_is_sent_to_https(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert asked()[0] == "ready"


def test_an_upstream_that_fails_makes_nothing_unready() -> None:
    heard_of(Unavailable("at api.example, the connection broke"))
    assert asked() == ["ready, degraded", "database: ok", "queue: ok", "upstream: failed 0 s ago (Unavailable)"]


def test_who_is_told_that_there_is_no_such_thread_was_answered() -> None:
    heard_of(NotFound("no"))
    assert asked()[3] == "upstream: answered 0 s ago"


def test_the_last_answer_is_that_of_the_pages_and_the_upstream_is_not_asked(
    agent: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator = Emulator(threads=5, seed=7, now=NOW)
    client = ChatKitClient(ApiConfig("sk-test"), adapter=EmulatorAdapter(emulator), observer=upstream.notify_observers)
    use_upstream(monkeypatch, client)
    agent.get("/threads/")
    calls = len(emulator.calls)
    assert asked()[3].startswith("upstream: answered")
    emulator.fault = Fault.GONE_410
    agent.get("/threads/")
    assert asked()[3].endswith("(Retired)")
    assert len(emulator.calls) == calls + 1
    client.close()


@pytest.mark.parametrize(
    ("ago", "first"), [(10, "ready, degraded"), (-10, "ready")], ids=["the newest word counts", "not an older one"]
)
def test_what_others_have_heard_counts_too(ago: int, first: str) -> None:
    now = timezone.now()
    upstream_status.monitor.last_seen = upstream_status.UpstreamStatus(now)
    StoredOutage.objects.create(pk=1, since=now + timedelta(seconds=ago))
    assert asked()[0] == first


def test_so_does_what_the_worker_has_heard() -> None:
    now = timezone.now()
    run = {"started_at": now, "updated_at": now, "phase_at": now, "phase": "ended", "finished_at": now}
    SyncRun.objects.create(pk=1, holder="here 1", **run)
    assert asked()[3].startswith("upstream: answered")
    Progress.objects.create(pk=1, started_at=now, failed_at=now, failure="user_1 was here")
    health.database_probe.forget()
    assert asked()[3] == "upstream: failed 0 s ago (SyncFailed)"


def test_a_database_that_fails_makes_it_unready_and_its_words_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(using: str) -> list[upstream_status.UpstreamStatus]:
        raise DatabaseError("could not connect to db.internal as desk")

    monkeypatch.setattr(upstream_status, "stored_statuses", failing)
    assert asked(503)[:2] == ["not ready", "database: can't be used (DatabaseError)"]


@pytest.fixture
def behind() -> Iterator[MigrationRecorder]:
    """A database that lacks the newest migration of this code."""
    recorder, newest = MigrationRecorder(connection), MigrationLoader(None).graph.leaf_nodes("threads")[0]
    recorder.record_unapplied(*newest)
    yield recorder
    if newest not in recorder.applied_migrations():
        recorder.record_applied(*newest)


WAITING = ["not ready", "database: migrations are waiting: run manage.py migrate", "queue: ok"]


def test_code_that_is_ahead_of_the_database_makes_it_unready(behind: MigrationRecorder) -> None:
    assert asked(503)[:3] == WAITING
    behind.record_applied(*MigrationLoader(None).graph.leaf_nodes("threads")[0])
    health.database_probe.forget()
    assert asked()[:3] == ["ready", "database: ok", "queue: ok"]


def test_a_database_that_is_ahead_of_the_code_does_not() -> None:
    """While machines are upgraded one after the other, the old code goes on."""
    recorder = MigrationRecorder(connection)
    recorder.record_applied("threads", "9999_of_the_next_release")
    try:
        assert asked()[0] == "ready"
    finally:
        recorder.record_unapplied("threads", "9999_of_the_next_release")


def test_an_empty_database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    empty = {**connections.settings["default"], "ENGINE": "django.db.backends.sqlite3", "OPTIONS": {}}
    monkeypatch.setitem(connections.settings, "default", empty | {"NAME": str(tmp_path / "empty.sqlite3")})
    assert asked(503)[:3] == WAITING


def test_migrations_are_looked_for_until_they_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    queries = []
    for _ in range(3):
        with health.own_connection() as using, CaptureQueriesContext(connections[using]) as captured:
            pending_migrations.check(using)
        queries.append(sum("django_migrations" in each["sql"] for each in captured.captured_queries))
    assert queries[0] > 0
    assert queries[1:] == [0, 0]

    def older(using: str) -> list[upstream_status.UpstreamStatus]:
        raise DatabaseError("no such column")

    monkeypatch.setattr(upstream_status, "stored_statuses", older)
    assert asked(503)[1] == "database: can't be used (DatabaseError)"
    with health.own_connection() as using, CaptureQueriesContext(connections[using]) as captured:
        pending_migrations.check(using)
    assert captured.captured_queries


@pytest.mark.slow
def test_postgresql_that_takes_the_connection_and_never_answers(silent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """And Redis that does the same: both together within two seconds, and with one attempt for any number of askers."""
    lost = {**connections.settings["default"], "ENGINE": "django.db.backends.postgresql", "HOST": "127.0.0.1"}
    lost |= {"PORT": silent, "NAME": "desk", "USER": "desk", "PASSWORD": "hidden", "OPTIONS": {}}
    monkeypatch.setitem(connections.settings, "default", lost)
    monkeypatch.setattr("django.conf.settings.QUEUE_URL", f"redis://127.0.0.1:{silent}/0")
    threads, began = threading.active_count(), time.monotonic()
    for _ in range(2):
        told = asked(503)
        assert (told[0], told[3]) == ("not ready", "upstream: not asked yet")
        assert not {"database: ok", "queue: ok"} & set(told)
        assert str(silent) not in "".join(told)
        assert time.monotonic() - began < 2
        assert threading.active_count() <= threads + 2
        began = time.monotonic()


def test_a_queue_that_is_no_queue(tmp_path: Path) -> None:
    (tmp_path / "queue.sqlite3").write_bytes(b"no database" * 1000)
    assert asked(503)[1:3] == ["database: ok", "queue: can't be used (QueueError)"]


def test_what_waits_in_the_queue_is_counted(tmp_path: Path) -> None:
    assert queue.waiting() == 0
    with sqlite3.connect(tmp_path / "queue.sqlite3") as file:
        file.execute("CREATE TABLE task (id integer primary key, queue text, data blob, priority real)")
        file.execute("INSERT INTO task (queue, data) VALUES (?, ?)", (queue.NAME, b""))
    file.close()
    assert queue.waiting() == 1


def test_it_can_not_be_used_to_load_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    times: list[str] = []

    def count(using: str) -> list[upstream_status.UpstreamStatus]:
        times.append(using)
        return []

    monkeypatch.setattr(upstream_status, "stored_statuses", count)
    for _ in range(50):
        asked()
    assert len(times) <= 2


@pytest.mark.database("postgresql")  # SQLite has no such limit
def test_a_statement_of_its_own_connection_ends_in_time_and_leaves_no_limit_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with health.own_connection() as using:
        own = connections[using]
        with own.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == ("2s",)
        monkeypatch.setattr(health, "_CONNECT_SECONDS", 0.05)
        with pytest.raises(OperationalError, match="statement timeout"), own.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(20)")
        with own.cursor() as cursor:
            cursor.execute("SELECT 1")
        assert not own.in_atomic_block
        assert own.connection.execute("SHOW statement_timeout").fetchone() == ("0",)
