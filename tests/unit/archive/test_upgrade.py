"""A filled database of the last release is taken over as it is, and goes on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, migrations
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from tests.support import counted
from tests.support.clock import put_forward
from tests.support.dying import Dying, run
from tests.support.mirror import archive, upstream
from tests.support.upstream import use_upstream
from threads.archive import database_guard, reindex, tasks, user_ids
from threads.archive.completeness import completeness
from threads.archive.models import ArchivedThread, ArchivedUser, Progress, StaleIndex
from threads.models import KnownUpstream, Origin

pytestmark = pytest.mark.django_db(transaction=True)

LAST_RELEASE = [("archive", "0006_erased"), ("threads", "0003_origin")]


@pytest.fixture
def migrated() -> Iterator[None]:
    """Whatever becomes of the test, the others have the tables of today."""
    yield
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def test_a_filled_database_of_the_last_release(migrated: None, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    world = Dying(threads=60, seed=7, now=timezone.now().timestamp())
    use_upstream(monkeypatch, world.client(seconds=10))
    settings.EMULATOR, settings.OPENAI_API_KEY = False, "sk-of-before"
    Origin.objects.create(pk=1, emulator=False)
    assert run(world.client(seconds=10)) is None
    gone = list(world.thread_ids())[3]
    executor = MigrationExecutor(connection)
    executor.migrate(LAST_RELEASE)
    old = executor.loader.project_state(LAST_RELEASE).apps
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


def test_no_table_is_locked_while_rows_are_written() -> None:
    """Whoever alters a table on PostgreSQL holds it up until the end of the transaction."""
    loader = MigrationExecutor(connection).loader
    released = {each for last in LAST_RELEASE for each in loader.graph.forwards_plan(last)}
    for (app, name), migration in loader.disk_migrations.items():
        if app not in {"archive", "threads"} or (app, name) in released or not migration.atomic:
            continue
        altered = False
        for each in migration.operations:
            assert not (altered and isinstance(each, migrations.RunPython)), f"{app} {name}"
            altered |= isinstance(each, migrations.AddField | migrations.AlterField)
