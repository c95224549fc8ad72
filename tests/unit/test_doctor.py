"""`manage.py doctor`: what it says of a desk where all is well, and of each thing that is not."""

from __future__ import annotations

import io
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from email.utils import formatdate
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from dj_database_url import parse
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from dashboard.monitoring import doctor, heartbeat
from dashboard.monitoring.doctor import CheckResult, CheckStatus, local_checks, upstream_checks
from tests.support.accounts import account
from tests.support.services import postgres
from tests.support.upstream import NOW
from threads.archive.models import Lease, Progress, SyncRun
from threads.chatkit import Exchange
from threads.emulator import Emulator, EmulatorServer, Fault
from threads.emulator.api.paging import BeforeReading
from threads.erasure import journal
from threads.erasure.journal import EntryKind, NewEntry
from threads.erasure.models import Erasure, Target

pytestmark = pytest.mark.django_db(transaction=True)

KEY = "sk-right-and-secret"


@pytest.fixture
def server() -> Iterator[EmulatorServer]:
    with EmulatorServer(Emulator(threads=45, seed=7, now=NOW, api_key=KEY)) as made:
        yield made


@pytest.fixture
def well(settings: Any, tmp_path: Path, server: EmulatorServer) -> EmulatorServer:
    """A desk of which nothing bad is to be said, and its upstream."""
    settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL, settings.EMULATOR = KEY, server.base_url, False
    settings.CHATKIT_DEADLINE = 2.0
    tmp_path.chmod(0o700)
    settings.DATA_DIR, settings.HTTPS, settings.ALLOWED_HOSTS = tmp_path, True, ["desk.example"]
    settings.SECRET_KEY = "x" * 50
    account("boss", "Administrator")
    heartbeat.beat()
    now = timezone.now()
    Progress.objects.create(pk=1, started_at=now, reached_end_at=now)
    SyncRun.objects.create(
        pk=1, holder="here 1", started_at=now, updated_at=now, phase_at=now, phase="ended", finished_at=now
    )
    return server


def looked() -> dict[str, CheckResult]:
    return {each.name: each for each in doctor.run_checks()}


def said() -> tuple[str, int]:
    out = io.StringIO()
    try:
        call_command("doctor", stdout=out, no_color=True)
    except SystemExit as end:
        return out.getvalue(), int(str(end.code))
    return out.getvalue(), 0


def test_where_all_is_well(well: EmulatorServer) -> None:
    text, code = said()
    lines = text.splitlines()
    assert len(lines) == 17
    assert code == 0, text
    assert [each for each in lines if not each.startswith("ok    ")] == []
    assert "scopes: may list threads and read items; whether it may delete is known only when" in text
    assert KEY not in text
    assert not [each for each in well.emulator.calls if each[0] != "GET"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "bad"),
    [
        (Fault.WRONG_KEY, {"key": "does not accept it"}),
        (Fault.MISSING_SCOPES, {"scopes": "may not list threads"}),
        (Fault.GONE_410, {"key": "no longer has it"}),
        (Fault.REFUSE, {"key": "can't be asked: Unavailable"}),
        (Fault.HANG, {"key": "can't be asked: TimedOut"}),
        (Fault.HTML_200, {"key": "can't be asked: Garbled"}),
        (Fault.ERROR_503, {"key": "can't be asked: Unavailable, status 503"}),
    ],
)
def test_an_upstream_that_fails(well: EmulatorServer, fault: Fault, bad: dict[str, str]) -> None:
    well.emulator.fault = fault
    found = looked()
    failures = {name: each for name, each in found.items() if each.status is CheckStatus.FAIL}
    assert set(failures) == set(bad)
    for name, words in bad.items():
        assert words in failures[name].detail
        assert failures[name].advice
    assert {found[name].status for name in ("latency", "before")} == {CheckStatus.WARN}
    assert {found[name].status for name in ("database", "queue", "worker", "disk")} == {CheckStatus.OK}


def test_one_that_takes_no_more_requests_is_no_failure(well: EmulatorServer) -> None:
    well.emulator.fault = Fault.RATE_LIMIT_86400
    assert looked()["key"].status is CheckStatus.WARN


