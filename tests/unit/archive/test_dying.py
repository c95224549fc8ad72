"""An upstream that is dead, retired, another one, or lying never makes the archive smaller, marks nothing, and
completes nothing; and one that lives is believed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import counted
from tests.support.clock import Clock, put_forward
from tests.support.dying import Dying, Held, held, run
from tests.support.effort import times
from tests.support.mirror import archive, upstream
from tests.support.syncing import spoken
from threads.archive import deletion_evidence
from threads.archive.completeness import completeness
from threads.archive.models import (
    ArchivedItem,
    ArchivedThread,
    ArchivedUser,
    Day,
    Lease,
    OversizedItem,
    Progress,
    QuarterCount,
    Reason,
    ThreadState,
    Word,
)
from threads.archive.removal import erase
from threads.archive.report import archive_report
from threads.archive.store import word_index
from threads.audit.models import AuditEvent
from threads.audit.record import Action
from threads.chatkit import CursorGone, Garbled, NotFound, Retired, Thread
from threads.emulator import Fault

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PURGE = pytest.mark.parametrize("purge", [False, True], ids=["mark", "purge"])
DAY = timedelta(hours=25)


@pytest.fixture
def clock() -> Iterator[Clock]:
    with put_forward() as clock:
        yield clock


def world(threads: int = 60, **how: Any) -> Dying:
    return Dying(threads=threads, seed=7, now=timezone.now().timestamp(), **how)


def filled(threads: int = 60, **how: Any) -> Dying:
    """An upstream of which everything has been copied."""
    made = world(threads, **how)
    assert run(made.client(seconds=10)) is None
    assert completeness().as_of is not None
    return made


def same(before: Held, after: Held) -> None:
    """Nothing was lost, marked or removed."""
    assert before.threads <= after.threads
    assert before.items <= after.items
    # What a garbled list invents may be marked when it is gone again.
    assert after.marked & before.threads == before.marked
    assert after.removed == before.removed


LYING = [Fault.GONE_404, Fault.GONE_410, Fault.EMPTY_LIST, Fault.CURSORS_404, Fault.CURSORS_400, Fault.THREADS_404]
LYING += [Fault.OTHER_PROJECT, Fault.REFUSE, Fault.WRONG_KEY, Fault.ERROR_500]


@PURGE
@pytest.mark.parametrize("fault", LYING, ids=lambda fault: fault.value)
def test_days_of_an_upstream_that_lies(fault: Fault, purge: bool, clock: Clock) -> None:
    made = filled()
    before = held()
    made.dies(fault)
    for _ in range(4):
        clock.forward(DAY)
        run(made.client(), purge=purge)
        run(made.client(), purge=purge, everything=True)
    after = held()
    same(before, after)
    assert after.threads == before.threads
    counted.check()
    made.at = made.fault = None
    assert before.as_of is not None
    if after.as_of is not None and after.as_of > before.as_of:
        # A list that fits on one page needs no cursor.
        assert fault in {Fault.CURSORS_404, Fault.CURSORS_400}
        assert archive() == upstream(made)
    # What comes back is believed again.
    clock.forward(DAY)
    assert run(made.client(seconds=10), purge=purge, everything=True) is None
    assert archive() == upstream(made)
    assert completeness().as_of is not None


def test_the_end_is_told_in_words() -> None:
    made = filled()
    was = archive_report()
    made.dies(Fault.GONE_404)
    assert isinstance(run(made.client()), Retired)
    found = archive_report()
    assert found.failure == "OpenAI no longer offers this (Invalid URL (GET /v1/chatkit/threads))"
    assert (found.threads, found.items, found.gone) == (was.threads, was.items, 0)
    assert found.complete.as_of == was.complete.as_of
    assert AuditEvent.objects.filter(action=Action.ARCHIVE, outcome="failed").count() == 1
    # A worker that looks every few minutes for months does not fill the audit log with that.
    run(made.client())
    assert AuditEvent.objects.filter(action=Action.ARCHIVE, outcome="failed").count() == 1


def test_what_is_lacking_at_the_end_is_named() -> None:
    made = world()
    assert run(made.client(seconds=10)) is None
    unread = list(made.thread_ids())[3]
    ArchivedThread.objects.filter(thread_id=unread).update(read_at=None, due_at=None)
    made.dies(Fault.GONE_404)
    run(made.client())
    assert completeness().as_of is None
    assert "1 thread has not been read to the last item." in completeness().lacking


@PURGE
def test_an_empty_list_asks_for_no_thread_by_its_id(purge: bool, clock: Clock) -> None:
    made = filled(21)
    made.dies(Fault.EMPTY_LIST)
    made.calls.clear()
    clock.forward(DAY)
    assert isinstance(run(made.client(), purge=purge), Garbled)
    assert not [path for _, path, _ in made.calls if not path.endswith("/threads")]
    assert not held().marked


FAULTS = sorted(Fault, key=lambda fault: fault.value)


@settings(max_examples=times(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    fault=st.sampled_from(FAULTS),
    at=st.integers(0, 60),
    purge=st.booleans(),
    everything=st.booleans(),
    days=st.integers(1, 3),
)
def test_whatever_fails_and_whenever_nothing_is_lost_and_nothing_wrong_is_said(
    fault: Fault, at: int, purge: bool, everything: bool, days: int
) -> None:
    for model in (
        OversizedItem,
        ArchivedItem,
        ArchivedThread,
        Day,
        QuarterCount,
        ThreadState,
        ArchivedUser,
        Reason,
        Word,
        Progress,
        Lease,
    ):
        model.objects.all().delete()
    word_index.clear_cache()
    made = world(14)
    assert run(made.client(seconds=10)) is None
    before = held()
    with put_forward() as clock:
        clock.forward(DAY)
        # What has come since is to be kept, or nothing is called complete as of then.
        since, said = timezone.now(), list(made.thread_ids())[5]
        made.arrive(2)
        made.add_items(said, [spoken("zebrafinch")])
        made.dies(fault, at)
        for _ in range(days):
            run(made.client(seconds=0.2, bytes=500_000), purge=purge, everything=everything, stopped_after=1)
            clock.forward(DAY)
        after = held()
        same(before, after)
        if after.as_of is not None and after.as_of >= since:
            there = upstream_without_fault(made)
            assert set(there) <= set(archive())
            assert {each: len(items) for each, (_, items) in there.items()} == {
                each: len(items) for each, (_, items) in archive().items() if each in there
            }


def upstream_without_fault(made: Dying) -> dict[str, tuple[object, list[object]]]:
    made.at = made.fault = None
    return upstream(made)


# The table of what was seen, row by row.


@pytest.mark.parametrize("number", [1, 30])
@pytest.mark.parametrize("status", [404, 400])
def test_the_newest_threads_are_deleted_elsewhere(status: int, number: int) -> None:
    """With thirty, the place that the walk begins at is gone too."""
    made = filled(gone_cursor_status=status)
    lost = list(made.thread_ids())[:number]
    for each in lost:
        made.delete(each)
    arrived = made.arrive(2)
    made.calls.clear()
    assert run(made.client(seconds=10)) is None
    assert set(arrived) <= set(archive())
    assert held().marked <= set(lost)
    assert made.calls


def test_new_items_in_old_threads_are_read_or_nothing_is_called_complete(clock: Clock) -> None:
    """Case 02: the second sync may leave old conversations for later, and says as of when they are whole."""
    made = filled(60)
    first = completeness().as_of
    assert first is not None
    clock.forward(timedelta(minutes=1))
    old = list(made.thread_ids())[::12]
    for each in old:
        made.add_items(each, [spoken("zebrafinch")])
    run(made.client(seconds=10))
    if archive() != upstream(made):
        as_of = completeness().as_of
        assert as_of is not None
        assert as_of < timezone.now() - timedelta(seconds=30)
    # Within the period that is set each conversation is asked, by the cheapest question.
    clock.forward(timedelta(hours=24))
    made.calls.clear()
    assert run(made.client(seconds=10)) is None
    assert archive() == upstream(made)
    questions = [query for _, path, query in made.calls if path.endswith("/items") and "limit=1&" in query + "&"]
    assert len(questions) == 60
    assert completeness().as_of is not None


def test_everything_asks_every_conversation_now() -> None:
    made = filled(60)
    for each in list(made.thread_ids())[::7]:
        made.add_items(each, [spoken("zebrafinch")])
    assert run(made.client(seconds=10), everything=True, every=None) is None
    assert archive() == upstream(made)


def test_a_newest_item_that_stands_elsewhere_is_looked_for() -> None:
    """The newest item is compared with all that are kept, not with the last one alone."""
    made = filled(14)
    thread = ArchivedThread.objects.get(thread_id=list(made.thread_ids())[4])
    items = list(ArchivedItem.objects.filter(thread=thread).order_by("place"))
    assert len(items) > 1
    # As if the first had been missed, and another were the last that the reading came to.
    items[0].delete()
    ArchivedThread.objects.filter(pk=thread.pk).update(items=len(items) - 1)
    Progress.objects.update(items=ArchivedItem.objects.count())
    ArchivedThread.objects.filter(pk=thread.pk).update(last_item_id=items[0].item_id)
    run(made.client(seconds=10), everything=True, every=None)
    assert ArchivedItem.objects.filter(thread=thread, item_id=items[-1].item_id).exists()


def test_a_thread_of_the_same_second_and_one_that_becomes_visible_late(clock: Clock) -> None:
    """Case 04."""
    made = world(150, ties=3)
    ids = list(made.thread_ids(order="asc"))
    tie, late, long_ago = ids[-2], ids[-6], ids[20]
    moment = timezone.now().timestamp()
    for number, each in enumerate(ids[-9:]):
        made.set_created_at(each, int(moment) - 9 + number // 3)
    for each in (tie, late, long_ago):
        made.hide(each)
    assert run(made.client(seconds=10)) is None
    assert not {tie, late, long_ago} & set(archive())
    as_of = completeness().as_of
    for each in (tie, late, long_ago):
        made.reveal(each)
    clock.forward(timedelta(minutes=2))
    assert run(made.client(seconds=10)) is None
    assert {tie, late} <= set(archive())
    # What lies further back is found by the sweep: until then nothing newer is called complete.
    assert long_ago not in archive()
    assert completeness().as_of == as_of
    clock.forward(DAY)
    assert run(made.client(seconds=10)) is None
    assert archive() == upstream(made)


def test_pages_that_are_too_large_come_in_smaller_ones() -> None:
    made = world(14)
    newest = next(made.thread_ids())
    made.set_items(newest, [spoken("z" * 9_000) for _ in range(60)])
    assert run(made.client(seconds=10, bytes=60_000)) is None
    assert archive() == upstream(made)
    assert completeness().as_of is not None


LARGE = "m" * 90_000


@pytest.mark.parametrize("nameless", [False, True])
@pytest.mark.parametrize("where", [0, 60, 109])
def test_one_item_that_is_too_large_is_named_and_the_others_are_kept(where: int, nameless: bool, settings: Any) -> None:
    settings.CHATKIT_MAX_BYTES = 60_000
    made = world(14)
    newest = next(made.thread_ids())
    items = [spoken(f"said {number}") for number in range(110)]
    items[where] = spoken(LARGE)
    made.set_items(newest, items)
    client = made.client(seconds=10, bytes=60_000)
    if nameless:
        nameless_rows(client)
    run(client)
    thread = ArchivedThread.objects.get(thread_id=newest)
    whole = upstream(made)[newest][1]
    kept = [each for place, each in enumerate(whole) if place != where]
    noted = OversizedItem.objects.get()
    assert (noted.thread_id, noted.place) == (thread.pk, where)
    assert noted.item_id == ("" if nameless else whole[where]["id"])  # type: ignore[index]
    assert archive()[newest][1] == kept
    assert completeness().as_of is None
    # With a higher limit it is there.
    settings.CHATKIT_MAX_BYTES = 200_000
    ArchivedThread.objects.update(due_at=None)
    run(made.client(seconds=10, bytes=200_000), everything=True)
    assert len(archive()[newest][1]) == 110
    assert not OversizedItem.objects.exists()
    assert completeness().as_of is not None


def nameless_rows(client: Any) -> None:
    """As if the id of an item stood behind what it says."""
    from threads.chatkit import TooLarge

    ask = client._transport.send

    def send(*how: Any) -> Any:
        try:
            return ask(*how)
        except TooLarge as error:
            error.row_id = None
            raise

    client._transport.send = send


# What is no fault must stop nothing.


def test_thirty_deletions_each_night(clock: Clock) -> None:
    made = filled(160)
    gone: set[str] = set()
    for _ in range(3):
        some = list(made.thread_ids())[2:62:2]
        for each in some:
            made.delete(each)
        gone.update(some)
        clock.forward(DAY)
        assert run(made.client(seconds=10)) is None
        assert held().marked == gone
        assert deletion_evidence.open_breaker() is None
    assert archive() == upstream(made)


def test_an_erasure_of_many_made_here(clock: Clock, settings: Any) -> None:
    """What was erased here is not kept any more, so nothing of it is missing."""
    settings.ARCHIVE_DELETIONS_PER_DAY = 0
    made = filled(160)
    for each in list(made.thread_ids())[10:130]:
        made.delete(each)
        with transaction.atomic():
            erase([each])
    clock.forward(DAY)
    assert run(made.client(seconds=10), purge=True) is None
    assert not held().marked
    assert deletion_evidence.open_breaker() is None
    assert archive() == upstream(made)


def test_a_conversation_that_is_shown_empty_is_not_called_whole() -> None:
    made = filled(14)
    client = made.client(seconds=10)
    whole = client.list_items
    thread = ArchivedThread.objects.get(thread_id=list(made.thread_ids())[4])
    before = held()

    def empty(thread_id: str, **how: Any) -> Any:
        page = whole(thread_id, **how)
        return replace(page, rows=(), has_more=False) if thread_id == thread.thread_id else page

    client.list_items = empty  # type: ignore[method-assign]
    run(client, everything=True, every=None)
    same(before, held())
    assert completeness().as_of is None
    thread.refresh_from_db()
    assert thread.sync_error == "the upstream shows none of its items, of which some are kept"
    run(made.client(seconds=10), everything=True, every=None)
    assert completeness().as_of is not None


def test_more_deletions_than_is_plausible_open_the_circuit_breaker(clock: Clock, settings: Any) -> None:
    settings.ARCHIVE_DELETIONS_PER_DAY = 0
    made = filled(130)
    for each in list(made.thread_ids())[10:50]:
        made.delete(each)
    arrived = made.arrive(1)
    clock.forward(DAY)
    assert run(made.client(seconds=10), purge=True) is None
    assert set(arrived) <= set(archive())  # copying goes on
    assert ArchivedThread.objects.exclude(deleted_upstream_at=None).count() == 20
    breaker = deletion_evidence.open_breaker()
    assert breaker is not None
    assert (breaker.withheld, breaker.limit) == (20, 20)
    for _ in range(3):
        clock.forward(DAY)
        run(made.client(seconds=10), purge=True)
    assert ArchivedThread.objects.count() == 131  # nothing is removed while it is open, nor marked
    assert ArchivedThread.objects.exclude(deleted_upstream_at=None).count() == 20
    assert AuditEvent.objects.filter(action=Action.ARCHIVE, outcome="refused").count() == 1
    assert deletion_evidence.accept_withheld(timezone.now()) == 20
    assert deletion_evidence.open_breaker() is None
    event = AuditEvent.objects.filter(action=Action.ARCHIVE, outcome="done", detail__deletions="accepted").get()
    assert len(event.detail["threads"]) == 20
    for _ in range(4):
        clock.forward(DAY)
        run(made.client(seconds=10), purge=True)
    assert ArchivedThread.objects.count() == 91
    assert archive() == upstream(made)
    assert AuditEvent.objects.filter(action=Action.PURGE).count() == 40
    counted.check()


def test_a_thread_that_comes_back_is_withheld_no_more(clock: Clock, settings: Any) -> None:
    settings.ARCHIVE_DELETIONS_PER_DAY = 0
    made = filled(130)
    hidden = list(made.thread_ids())[10:35]
    for each in hidden:
        made.hide(each)
    clock.forward(DAY)
    run(made.client(seconds=10))
    assert deletion_evidence.withheld().count() == 5
    for each in hidden:
        made.reveal(each)
    clock.forward(DAY)
    run(made.client(seconds=10))
    assert deletion_evidence.open_breaker() is None
    assert not held().marked
    assert archive() == upstream(made)


@pytest.mark.parametrize("which", [0, 3, 40, -1])
def test_a_purge_takes_two_sweeps_a_day_apart(which: int, clock: Clock) -> None:
    made = filled()
    lost = list(made.thread_ids())[which]
    number = ArchivedThread.objects.get(thread_id=lost).number
    made.delete(lost)
    clock.forward(DAY)
    assert run(made.client(seconds=10), purge=True) is None
    assert held().marked == {lost}
    run(made.client(seconds=10), purge=True)
    clock.forward(timedelta(hours=12))
    run(made.client(seconds=10), purge=True)
    assert ArchivedThread.objects.filter(thread_id=lost).exists()
    clock.forward(DAY)
    assert run(made.client(seconds=10), purge=True) is None
    assert not ArchivedThread.objects.filter(thread_id=lost).exists()
    assert not ArchivedItem.objects.filter(thread_id=number).exists()
    assert AuditEvent.objects.get(action=Action.PURGE).thread_id == lost
    made.arrive(1)
    assert run(made.client(seconds=10), purge=True) is None
    assert archive() == upstream(made)
    counted.check()


def test_nothing_is_purged_in_a_run_in_which_something_could_not_be_decided(clock: Clock, monkeypatch: Any) -> None:
    made = filled()
    first, second = list(made.thread_ids())[5:7]
    made.delete(first)
    clock.forward(DAY)
    run(made.client(seconds=10), purge=True)
    made.delete(second)
    clock.forward(DAY)
    client = made.client(seconds=10)
    retrieve = client.retrieve_thread

    def broken(thread_id: str) -> Any:
        if thread_id == second:
            raise Garbled("no answer for this one")
        return retrieve(thread_id)

    monkeypatch.setattr(client, "retrieve_thread", broken)
    run(client, purge=True)
    assert ArchivedThread.objects.filter(thread_id=first).exists()
    clock.forward(DAY)
    run(made.client(seconds=10), purge=True)
    assert not ArchivedThread.objects.filter(thread_id=first).exists()


def test_without_another_kept_thread_nothing_is_decided(clock: Clock) -> None:
    made = filled(1)
    made.delete(next(made.thread_ids()))
    made.arrive(1)
    clock.forward(DAY)
    run(made.client(seconds=10))
    assert not held().marked


def test_rows_without_an_id_are_counted_once() -> None:
    made = world(30)
    client = made.client(seconds=10)
    whole = client.list_threads

    def some(**how: Any) -> Any:
        page = whole(**how)
        return page if page.has_more else replace(page, rows=(*page.rows, Thread(None, problems=("no id",), raw={})))

    client.list_threads = some  # type: ignore[method-assign]
    for _ in range(3):
        run(client)
    assert completeness().unreadable == 1
    assert completeness().as_of is None


def test_a_list_that_takes_any_cursor_for_its_beginning_is_not_copied() -> None:
    """Another project's, where the cursors of this one are unknown."""
    made = filled(150)
    before = held()
    client = made.client(seconds=10)
    made.fault = Fault.OTHER_PROJECT
    whole = client.list_threads
    client.list_threads = lambda **how: whole(**how | {"after": None})  # type: ignore[method-assign]
    assert isinstance(run(client), Garbled)
    assert held() == before


