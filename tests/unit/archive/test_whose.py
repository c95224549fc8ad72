"""Whose archive it is: the same project by another key or address is known again, and another project is refused before
anything of it is stored, shown as ours, or taken for a deletion."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.support.dying import Dying, held, run
from tests.support.mirror import archive, upstream
from tests.support.reader import Get
from tests.support.upstream import use_upstream
from threads.archive import database_guard, tasks, thread_info
from threads.archive.models import ArchivedThread, Progress, SyncRun
from threads.archive.report import archive_report
from threads.audit.models import AuditEvent
from threads.chatkit import OtherProject, Unavailable
from threads.emulator import Fault
from threads.models import KnownUpstream

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def real(settings: Any) -> None:
    """As it is with a key: nothing here is the demo."""
    settings.EMULATOR, settings.OPENAI_API_KEY = False, "sk-first"
    settings.OPENAI_BASE_URL, settings.OPENAI_PROJECT_ID = "https://api.example/v1", None


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Dying:
    """An upstream of which everything has been copied, and which the desk asks."""
    made = Dying(threads=60, seed=7, now=timezone.now().timestamp())
    use_upstream(monkeypatch, made.client(seconds=10))
    database_guard.claim()
    assert run(made.client(seconds=10)) is None
    database_guard.verify_upstream()
    thread_info.clear_cache()
    made.calls.clear()
    return made


def another(monkeypatch: pytest.MonkeyPatch, threads: int = 30) -> Dying:
    """The desk is started anew, with the key of another project."""
    made = Dying(threads=threads, seed=8, now=timezone.now().timestamp())
    use_upstream(monkeypatch, made.client(seconds=10))
    database_guard.clear_cache()
    return made


def test_nothing_is_asked_of_one_that_is_known(world: Dying) -> None:
    assert KnownUpstream.objects.count() == 1
    database_guard.clear_cache()
    database_guard.claim()
    database_guard.verify_upstream()
    assert not world.calls


def test_no_key_can_be_read_in_the_database(world: Dying) -> None:
    assert "sk-first" not in str(KnownUpstream.objects.values_list())


@pytest.mark.parametrize("change", [{"OPENAI_API_KEY": "sk-second"}, {"OPENAI_BASE_URL": "http://127.0.0.1:8100/v1"}])
def test_another_key_or_port_of_the_same_project_is_known_again(
    world: Dying, settings: Any, change: dict[str, str]
) -> None:
    for name, value in change.items():
        setattr(settings, name, value)
    database_guard.claim()
    assert len(world.calls) == 1
    assert KnownUpstream.objects.count() == 2
    database_guard.clear_cache()
    database_guard.claim()
    assert len(world.calls) == 1


def test_one_of_twenty_threads_is_enough(world: Dying, settings: Any) -> None:
    for each in list(world.thread_ids())[:-1]:
        world.delete(each)
    settings.OPENAI_API_KEY = "sk-second"
    database_guard.verify_upstream()
    assert len(world.calls) == database_guard.SAMPLE


def test_an_empty_project_on_its_first_day(monkeypatch: pytest.MonkeyPatch) -> None:
    made = another(monkeypatch, threads=0)
    database_guard.claim()
    database_guard.verify_upstream()
    assert not made.calls
    assert KnownUpstream.objects.count() == 1


def test_another_project_is_refused_with_a_sentence(
    world: Dying, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    before, settings.OPENAI_API_KEY = held(), "sk-of-another"
    another(monkeypatch)
    with pytest.raises(ImproperlyConfigured, match="manage.py archive adopt"):
        database_guard.claim()
    for command in (("worker",), ("serve",), ("archive", "sync"), ("archive", "report")):
        with pytest.raises(CommandError, match="has none of the threads that this database holds"):
            call_command(*command)
    # A worker that runs already.
    SyncRun.objects.all().delete()
    tasks._keep_up()
    assert held() == before
    assert "another project's" in (archive_report().failure or "")


def test_a_desk_that_runs_shows_and_stores_nothing_of_another_project(
    world: Dying, monkeypatch: pytest.MonkeyPatch, settings: Any, get: Get
) -> None:
    before, settings.OPENAI_API_KEY = held(), "sk-of-another"
    other = another(monkeypatch)
    page = get("/threads/")
    assert page.thread_ids == list(world.thread_ids())[:20]
    assert "This is another project" in page.said(page.one("div", id="outage"))
    get(f"/threads/{next(other.thread_ids())}/", status=502)
    mine = get(f"/threads/{next(world.thread_ids())}/")
    assert mine.one("div", id="outage") is not None
    assert held() == before


def test_one_that_does_not_answer_opens_the_archive_and_nothing_is_synced(
    world: Dying, monkeypatch: pytest.MonkeyPatch, settings: Any, get: Get
) -> None:
    before, settings.OPENAI_API_KEY = held(), "sk-second"
    database_guard.clear_cache()
    world.fault = Fault.ERROR_503
    database_guard.claim()
    with pytest.raises(CommandError, match="Nothing was synced"):
        call_command("archive", "sync")
    tasks._keep_up()
    assert get("/threads/").thread_ids == list(world.thread_ids())[:20]
    assert held() == before
    assert KnownUpstream.objects.count() == 1
    world.fault = None
    database_guard.verify_upstream()
    assert KnownUpstream.objects.count() == 2


def test_a_retired_one_is_no_other_project(world: Dying, settings: Any) -> None:
    settings.OPENAI_API_KEY = "sk-second"
    database_guard.clear_cache()
    world.fault = Fault.GONE_404
    database_guard.claim()
    assert KnownUpstream.objects.count() == 1


def test_an_empty_other_project_opens_the_archive_and_nothing_is_synced(
    world: Dying, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    before, settings.OPENAI_API_KEY = held(), "sk-of-another"
    another(monkeypatch, threads=0)
    database_guard.claim()
    with pytest.raises(OtherProject):
        database_guard.verify_upstream()
    tasks._keep_up()
    assert held() == before


def test_another_project_can_be_adopted(world: Dying, monkeypatch: pytest.MonkeyPatch, settings: Any, get: Get) -> None:
    old, settings.OPENAI_API_KEY = set(archive()), "sk-of-another"
    other = another(monkeypatch)
    call_command("archive", "adopt")
    assert AuditEvent.objects.filter(detail__adopted=settings.OPENAI_BASE_URL).count() == 1
    database_guard.claim()
    other.calls.clear()
    for _ in range(2):
        Progress.objects.update(started_at=timezone.now() - timedelta(hours=30), swept_at=None)
        assert run(other.client(seconds=10), everything=True, purge=True) is None
    assert not [path for _, path, _ in other.calls if any(each in path for each in old)]
    assert set(archive()) == old | set(upstream(other))
    assert {each: archive()[each] for each in upstream(other)} == upstream(other)
    found = archive_report()
    assert (found.former, found.gone) == (60, 0)
    assert found.complete.as_of is not None
    # What was there before is read as ever, and asked of nobody.
    other.calls.clear()
    page = get(f"/threads/{next(iter(old))}/")
    assert "Our copy, checked" in page.said()
    assert "not taken as certain" not in page.said()
    # The first project is another one now.
    settings.OPENAI_API_KEY = "sk-first"
    use_upstream(monkeypatch, world.client(seconds=10))
    with pytest.raises(ImproperlyConfigured):
        database_guard.claim()


def test_what_is_the_same_or_does_not_answer_is_not_adopted(world: Dying, settings: Any) -> None:
    with pytest.raises(CommandError, match="nothing to adopt"):
        call_command("archive", "adopt")
    settings.OPENAI_API_KEY = "sk-second"
    database_guard.clear_cache()
    world.fault = Fault.REFUSE
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("archive", "adopt")
    assert not ArchivedThread.objects.filter(former_at__isnull=False).exists()
    with pytest.raises(Unavailable):
        database_guard.verify_upstream()


def test_a_page_asks_the_database_nothing_for_it(world: Dying, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        database_guard.verify_upstream()


def test_what_was_noted_by_an_older_version_is_confirmed(world: Dying) -> None:
    KnownUpstream.objects.all().delete()
    database_guard.clear_cache()
    database_guard.claim()
    assert KnownUpstream.objects.count() == 1
    assert ArchivedThread.objects.count() == 60


def test_adopted_and_back_again_each_thread_is_compared_with_its_own(
    world: Dying, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.OPENAI_API_KEY = "sk-of-another"
    other = another(monkeypatch)
    call_command("archive", "adopt")
    assert run(other.client(seconds=10)) is None
    settings.OPENAI_API_KEY = "sk-first"
    use_upstream(monkeypatch, world.client(seconds=10))
    database_guard.clear_cache()
    call_command("archive", "adopt")
    said, lost = list(world.thread_ids())[3:5]
    world.add_items(said, [{"type": "chatkit.task", "task_type": "custom", "heading": "new"}])
    world.delete(lost)
    for _ in range(2):
        assert run(world.client(seconds=10), everything=True) is None
    assert archive()[said] == upstream(world)[said]
    found = archive_report()
    # What was deleted meanwhile is of the time before: nobody compares it.
    assert found.former == 31
    assert found.complete.as_of is not None


def test_all_threads_were_deleted_and_others_came(world: Dying, monkeypatch: pytest.MonkeyPatch) -> None:
    old = list(world.thread_ids())
    for each in old:
        world.delete(each)
    arrived = world.arrive(4)
    error = run(world.client(seconds=10))
    assert error is not None
    assert "manage.py archive adopt" in error.detail
    call_command("archive", "adopt")
    assert run(world.client(seconds=10)) is None
    assert set(arrived) <= set(archive())
    assert ArchivedThread.objects.count() == 64


def test_a_worker_that_runs_while_another_project_is_adopted_stores_nothing_more(
    world: Dying, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.OPENAI_API_KEY = "sk-of-another"
    other = another(monkeypatch)
    call_command("archive", "adopt")
    assert run(other.client(seconds=10)) is None
    before = held()
    # A process that was started before, and has confirmed its settings.
    settings.OPENAI_API_KEY = "sk-first"
    use_upstream(monkeypatch, world.client(seconds=10))
    database_guard._confirmed.put(str(hash((*database_guard._address(), "sk-first"))), True)
    world.arrive(1)
    SyncRun.objects.all().delete()
    tasks._keep_up()
    assert held() == before


def test_another_project_is_refused_where_all_that_is_kept_is_marked(
    world: Dying, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    ArchivedThread.objects.update(deleted_upstream_at=timezone.now())
    settings.OPENAI_API_KEY = "sk-of-another"
    another(monkeypatch)
    with pytest.raises(ImproperlyConfigured, match="another project's"):
        database_guard.claim()