def test_a_wrong_key_is_not_shown(well: EmulatorServer, settings: Any) -> None:
    settings.OPENAI_API_KEY = "sk-wrong-and-secret"
    text, code = said()
    assert code == 1
    assert "FAIL  key: the upstream does not accept it → Set OPENAI_API_KEY" in text
    assert "sk-wrong" not in text


def test_a_beta_header_that_is_no_longer_taken(well: EmulatorServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("threads.chatkit.client.BETA", "chatkit_beta=v0")
    found = looked()
    assert found["beta header"].status is CheckStatus.FAIL
    assert found["key"].status is CheckStatus.OK


@pytest.mark.parametrize(
    ("reading", "words"),
    [
        (BeforeReading.ADJACENT, "gives the page next to the cursor"),
        (BeforeReading.FIRST, "gives the start of the list"),
        (BeforeReading.OLDER, "gives older threads"),
    ],
)
def test_the_reading_of_before(well: EmulatorServer, settings: Any, reading: BeforeReading, words: str) -> None:
    with EmulatorServer(Emulator(threads=45, seed=7, now=NOW, before=reading)) as other:
        settings.OPENAI_BASE_URL = other.base_url
        found = looked()["before"]
    assert found.status is CheckStatus.OK
    assert words in found.detail


def test_an_upstream_that_ignores_the_cursors(well: EmulatorServer) -> None:
    well.emulator.fault = Fault.LOOP
    found = looked()["before"]
    assert found.status is CheckStatus.FAIL
    assert "no mirrors" in found.detail or "upstream failed" in found.detail


def test_few_threads_tell_nothing_of_before(well: EmulatorServer, settings: Any) -> None:
    with EmulatorServer(Emulator(threads=0, now=NOW)) as other:
        settings.OPENAI_BASE_URL = other.base_url
        found = looked()
    assert found["before"].status is found["scopes"].status is CheckStatus.WARN
    assert "there are none yet" in found["scopes"].detail


@pytest.mark.parametrize(
    ("ahead", "verdict"), [(1, CheckStatus.OK), (-30, CheckStatus.WARN), (3600, CheckStatus.FAIL)], ids=str
)
def test_the_clock_against_the_upstreams(
    well: EmulatorServer, monkeypatch: pytest.MonkeyPatch, ahead: float, verdict: CheckStatus
) -> None:
    """Told by the header of a real reply."""
    handle = well.emulator.handle

    def dated(*call: Any) -> Any:
        reply = handle(*call)
        reply.headers["date"] = formatdate(time.time() - ahead, usegmt=True)
        return reply

    monkeypatch.setattr(well.emulator, "handle", dated)
    found = looked()["clock"]
    assert found.status is verdict
    assert ("behind" in found.detail) == (ahead < 0)


def test_a_slow_upstream(well: EmulatorServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream_checks, "_SLOW_SECONDS", 0.0)
    found = looked()["latency"]
    assert found.status is CheckStatus.WARN
    assert " ms for a page" in found.detail


@pytest.mark.slow
def test_what_takes_too_long_ends_and_the_rest_is_looked_at(
    well: EmulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.monitoring.doctor.run.task_queue", lambda: time.sleep(1.5))
    monkeypatch.setattr("dashboard.monitoring.doctor.run.disk", lambda: 1 / 0)
    began = time.monotonic()
    found = {each.name: each for each in doctor.run_checks(timeout=0.7)}
    assert time.monotonic() - began < 1.5
    assert found["queue"].detail == "no answer within 1 s"
    assert "ZeroDivisionError" in found["disk"].detail
    assert found["roles"].status is CheckStatus.OK
    time.sleep(1)


@pytest.mark.slow
def test_a_database_that_is_locked(well: EmulatorServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "locked.sqlite3"
    own = {**connections.settings["default"], "ENGINE": "django.db.backends.sqlite3", "NAME": str(file)}
    monkeypatch.setitem(connections.settings, "default", own | {"OPTIONS": {"timeout": 0.1}})
    holder = sqlite3.connect(file)
    holder.execute("CREATE TABLE some (thing)")
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    found = looked()
    holder.close()
    assert found["database"].status is CheckStatus.FAIL
    assert "nothing keeps it locked" in found["database"].advice
    assert found["migrations"].status is found["worker"].status is found["roles"].status is CheckStatus.FAIL
    assert found["key"].status is found["queue"].status is CheckStatus.OK


def test_a_database_that_is_away(well: EmulatorServer, monkeypatch: pytest.MonkeyPatch) -> None:
    away = {**connections.settings["default"], "ENGINE": "django.db.backends.postgresql", "OPTIONS": {}}
    away |= {"HOST": "127.0.0.1", "PORT": 1, "USER": "desk", "PASSWORD": "hidden", "NAME": "desk"}
    monkeypatch.setitem(connections.settings, "default", away)
    text, code = said()
    assert code == 1
    assert "FAIL  database: it can't be reached (OperationalError) → See that DATABASE_URL is right" in text
    assert "hidden" not in text
    assert "127.0.0.1" not in text


def test_migrations_that_are_missing(well: EmulatorServer) -> None:
    applied = MigrationRecorder(connection)
    newest = MigrationLoader(connection).graph.leaf_nodes("threads")[0]
    applied.record_unapplied(*newest)
    try:
        found = looked()["migrations"]
    finally:
        applied.record_applied(*newest)
    assert found.status is CheckStatus.FAIL
    assert found.advice == "Run `manage.py migrate`."


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A database before its first `migrate`."""
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path}/empty.sqlite3" if request.param == "sqlite" else stack.enter_context(postgres())
        chosen = {**connections.settings["default"], **parse(url), "OPTIONS": {}}
        monkeypatch.setitem(connections.settings, "default", chosen)
        yield


def test_before_the_first_migrate_it_says_so_and_nothing_else_trips(well: EmulatorServer, empty: None) -> None:
    found = looked()
    failures = {name: each.advice for name, each in found.items() if each.status is CheckStatus.FAIL}
    extension = failures.pop("database", "Run `manage.py migrate`, which makes it; ")
    assert extension.startswith("Run `manage.py migrate`, which makes it; ")
    assert failures == {"migrations": "Run `manage.py migrate`."}
    assert found["migrations"].detail.endswith("beginning with contenttypes.0001_initial")
    for name in ("worker", "archive", "roles"):
        assert found[name].status is CheckStatus.WARN
        assert found[name].advice == "Run `manage.py migrate`."


def test_what_the_database_can_do(well: EmulatorServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_checks, "_SQLITE_FEATURES", {"FTS9": "CREATE VIRTUAL TABLE words USING fts9(word)"})
    monkeypatch.setattr(local_checks, "_POSTGRESQL_EXTENSIONS", {"pg_nonesuch"})
    found = looked()["database"]
    assert found.status is CheckStatus.FAIL
    assert "without FTS9" in found.detail or "without pg_nonesuch" in found.detail


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "postgres://desk:hidden@127.0.0.1:1/desk"])
def test_a_queue_that_is_away(well: EmulatorServer, settings: Any, url: str) -> None:
    settings.QUEUE_URL = url
    found = looked()["queue"]
    assert found.status is CheckStatus.FAIL
    assert "127.0.0.1" not in found.detail + found.advice


def test_a_worker(well: EmulatorServer) -> None:
    Progress.objects.update(failed_at=timezone.now(), failure="user_1 said so")
    found = looked()["worker"]
    assert found.status is CheckStatus.WARN
    assert "user_1" not in found.detail
    Lease.objects.filter(name="worker").update(until=timezone.now() - timedelta(minutes=10))
    found = looked()["worker"]
    assert found.status is CheckStatus.FAIL
    assert "11 min ago" in found.detail
    Lease.objects.all().delete()
    assert looked()["worker"].detail == "none has run yet"


def test_a_worker_says_that_it_lives() -> None:
    assert heartbeat.age() is None
    heartbeat.beat()
    Lease.objects.filter(name="worker").update(until=timezone.now())
    heartbeat.beat()
    age = heartbeat.age()
    assert age is not None
    assert abs(age.total_seconds()) < 5


@pytest.mark.parametrize("seconds", [-90, 90])
def test_a_worker_lives_whose_clock_is_wrong(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    now = timezone.now
    with monkeypatch.context() as patch:
        patch.setattr(timezone, "now", lambda: now() + timedelta(seconds=seconds))
        heartbeat.beat()
    age = heartbeat.age()
    assert age is not None
    assert abs(age.total_seconds()) < 5


def test_a_database_that_is_older_than_the_erasures_file(well: EmulatorServer, settings: Any, tmp_path: Path) -> None:
    settings.ERASURES_FILE = tmp_path / "erasures.jsonl"
    assert looked()["erasures"].status is CheckStatus.OK
    assert not settings.ERASURES_FILE.exists(), "the doctor changes nothing"
    journal.append(NewEntry(uuid4(), EntryKind.ERASE, "cthr_1"))
    found = looked()["erasures"]
    assert found.status is CheckStatus.FAIL
    assert "a backup was restored" in found.detail
    assert "manage.py erasures replay" in found.advice
    assert said()[1] == 1
    settings.ERASURES_FILE = tmp_path / "nowhere" / "erasures.jsonl"
    assert looked()["erasures"].status is CheckStatus.FAIL


def test_an_erasures_file_that_was_lost(well: EmulatorServer, settings: Any, tmp_path: Path) -> None:
    settings.ERASURES_FILE = tmp_path / "erasures.jsonl"
    job = Erasure.objects.create(kind="threads", token="x", finished_at=timezone.now())
    Target.objects.create(erasure=job, thread_id="cthr_1", state="erased", journal_line=1)
    found = looked()["erasures"]
    assert found.status is CheckStatus.FAIL
    assert "lacks 1 erased threads" in found.detail
    assert "manage.py erasures fill" in found.advice


def test_an_order_of_retention_that_waits(well: EmulatorServer, settings: Any) -> None:
    settings.RETENTION_DAYS = 365
    assert looked()["retention"].status is CheckStatus.OK
    Erasure.objects.create(
        kind="retention", token="x", total=7, needs_confirmation=True, held="it is the first by a rule"
    )
    found = looked()["retention"]
    assert found.status is CheckStatus.WARN
    assert found.detail == "an order of 7 threads waits: it is the first by a rule"


@pytest.mark.parametrize(
    ("free", "verdict"), [(2**40, CheckStatus.OK), (2**29, CheckStatus.WARN), (2**20, CheckStatus.FAIL)], ids=str
)
def test_the_disk(well: EmulatorServer, monkeypatch: pytest.MonkeyPatch, free: int, verdict: CheckStatus) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=free))
    assert looked()["disk"].status is verdict


def test_settings_that_are_not_safe(well: EmulatorServer, settings: Any) -> None:
    settings.SECRET_KEY, settings.HTTPS, settings.ALLOWED_HOSTS = "short-secret", False, ["*"]
    found = looked()["settings"]
    assert found.status is CheckStatus.WARN
    for words in ("SECRET_KEY has 12 characters", "HTTPS is off", "ALLOWED_HOSTS takes any name"):
        assert words in found.advice
    assert "short-secret" not in found.advice


def test_nobody_who_gives_roles(well: EmulatorServer) -> None:
    User.objects.filter(username="boss").update(is_active=False)
    account("eve", "Eraser")
    found = looked()["roles"]
    assert found.status is CheckStatus.FAIL
    assert "createsuperuser" in found.advice


def test_the_demo_has_nothing_to_fail_with(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR, settings.EMULATOR, settings.OPENAI_API_KEY = tmp_path, True, None
    settings.EMULATOR_THREADS = 50
    found = looked()
    assert {name for name, each in found.items() if each.status is CheckStatus.FAIL} == {"worker"}
    assert "all made up" in found["key"].detail


def test_the_observer_keeps_the_last_time_that_was_told() -> None:
    target = upstream_checks.CheckTarget(1.0)
    target._watch(Exchange("list", 0.1, 0, None))
    assert target.clock() is None
    target.close()


@pytest.mark.parametrize(
    ("mode", "verdict"), [(0o700, CheckStatus.OK), (0o750, CheckStatus.WARN), (0o701, CheckStatus.WARN)]
)
def test_a_directory_that_others_may_look_into(
    well: EmulatorServer, tmp_path: Path, mode: int, verdict: CheckStatus
) -> None:
    tmp_path.chmod(mode)
    found = local_checks.files()
    assert found.status is verdict
    assert verdict is CheckStatus.OK or found.advice.startswith(f"Run `chmod 700 {tmp_path}`")


def test_a_directory_that_is_not_there_yet(well: EmulatorServer, settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / "nowhere"
    assert local_checks.files().status is CheckStatus.OK
