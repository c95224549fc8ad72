"""The copying: everything, once, whatever happens meanwhile, and complete only where it is."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import counted
from tests.support.effort import times
from tests.support.mirror import archive, asking, upstream
from tests.support.syncing import is_complete, spoken, sync
from tests.support.upstream import NOW
from threads.archive.models import (
    ArchivedItem,
    ArchivedThread,
    ArchivedUser,
    Day,
    Lease,
    Progress,
    QuarterCount,
    Reason,
    SearchDoc,
    ThreadState,
    Word,
)
from threads.archive.store import word_index
from threads.archive.sync.lease import ArchiveLease, LeaseHeldError
from threads.archive.sync.sync import Sync
from threads.chatkit import ChatKitError, NotSignedIn, Retired
from threads.emulator import Emulator, Fault
from threads.jobs.lease import LeaseLostError

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def world() -> Emulator:
    return Emulator(threads=130, seed=7, now=NOW)


def test_everything_is_copied_in_the_apis_order(world: Emulator) -> None:
    newest = next(world.thread_ids())
    world.set_items(newest, [spoken(f"said {number}") for number in range(230)])
    done = sync(world)
    assert archive() == upstream(world)
    assert list(archive()) == list(world.thread_ids(order="asc"))
    assert is_complete()
    assert (done.tally.new_threads, done.tally.threads_read) == (130, 130)
    assert done.tally.new_items == ArchivedItem.objects.count()


def test_a_second_run_asks_for_what_is_new_alone(world: Emulator) -> None:
    sync(world)
    ArchivedThread.objects.update(due_at="2200-01-01T00:00Z")
    arrived = world.arrive(3)
    world.calls.clear()
    sync(world)
    asked = [path for _, path, _ in world.calls]
    # Two walks, each with the question which thread is the newest.
    assert len(asked) == 4 + len(arrived)
    assert sum(path.endswith("/items") for path in asked) == len(arrived)
    assert archive() == upstream(world)


def test_metadata_alone(world: Emulator) -> None:
    sync(world, with_items=False)
    assert ArchivedThread.objects.count() == 130
    assert not ArchivedItem.objects.exists()
    assert not is_complete()


def test_a_thread_whose_items_fail_is_named_and_tried_again_later(world: Emulator) -> None:
    sync(world, with_items=False)
    world.fault = Fault.FLAKY_ONCE
    sync(world)
    assert archive() == upstream(world)
    assert is_complete()


def test_it_is_not_complete_while_a_thread_could_not_be_read(world: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = list(world.thread_ids())[5]
    client = asking(world)
    whole = client.list_items

    def items(thread_id: str, **how: Any) -> Any:
        if thread_id == broken:
            raise ChatKitError("it is broken", request_id="req_1")
        return whole(thread_id, **how)

    monkeypatch.setattr(client, "list_items", items)
    Sync(client, pauses=()).run()
    kept = ArchivedThread.objects.get(thread_id=broken)
    assert not is_complete()
    assert (kept.sync_error, kept.read_at, kept.failures) == ("it is broken (request req_1)", None, 1)
    assert ArchivedThread.objects.filter(read_at__isnull=False).count() == 129
    monkeypatch.undo()
    ArchivedThread.objects.update(due_at=None)
    sync(world)
    assert archive() == upstream(world)
    assert is_complete()


def test_a_wrong_key_ends_the_run_and_says_so(world: Emulator) -> None:
    sync(world)
    world.fault = Fault.WRONG_KEY
    with pytest.raises(NotSignedIn):
        sync(world)
    assert Progress.objects.get().failure
    world.fault = None
    sync(world)
    assert Progress.objects.get().failure is None


def test_a_thread_deleted_upstream_is_kept_and_marked(world: Emulator) -> None:
    sync(world)
    ids = list(world.thread_ids())
    for each in (ids[0], ids[50], ids[-1]):
        world.delete(each)
    sync(world, everything=True)
    assert archive() == upstream(world)
    assert set(archive(gone=True)) == {ids[0], ids[50], ids[-1]}
    assert is_complete()


def test_the_walk_goes_on_when_the_thread_it_came_to_is_gone(world: Emulator) -> None:
    sync(world)
    ids = list(world.thread_ids())
    for each in ids[:3]:
        world.delete(each)
    arrived = world.arrive(2)
    sync(world)
    assert set(arrived) <= set(archive())
    # The others are for a sweep to notice: a cursor that is gone marks nothing.
    sync(world, everything=True)
    assert archive() == upstream(world)
    assert set(archive(gone=True)) == set(ids[:3])


def test_what_changes_is_noticed(world: Emulator) -> None:
    sync(world)
    ids = list(world.thread_ids())
    world.set_status(ids[7], "locked", "why\0not")
    world.set_title(ids[8], "Another")
    world.add_items(ids[9], [spoken("and then")])
    sync(world, everything=True)
    assert archive() == upstream(world)
    assert ArchivedThread.objects.get(thread_id=ids[7]).reason == "why\ufffdnot"


def test_two_never_copy_at_once(world: Emulator) -> None:
    ArchiveLease("sync")
    with pytest.raises(LeaseHeldError):
        sync(world)
    assert not ArchivedThread.objects.exists()


def test_the_work_of_a_dead_worker_is_taken_over(world: Emulator) -> None:
    dead = ArchiveLease("sync")
    Lease.objects.update(until="2020-01-01T00:00Z")
    sync(world)
    assert is_complete()
    with pytest.raises(LeaseLostError), transaction.atomic():
        dead.renew()


def test_what_an_older_version_kept_is_counted_and_indexed(world: Emulator) -> None:
    sync(world)
    ArchivedThread.objects.update(state=None, archived_user=None, cause=None, opening=None, messages=0)
    ArchivedItem.objects.update(text="")
    for model in (SearchDoc, Day, QuarterCount, ThreadState, ArchivedUser, Reason):
        model.objects.all().delete()
    Progress.objects.update(items=0)
    sync(world)
    counted.check()


def test_the_upstream_is_retired_half_way(world: Emulator) -> None:
    """What was copied by then is kept and can be found, and nothing is called complete."""
    client, pages = asking(world), 0
    whole = client.list_items

    def items(thread_id: str, **how: Any) -> Any:
        nonlocal pages
        pages += 1
        if pages > 60:
            world.fault = Fault.GONE_410
        return whole(thread_id, **how)

    client.list_items = items  # type: ignore[method-assign]
    with pytest.raises(Retired):
        Sync(client, pauses=()).run()
    client.close()
    assert not is_complete()
    assert 0 < ArchivedThread.objects.filter(read_at__isnull=False).count() < 130
    assert ArchivedThread.objects.count() == 130
    counted.check()
    with pytest.raises(Retired):
        sync(world)
    assert not ArchivedThread.objects.filter(deleted_upstream_at__isnull=False).exists()


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["arrive", "title", "status", "say", "delete", "sync", "sync", "everything", "fail", "die"]),
        st.integers(0, 10**6),
    ),
    max_size=12,
)


@settings(max_examples=times(25), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ACTS)
def test_whatever_happens_a_quiet_run_afterwards_makes_it_equal(acts: list[tuple[str, int]]) -> None:
    for model in (
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
    world = Emulator(threads=23, seed=3, now=NOW)
    for act, number in acts:
        happen(world, act, number)
        if is_complete() and act in {"sync", "everything"}:
            assert set(upstream(world)) <= set(archive())
    world.fault = None
    ArchivedThread.objects.update(due_at=None)
    sync(world, everything=True)
    assert archive() == upstream(world)
    assert is_complete()
    counted.check()


def happen(world: Emulator, act: str, number: int) -> None:
    ids = list(world.thread_ids())
    some = ids[number % len(ids)] if ids else None
    if act == "arrive":
        world.arrive(1 + number % 3)
    elif act in {"sync", "everything"}:
        sync(world, everything=act == "everything")
    elif act == "fail":
        world.fault = [Fault.ERROR_500, Fault.NOT_JSON, Fault.FLAKY_ONCE, Fault.GONE_404][number % 4]
        try:
            sync(world)
        except ChatKitError:
            assert not is_complete() or Progress.objects.get().failure
        world.fault = None
    elif act == "die":
        die(world, number % 9)
    elif some is None:
        return
    elif act == "title":
        world.set_title(some, f"title {number}")
    elif act == "status":
        world.set_status(some, "locked", f"reason {number}")
    elif act == "say":
        world.add_items(some, [spoken(f"said {each}") for each in range(number % 150)])
    else:
        world.delete(some)


class Died(BaseException):
    """Not an error that anything catches, as a kill is none."""


def die(world: Emulator, after: int) -> None:
    """A run that ends without a word after some pages; its lease runs out."""
    client = asking(world)

    def watch(_tally: object) -> None:
        nonlocal after
        after -= 1
        if after < 0:
            raise Died

    try:
        Sync(client, pauses=(), watch=watch).run()
    except Died:
        pass
    finally:
        client.close()
    Lease.objects.update(until="2020-01-01T00:00Z")
