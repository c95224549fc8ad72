"""Keeping up: what is recent is never older than a round, and the whole list is gone through in portions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.support.mirror import archive, asking, upstream
from tests.support.syncing import is_complete, spoken, sync
from threads.archive.models import ArchivedThread, Progress, SyncRun
from threads.archive.sync import sync as module
from threads.archive.sync.item_reader import ItemReader
from threads.archive.sync.sync import Sync
from threads.chatkit import Garbled
from threads.emulator import Emulator

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def world() -> Emulator:
    """More threads than four pages have; only some of them have items, which would be most of the work."""
    made = Emulator(threads=430, seed=7, now=timezone.now().timestamp())
    for number, each in enumerate(made.thread_ids()):
        if number % 10:
            made.set_items(each, [])
    return made


def keep_up(world: Emulator, *, recheck: timedelta | None = timedelta(hours=24), **how: Any) -> Sync:
    client = asking(world)
    settled: dict[str, Any] = {"every": timedelta(minutes=2), "recent_pages": 5} | how
    made = Sync(client, pauses=(), **settled)
    try:
        made.run(recheck=recheck)
    finally:
        client.close()
    return made


def lists(world: Emulator) -> list[str]:
    """The pages of the list that were asked for; not the question which thread is the newest."""
    return [query for _, path, query in world.calls if path.endswith("/threads") and "limit=100" in query]


def test_the_newest_threads_are_looked_at_in_each_run(world: Emulator) -> None:
    sync(world)
    ids = list(world.thread_ids())
    world.set_status(ids[0], "locked", "fraud")
    world.set_title(ids[1], "Another")
    world.delete(ids[2])
    world.calls.clear()
    keep_up(world)
    assert ArchivedThread.objects.get(thread_id=ids[0]).reason == "fraud"
    assert ArchivedThread.objects.get(thread_id=ids[1]).title == "Another"
    assert ArchivedThread.objects.get(thread_id=ids[2]).deleted_upstream_at is not None
    assert list(archive()) == list(world.thread_ids(order="asc"))
    assert is_complete()


def test_no_further_back_than_a_day_or_the_pages_that_are_allowed(world: Emulator, monkeypatch: Any) -> None:
    sync(world)
    world.calls.clear()
    keep_up(world)
    assert sum("order=desc" in query for query in lists(world)) == 1  # what is a day old is on the first page
    monkeypatch.setattr(module, "_RECENT", timedelta(days=10_000))
    world.calls.clear()
    keep_up(world, recent_pages=3)
    assert sum("order=desc" in query for query in lists(world)) == 3


def test_what_arrives_between_the_walk_and_the_look_is_left_to_the_next_walk(world: Emulator) -> None:
    sync(world)
    client = asking(world)
    whole = client.list_threads

    def late(**how: Any) -> Any:
        if how["order"] == "desc" and how["limit"] == 100:
            world.arrive(1)
        return whole(**how)

    client.list_threads = late  # type: ignore[method-assign]
    Sync(client, pauses=(), recent_pages=1).run()
    client.close()
    keep_up(world)
    assert list(archive()) == list(world.thread_ids(order="asc"))
    assert archive() == upstream(world)


def test_the_whole_list_is_looked_at_again_when_its_time_has_come_and_not_before(world: Emulator) -> None:
    sync(world)
    oldest = next(world.thread_ids(order="asc"))
    world.set_status(oldest, "closed", "old")
    keep_up(world)
    assert ArchivedThread.objects.get(thread_id=oldest).reason is None
    Progress.objects.update(started_at=timezone.now() - timedelta(hours=25))
    keep_up(world)
    assert ArchivedThread.objects.get(thread_id=oldest).reason == "old"
    progress = Progress.objects.get()
    assert progress.swept_at is not None
    assert progress.sweep_started_at is None
    world.calls.clear()
    keep_up(world)
    assert sum("order=asc" in query for query in lists(world)) == 1


def test_a_sweep_goes_on_in_portions_and_no_status_is_older_than_its_beginning(world: Emulator) -> None:
    sync(world)
    Progress.objects.update(started_at=timezone.now() - timedelta(hours=25))
    pages = []
    for _ in range(5):
        assert Progress.objects.get().swept_at is None
        world.calls.clear()
        keep_up(world, every=timedelta(microseconds=1), recent_pages=0)
        pages.append(len(lists(world)) - 1)
    assert pages == [1] * 5
    progress = Progress.objects.get()
    assert progress.swept_at is not None
    assert not ArchivedThread.objects.filter(checked_at__lt=progress.swept_at).exists()


def test_a_sweep_that_leads_nowhere_is_none(world: Emulator, monkeypatch: Any) -> None:
    sync(world)
    Progress.objects.update(started_at=timezone.now() - timedelta(hours=25))
    from dataclasses import replace

    client = asking(world)
    whole = client.list_threads
    monkeypatch.setattr(
        client,
        "list_threads",
        lambda **how: (
            replace(whole(**how), lost=True, has_more=False)
            if how.get("after") is None and how["limit"] == 100
            else whole(**how)
        ),
    )
    with pytest.raises(Garbled):
        Sync(client, pauses=()).run(recheck=timedelta(hours=24))
    client.close()
    assert Progress.objects.get().swept_at is None


def test_what_arrives_is_not_kept_waiting_by_a_long_reading(world: Emulator, monkeypatch: Any) -> None:
    began: list[int] = []
    whole = ItemReader.read_round

    def counted(self: ItemReader, until: Any) -> Any:
        began.append(len(began))
        if len(began) < 50:
            world.arrive(1)
        return whole(self, until)

    monkeypatch.setattr(ItemReader, "read_round", counted)
    keep_up(world, every=timedelta(milliseconds=300))
    assert len(began) > 1
    began.clear()
    keep_up(world, every=timedelta(minutes=30))
    assert len(began) == module._MAX_ROUNDS
    monkeypatch.undo()
    keep_up(world)
    assert archive() == upstream(world)
    assert is_complete()


def test_everything_is_read_over_several_rounds(world: Emulator) -> None:
    sync(world)
    ArchivedThread.objects.update(due_at="2200-01-01T00:00Z")
    for each in list(world.thread_ids())[::7]:
        world.add_items(each, [spoken("more")])
    client = asking(world)
    Sync(client, pauses=(), every=timedelta(milliseconds=100)).run(everything=True)
    client.close()
    assert archive() == upstream(world)


def test_the_place_of_a_walk_outlives_the_thread_that_it_is(world: Emulator) -> None:
    """The reading removes the very thread that the next walk goes on from."""
    sync(world)
    newest = next(world.thread_ids())
    ArchivedThread.objects.update(due_at="2200-01-01T00:00Z")
    ArchivedThread.objects.filter(thread_id=newest).update(due_at=None)
    client = asking(world)
    whole = client.list_threads

    def last(**how: Any) -> Any:
        found = whole(**how)
        if newest in list(world.thread_ids()):
            world.delete(newest)
        return found

    client.list_threads = last  # type: ignore[method-assign]
    Sync(client, pauses=(), purge=True).run()
    client.close()
    world.calls.clear()
    world.arrive(1)
    keep_up(world, purge=True, recent_pages=0)
    assert len(lists(world)) <= 2
    assert archive() == upstream(world)


def test_a_run_that_is_stopped_ends_at_once_and_the_next_goes_on(world: Emulator) -> None:
    client = asking(world)
    run: Sync
    run = Sync(client, per_minute=60, watch=lambda _tally: run.stop())
    run.run()
    client.close()
    assert ArchivedThread.objects.count() == 100
    stopped = SyncRun.objects.get()
    assert stopped.finished_at is not None
    assert stopped.phase != "ended"
    keep_up(world)
    assert archive() == upstream(world)
    assert SyncRun.objects.get().phase == "ended"


def test_a_run_says_what_it_has_done(world: Emulator) -> None:
    done = keep_up(world)
    run = SyncRun.objects.get()
    assert (run.new_threads, run.threads_read, run.new_items) == (430, 430, done.tally.new_items)
    assert run.finished_at is not None
    assert run.finished_at >= run.started_at