@pytest.mark.parametrize("number", [1, 5, 30])
def test_the_newest_threads_are_all_deleted_at_once(number: int) -> None:
    made = filled()
    lost = list(made.thread_ids())[:number]
    for each in lost:
        made.delete(each)
    run(made.client(seconds=10), everything=True)
    assert held().marked == set(lost)


def test_a_list_that_is_empty_behind_every_cursor_says_nothing(clock: Clock) -> None:
    made = filled(150)
    before = held()
    some = list(made.thread_ids())[::4]
    client = made.client(seconds=10)
    list_threads, retrieve = client.list_threads, client.retrieve_thread

    def empty(**how: Any) -> Any:
        page = list_threads(**how)
        return page if how.get("after") is None else replace(page, rows=(), has_more=False)

    def partly(thread_id: str) -> Any:
        if thread_id in some:
            raise NotFound("no such thread")
        return retrieve(thread_id)

    client.list_threads, client.retrieve_thread = empty, partly  # type: ignore[method-assign]
    for _ in range(3):
        clock.forward(DAY)
        run(client, purge=True, everything=True)
    same(before, held())
    assert (held().as_of or before.as_of) == before.as_of


def test_a_first_copy_whose_list_ends_too_early_is_not_complete() -> None:
    made = world(300)
    client = made.client(seconds=10)
    whole = client.list_threads

    def cut(**how: Any) -> Any:
        page = whole(**how)
        return page if how.get("after") is None else replace(page, rows=(), has_more=False)

    client.list_threads = cut  # type: ignore[method-assign]
    for _ in range(2):
        run(client)
    assert completeness().as_of is None
    assert "The list of threads has not been read to its end." in completeness().lacking
    assert run(made.client(seconds=10)) is None
    assert archive() == upstream(made)
    assert completeness().as_of is not None


