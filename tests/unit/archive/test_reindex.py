"""Reindexing: what an older version folded otherwise, and threads too long for a request, by a worker that may die."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.support import counted
from tests.support.mirror import asking
from tests.support.searching import ids
from tests.support.syncing import spoken, sync
from tests.support.upstream import NOW
from threads.archive import reindex, tasks, thread_info
from threads.archive.models import ArchivedItem, ArchivedThread, Progress, SearchDoc, StaleIndex, Word
from threads.archive.search import users
from threads.archive.store import word_index, write
from threads.archive.sync.context import SyncContext
from threads.archive.sync.lease import ArchiveLease
from threads.emulator import Emulator
from threads.lib.folding import VERSION
from threads.sources.live import LiveSource
from threads.sources.query import ItemQuery, ThreadQuery

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def connection_of_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its transaction is not ended by a task that closes what it has opened."""
    monkeypatch.setattr(tasks, "connections", SimpleNamespace(close_all=lambda: None))


@pytest.fixture
def old(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Threads as an older version left them: the words of a letter that it did not know."""
    monkeypatch.setattr(reindex, "_PAUSE_SECONDS", 0)
    world = Emulator(threads=6, seed=7, now=NOW)
    for each in world.thread_ids():
        world.set_items(each, [spoken(f"płatność {number}") for number in range(7)])
    made = world.arrive(1, user="Łukasz")
    world.set_items(made[0], [spoken("płatność")])
    sync(world)
    ArchivedItem.objects.update(text="płatnosc")
    SearchDoc.objects.update(words="płatnosc")
    Word.objects.all().delete()
    Word.objects.create(word="płatnosc")
    StaleIndex.objects.bulk_create([StaleIndex(thread=each) for each in ArchivedThread.objects.all()])
    Progress.objects.update(folding=0)
    word_index.clear_cache()
    thread_info.clear_cache()
    return made


def test_what_was_folded_otherwise_is_folded_anew(old: list[str]) -> None:
    assert ids(ThreadQuery(q="platnosc")) == []
    lacking = thread_info.search_gaps()
    assert lacking
    assert "The search index is being rebuilt: 7 threads are still to come" in lacking.unindexed
    tasks._index_stale()
    thread_info.clear_cache()
    assert thread_info.search_gaps() is None
    assert len(ids(ThreadQuery(q="platnosc", limit=100))) == 7
    assert ids(ThreadQuery(user="lukasz", match="part")) == old
    assert not Word.objects.filter(word="płatnosc").exists()
    assert Progress.objects.get().folding == VERSION
    assert not users.find_users("łukasz", part=True).nobody
    counted.check()


def test_it_can_be_stopped_anywhere_and_goes_on(old: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Also within a thread that has more items than one transaction."""
    monkeypatch.setattr(reindex, "_MAX_ITEMS", 3)
    monkeypatch.setattr(reindex, "_MAX_WORDS", 5)
    left: list[int] = []
    for steps in (1, 2, 4, 9, 100, 100, 100):
        asked = iter(range(steps))
        reindex.run(lambda asked=asked: next(asked, None) is None)  # type: ignore[misc]
        left.append(StaleIndex.objects.count())
    assert left == sorted(left, reverse=True)
    assert left[2] > 0
    assert left[-1] == 0
    assert not reindex.is_due()
    counted.check()


def test_one_worker_at_a_time(old: list[str]) -> None:
    held = ArchiveLease("index")
    with pytest.MonkeyPatch.context() as elsewhere:
        elsewhere.setattr("threads.jobs.lease_holder.is_dead", lambda _holder: False)
        tasks._index_stale()
    assert StaleIndex.objects.count() == 7
    held.release()
    tasks._index_stale()
    assert not StaleIndex.objects.exists()


def test_the_command_says_when_it_is_done(old: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    call_command("archive", "index")
    assert "up to date" in capsys.readouterr().out
    counted.check()


def test_a_long_thread_is_left_to_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_index, "_MOST_ITEMS", 5)
    world = Emulator(threads=1, seed=7, now=NOW)
    (thread,) = world.thread_ids()
    world.set_items(thread, [spoken(f"item {number} zebrafinch") for number in range(40)])
    sync(world)
    assert not StaleIndex.objects.exists()
    world.set_title(thread, "Umbrella")
    world.set_status(thread, "locked", "quarantine")
    with transaction.atomic():
        kept = ArchivedThread.objects.get()
        with CaptureQueriesContext(
            connection,
        ) as asked:
            write.refresh_threads([(kept, _shown(world))], timezone.now())
    assert not [each for each in asked if "archive_archiveditem" in each["sql"]]
    assert ids(ThreadQuery(status="locked")) == [thread]
    assert ids(ThreadQuery(q="zebrafinch")) == [thread]
    tasks._index_stale()
    assert ids(ThreadQuery(q="umbrella quarantine zebrafinch", status="locked")) == [thread]
    counted.check()


def test_a_thread_of_very_many_words_is_not_written_for_each_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_index, "_LARGE", 50)
    world = Emulator(threads=1, seed=7, now=NOW)
    (thread,) = world.thread_ids()
    world.set_items(thread, [spoken(f"words {number} of many, and more of them") for number in range(250)])
    sync(world)
    assert StaleIndex.objects.count() == 1
    tasks._index_stale()
    assert ids(ThreadQuery(q="249 words")) == [thread]
    counted.check()


