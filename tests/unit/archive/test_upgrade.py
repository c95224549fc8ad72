"""A filled database of an earlier release is migrated as it is, and goes on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, migrations, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from tests.support import counted
from tests.support.clock import put_forward
from tests.support.dying import Dying, run
from tests.support.mirror import archive, upstream
from tests.support.syncing import spoken
from tests.support.upstream import use_upstream
from threads.archive import database_guard, reindex, tasks, user_ids
from threads.archive.completeness import completeness
from threads.archive.models import (
    ArchivedThread,
    ArchivedUser,
    Lease,
    Progress,
    StaleIndex,
    StoredOutage,
    SyncRequest,
    SyncRun,
    Tombstone,
)
from threads.archive.search.source import ArchiveSource
from threads.audit.models import AuditEvent
from threads.erasure.models import Erasure
from threads.exports.models import Export
from threads.models import KnownUpstream, Origin
from threads.sources.query import ThreadQuery

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

OLDER_RELEASE = [("archive", "0006_erased"), ("threads", "0003_origin")]
LAST_RELEASE = [
    ("archive", "0011_ids_folded_anew"), ("audit", "0004_no_replacing"), ("erasure", "0002_erasures_file"),
    ("exports", "0001_exports"),
]  # fmt: skip
RENAMES = [
    ("archive", "0012_renames"), ("audit", "0005_renames"), ("erasure", "0003_renames"), ("exports", "0002_renames"),
]  # fmt: skip
"""The migrations after those, which only rename."""


@pytest.fixture
def migrated() -> Iterator[None]:
    """Whatever becomes of the test, the others have the tables of today."""
    yield
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def test_a_filled_database_of_an_older_release(migrated: None, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    world = Dying(threads=60, seed=7, now=timezone.now().timestamp())
    use_upstream(monkeypatch, world.client(seconds=10))
    settings.EMULATOR, settings.OPENAI_API_KEY = False, "sk-of-before"
    Origin.objects.create(pk=1, emulator=False)
    assert run(world.client(seconds=10)) is None
    gone = list(world.thread_ids())[3]
    executor = MigrationExecutor(connection)
    executor.migrate(OLDER_RELEASE)
    old = executor.loader.project_state(OLDER_RELEASE).apps
    now = timezone.now()
    # As that release left it: asked again after a week, a sweep of yesterday, one thread marked.
    old.get_model("archive", "Progress").objects.update(swept_at=now - timedelta(hours=26), complete_at=now)
    threads = old.get_model("archive", "ArchivedThread").objects
    threads.update(
        read_at=now - timedelta(days=3), due_at=now + timedelta(days=4), confirmed_at=now - timedelta(hours=26)
    )
    threads.filter(thread_id=gone).update(gone_at=now - timedelta(days=2))
    old.get_model("archive", "Person").objects.update(folded="as words")
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    assert ArchivedThread.objects.count() == 60
    assert all(each.folded == user_ids.folded_user_id(each.user_id) for each in ArchivedUser.objects.all())
    assert Origin.objects.get().salt
    # All of it is to be indexed anew.
    assert StaleIndex.objects.count() == 60
    assert Progress.objects.get().folding == 0
    tasks._index_stale()
    assert not reindex.is_due()
    # It vouches for no more than it did, and not for conversations that nobody has asked for days.
    assert completeness().as_of is None or completeness().as_of <= now - timedelta(hours=26)  # type: ignore[operator]
    database_guard.claim()
    database_guard.verify_upstream()
    assert KnownUpstream.objects.count() == 1
    world.delete(gone)
    world.add_items(list(world.thread_ids())[9], [{"type": "chatkit.task", "task_type": "custom", "heading": "new"}])
    assert run(world.client(seconds=10), purge=True) is None
    assert archive() == upstream(world)
    assert completeness().as_of is not None
    with put_forward() as clock:
        clock.forward(timedelta(hours=25))
        assert run(world.client(seconds=10), purge=True) is None
    assert not ArchivedThread.objects.filter(thread_id=gone).exists()
    counted.check()


@pytest.fixture
def guarded() -> Iterator[None]:
    """The audit log with all triggers that its migrations create; other tests do without one of them."""
    _migrate([("audit", "0001_initial")])
    _migrate([("audit", "0004_no_replacing")])
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER audit_no_truncate{' ON audit_auditevent' if _is_postgresql() else ''}")


def _is_postgresql() -> bool:
    return connection.vendor == "postgresql"


def _migrate(targets: list[tuple[str, str]]) -> None:
    """Migrates with Django's signals, which rename content types too."""
    for app, name in targets:
        call_command("migrate", app, name, verbosity=0)