def test_a_list_that_is_cut_off_before_a_thread_says_nothing_of_it(clock: Clock) -> None:
    made = filled(60)
    ids = list(made.thread_ids(order="asc"))
    lost, refused = ids[35], ids[16:35]
    before = held()
    client = made.client(seconds=10)
    list_threads, retrieve = client.list_threads, client.retrieve_thread

    def cut(**how: Any) -> Any:
        after = how.get("after")
        if after in refused:
            raise CursorGone("no such row")
        page = list_threads(**how)
        return (
            page if after is None else replace(page, rows=page.rows[:5], last_id=page.rows[:5][-1].id, has_more=False)
        )

    def without(thread_id: str) -> Any:
        if thread_id == lost:
            raise NotFound("no such thread")
        return retrieve(thread_id)

    client.list_threads, client.retrieve_thread = cut, without  # type: ignore[method-assign]
    assert deletion_evidence.DeletionChecker(client).of(lost).verdict is deletion_evidence.DeletionVerdict.UNDECIDED
    same(before, held())


def test_what_is_withheld_is_asked_for_no_more_and_keeps_nobody_waiting(clock: Clock) -> None:
    made = filled(200)
    lost = list(made.thread_ids())[20:150]
    for each in lost:
        made.delete(each)
    clock.forward(DAY)
    run(made.client(seconds=10))
    assert deletion_evidence.withheld().count() == 80
    for each in made.thread_ids():
        made.add_items(each, [spoken("zebrafinch")])
    clock.forward(DAY)
    made.calls.clear()
    assert run(made.client(seconds=10)) is None
    assert not [path for _, path, _ in made.calls if any(each in path for each in lost)]
    assert archive_of(made) == upstream(made)