def _shown(world: Emulator) -> Any:
    client = asking(world)
    (row,) = client.list_threads(order="asc", limit=1).rows
    client.close()
    return row


def words_noted(sql: CaptureQueriesContext) -> list[str]:
    return [each["sql"] for each in sql if each["sql"].startswith("INSERT") and '"archive_word"' in each["sql"]]


def test_a_transaction_notes_its_words_last_and_in_one_order(emulator: Emulator) -> None:
    """Two that note the same words of several threads never wait for each other."""
    sync(emulator)
    first, second = ArchivedThread.objects.order_by("number")[:2]
    run = SyncContext(cast(Any, None), side_by_side=1, per_minute=None, pauses=(), watch=lambda _tally: None)
    run.begin(everything=False, answers=False)
    with CaptureQueriesContext(connection) as sql, run.leased_transaction():
        word_index.add_items(first, ["zzlast", "mmmiddle"])
        word_index.add_items(second, ["aafirst"])
        assert not words_noted(sql)
    run.end()
    (noted,) = words_noted(sql)
    assert noted.index("aafirst") < noted.index("mmmiddle") < noted.index("zzlast")
    assert "archive_searchdoc" not in "".join(each["sql"] for each in sql).partition(noted)[2]
    with suppress(ZeroDivisionError), transaction.atomic(), word_index.words_at_end():
        word_index.add_items(first, ["undone"])
        raise ZeroDivisionError
    word_index.reindex_threads([])
    assert not Word.objects.filter(word="undone").exists()


def test_who_reads_a_thread_notes_its_words_once(emulator: Emulator) -> None:
    sync(emulator)
    thread, *_ = emulator.thread_ids()
    client = asking(emulator)
    emulator.set_items(thread, [spoken("aafirst")])
    found = replace(client.retrieve_thread(thread), title="zzlast", raw={"id": thread, "title": "zzlast"})
    kept = ArchivedThread.objects.get(thread_id=thread)
    ArchivedItem.objects.filter(thread=kept).delete()
    ArchivedThread.objects.filter(pk=kept.pk).update(items=0, last_item_id=None)
    with CaptureQueriesContext(connection) as sql:
        thread_info.refresh(found, LiveSource(client).list_items(thread, ItemQuery(limit=100)))
    client.close()
    (noted,) = words_noted(sql)
    assert noted.index("aafirst") < noted.index("zzlast")