def _rows(targets: list[tuple[str, str]]) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of these apps by the old names of their models. A renamed column keeps its place in the table."""
    apps = MigrationExecutor(connection).loader.project_state(targets).apps
    models = [each for app, _ in targets for each in apps.get_app_config(app).get_models()]
    found = {}
    with connection.cursor() as cursor:
        for model in models:
            cursor.execute(f"SELECT * FROM {model._meta.db_table} ORDER BY {model._meta.pk.column}")
            found[_RENAMED_MODELS.get(model.__name__, model.__name__)] = cursor.fetchall()
    return found


_RENAMED_MODELS = {
    "ArchivedUser": "Person", "ThreadState": "State", "QuarterCount": "Tally", "Tombstone": "Erased",
    "StoredOutage": "Outage", "SyncRun": "Run",
}  # fmt: skip


def _refuses_changes() -> None:
    count = AuditEvent.objects.count()
    account = "who" if "who" in _columns("audit_auditevent") else "account"
    statements = [f"UPDATE audit_auditevent SET {account} = 'x'", "DELETE FROM audit_auditevent"]
    statements.append(
        "TRUNCATE audit_auditevent"
        if _is_postgresql()
        else "REPLACE INTO audit_auditevent SELECT * FROM audit_auditevent"
    )
    for statement in statements:
        with (
            pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor
        ):  # fmt: skip
            cursor.execute(statement)
    assert AuditEvent.objects.count() == count > 0


def _columns(table: str) -> set[str]:
    with connection.cursor() as cursor:
        return {each.name for each in connection.introspection.get_table_description(cursor, table)}


def _index_names(*tables: str) -> set[str]:
    with connection.cursor() as cursor:
        found = [connection.introspection.get_constraints(cursor, table) for table in tables]
    return {name for each in found for name, about in each.items() if about["index"] and "sqlite_auto" not in name}


def test_a_filled_database_of_the_last_release(
    migrated: None, guarded: None, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """Its models and columns are renamed: every value stays, forwards and backwards."""
    world = Dying(threads=40, seed=7, now=timezone.now().timestamp())
    use_upstream(monkeypatch, world.client(seconds=10))
    settings.EMULATOR, settings.OPENAI_API_KEY = False, "sk-of-before"
    Origin.objects.create(pk=1, emulator=False)
    spoken_of = list(world.thread_ids())[5]
    world.set_items(spoken_of, [spoken("the zeppelin does not inflate")])
    loader = MigrationExecutor(connection).loader
    old = loader.project_state(LAST_RELEASE).apps
    # The sync of this release fills the archive and its index.
    call_command("migrate", verbosity=0)
    assert run(world.client(seconds=10)) is None
    _migrate(RENAMES)
    written = _rows(RENAMES)
    assert all(written[name] for name in ("Person", "State", "Tally", "Run", "ArchivedThread", "SearchDoc", "Word"))
    _migrate(LAST_RELEASE)
    assert _rows(LAST_RELEASE) == written

    now = timezone.now()
    threads = old.get_model("archive", "ArchivedThread").objects
    first, second = threads.order_by("number")[:2]
    threads.filter(pk=first.pk).update(gone_at=now, confirmed_at=now - timedelta(days=1), trouble="it fails")
    threads.filter(pk=second.pk).update(missing_at=now)
    old.get_model("archive", "Erased").objects.create(thread_id="cthr_erased", at=now)
    old.get_model("archive", "Outage").objects.create(pk=1, since=now)
    old.get_model("archive", "Run").objects.update(ended_at=now)
    old.get_model("archive", "SyncRequest").objects.create(asked_at=now, began_at=now, ended_at=None)
    job = {
        "asked_at": now, "began_at": now + timedelta(1), "ended_at": now + timedelta(2), "who": "ada", "who_id": "7",
        "holder": "h", "until": now + timedelta(3), "customer": "user/1",
    }  # fmt: skip
    erasure = old.get_model("erasure", "Erasure").objects.create(
        kind="user", token="t", trouble="cut short", again_at=now + timedelta(4), line=3, awaits=True, **job
    )
    old.get_model("erasure", "Target").objects.create(
        erasure=erasure, thread_id="cthr_erased", customer="user/1", state="erased", line=2
    )
    old.get_model("exports", "Export").objects.create(kind="zip", mark="cthr_9", outcome="whole", **job)
    old.get_model("audit", "AuditEvent").objects.create(
        action="read", outcome="done", who="ada", who_id="7", thread="cthr_1", customer="user/1"
    )
    tables = ("archive_archivedthread", "audit_auditevent", "erasure_erasure", "erasure_target", "exports_export")
    indexes = _index_names(*tables, "archive_person")
    held = _rows(LAST_RELEASE)
    may_sync = Permission.objects.get(content_type__app_label="archive", codename="sync").pk

    _migrate(RENAMES)

    assert _rows(RENAMES) == held
    assert _index_names(*tables, "archive_archiveduser") == indexes
    call_command("migrate", verbosity=0)
    assert Permission.objects.get(content_type__app_label="archive", codename="sync").pk == may_sync
    assert {each.user_id for each in ArchivedUser.objects.all()} == set(world.users())
    marked = ArchivedThread.objects.get(pk=first.pk)
    assert marked.archived_user is not None
    assert marked.archived_user.user_id == marked.user
    assert (marked.deleted_upstream_at, marked.checked_at) == (now, now - timedelta(days=1))
    assert marked.sync_error == "it fails"
    assert ArchivedThread.objects.get(pk=second.pk).withheld_at == now
    assert (Tombstone.objects.get().thread_id, Tombstone.objects.get().erased_at) == ("cthr_erased", now)
    assert (StoredOutage.objects.get().since, SyncRun.objects.get().finished_at) == (now, now)
    request = SyncRequest.objects.get()
    assert (request.requested_at, request.started_at, request.finished_at) == (now, now, None)
    for one in (Erasure.objects.get(), Export.objects.get()):
        assert (one.account, one.account_id, one.user_id, one.holder) == ("ada", "7", "user/1", "h")
        times = (one.requested_at, one.started_at, one.finished_at, one.until)
        assert times == tuple(now + timedelta(days) for days in range(4))
    kept = Erasure.objects.get()
    assert (kept.error, kept.retry_at, kept.journal_line, kept.needs_confirmation) == (
        "cut short", now + timedelta(4), 3, True,
    )  # fmt: skip
    assert [(each.user_id, each.journal_line) for each in kept.targets.all()] == [("user/1", 2)]
    assert Export.objects.get().circle_mark == "cthr_9"
    event = AuditEvent.objects.get(action="read")
    assert (event.account, event.account_id, event.thread_id, event.user_id) == ("ada", "7", "cthr_1", "user/1")
    _refuses_changes()
    assert _found("zeppelin") == _found("ppeli") == [spoken_of]
    assert reindex.is_due()
    reindex.run()  # adds the previews of last messages
    Lease.objects.filter(name="index").delete()
    counted.check()

    with pytest.raises(IntegrityError), transaction.atomic():  # the condition of the constraint names the new column
        SyncRequest.objects.create()

    _migrate(LAST_RELEASE)
    assert _rows(LAST_RELEASE) == held


def _found(text: str) -> list[str | None]:
    return [row.id for row in ArchiveSource(UTC).list_threads(ThreadQuery(q=text)).rows]


def test_no_table_is_locked_while_rows_are_written() -> None:
    """Whoever alters a table on PostgreSQL holds it up until the end of the transaction."""
    loader = MigrationExecutor(connection).loader
    released = {each for last in OLDER_RELEASE for each in loader.graph.forwards_plan(last)}
    for (app, name), migration in loader.disk_migrations.items():
        if app not in {"archive", "threads"} or (app, name) in released or not migration.atomic:
            continue
        altered = False
        for each in migration.operations:
            assert not (altered and isinstance(each, migrations.RunPython)), f"{app} {name}"
            altered |= isinstance(each, migrations.AddField | migrations.AlterField)