def archive_of(made: Dying) -> dict[str, Any]:
    return {each: kept for each, kept in archive().items() if each in set(made.thread_ids())}


def test_a_mark_that_no_sweep_confirmed_is_no_reason_to_remove(clock: Clock) -> None:
    made = filled()
    lost = list(made.thread_ids())[30]
    made.delete(lost)
    ArchivedThread.objects.filter(thread_id=lost).update(due_at=None)
    run(made.client(seconds=10), purge=True)
    assert held().marked == {lost}  # by its conversation
    clock.forward(DAY)
    run(made.client(seconds=10), purge=True)
    assert ArchivedThread.objects.filter(thread_id=lost).exists()  # by one sweep
    clock.forward(DAY)
    run(made.client(seconds=10), purge=True)
    assert not ArchivedThread.objects.filter(thread_id=lost).exists()


def test_a_limit_that_was_raised_and_is_still_too_low(settings: Any) -> None:
    settings.CHATKIT_MAX_BYTES = 60_000
    made = world(14)
    newest = next(made.thread_ids())
    made.set_items(newest, [spoken("one"), spoken("m" * 200_000), spoken("three")])
    run(made.client(seconds=10, bytes=60_000))
    settings.CHATKIT_MAX_BYTES = 90_000
    run(made.client(seconds=10, bytes=90_000), everything=True, every=None)
    noted = OversizedItem.objects.get()
    assert (noted.limit, noted.detail) == (90_000, "the reply is larger than 90,000 bytes")
    assert ArchivedThread.objects.get(thread_id=newest).sync_error is None
    made.calls.clear()
    run(made.client(seconds=10, bytes=90_000), everything=True, every=None)
    assert len([path for _, path, _ in made.calls if path.endswith(f"{newest}/items")]) == 1


@pytest.mark.parametrize("nameless", [False, True])
@pytest.mark.parametrize("where", [0, 70, 149])
def test_one_thread_that_is_too_large_is_passed_by(where: int, nameless: bool) -> None:
    made = world(150)
    large = list(made.thread_ids(order="asc"))[where]
    made.set_title(large, "m" * 90_000)
    client = made.client(seconds=10, bytes=60_000)
    if nameless:
        nameless_rows(client)
    assert run(client) is None
    assert set(archive()) == set(upstream(made)) - {large}
    assert completeness().unreadable == 1
    assert completeness().as_of is None


def test_a_thread_is_present_absent_or_undecided_by_its_controls() -> None:
    """The list hides it and its id finds none: that counts only where another kept thread is found."""
    made = filled()
    lost = list(made.thread_ids())[30]
    made.delete(lost)
    assert (
        deletion_evidence.DeletionChecker(made.client(seconds=10)).of(lost).verdict
        is deletion_evidence.DeletionVerdict.DELETED
    )
    client = made.client(seconds=10)

    def none(thread_id: str) -> Any:
        raise NotFound("no such thread")

    client.retrieve_thread = none  # type: ignore[method-assign]
    finding = deletion_evidence.DeletionChecker(client).of(lost)
    assert (finding.verdict, finding.why) == (
        deletion_evidence.DeletionVerdict.UNDECIDED, "no other kept thread was found by its id",
    )  # fmt: skip
    other = list(made.thread_ids())[3]
    found = deletion_evidence.DeletionChecker(made.client(seconds=10)).of(other)
    assert found.verdict is deletion_evidence.DeletionVerdict.PRESENT


def test_a_newest_item_that_is_kept_is_enough_wherever_the_reading_came_to() -> None:
    made = filled(14)
    thread = next(each for each in ArchivedThread.objects.all() if each.items > 3)
    first = ArchivedItem.objects.get(thread=thread, place=0)
    ArchivedThread.objects.filter(pk=thread.pk).update(last_item_id=first.item_id)
    made.calls.clear()
    run(made.client(seconds=10), everything=True, every=None)
    assert len([path for _, path, _ in made.calls if path.endswith(f"{thread.thread_id}/items")]) == 1
