"""The erasing: each thread once, on record before and after, and never blind."""

from __future__ import annotations

import json
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import counted
from tests.support.effort import times
from tests.support.erasing import done, eraser, is_sound, ordered, recorded, states
from tests.support.mirror import archive, upstream
from tests.support.scripted import Scripted, Turn
from tests.support.syncing import spoken, sync
from tests.support.upstream import use_upstream
from threads.archive.models import ArchivedThread, ArchivedUser, Progress, Reason, Tombstone, Word
from threads.archive.store import word_index, write
from threads.audit.models import AuditEvent
from threads.chatkit import Thread, retry
from threads.emulator import EmulatorReply, Fault
from threads.erasure import erase_thread as one
from threads.erasure import receipt, user_threads, vacuum
from threads.erasure.models import Erasure, Target
from threads.erasure.runner import MAX_LOOKS, ready, work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> Scripted:
    return Scripted()


@pytest.fixture(autouse=True)
def no_second_tries_to_wait_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "pause", lambda _asked: 0.0)


@pytest.fixture(autouse=True)
def files_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """What becomes of bytes has tests of its own, in test_erasing_bytes.py."""
    monkeypatch.setattr(vacuum, "scrub", lambda _alive: {"rewritten": True, "bytes": 0})


def busiest(world: Scripted) -> str:
    return max(world.users(), key=lambda user: (len(list(world.thread_ids(user=user))), user))


def test_one_thread_is_gone_upstream_and_here_and_on_record(world: Scripted) -> None:
    sync(world)
    one = list(world.thread_ids())[3]
    job = done(ordered([one]), world)
    assert states(job) == {one: "erased"}
    assert one not in world.thread_ids()
    assert archive() == upstream(world)
    counted.check()
    assert recorded(job, one) == ["intent", "done"]
    assert job.finished_at
    assert job.targets.get().upstream_request_id
    event = AuditEvent.objects.filter(action="delete", outcome="done").get()
    assert (event.account, event.address, event.request_id) == ("eraser", "192.0.2.1", "request-of-the-order")
    assert event.upstream_request_id == job.targets.get().upstream_request_id


def test_all_of_a_user_and_nobody_elses(world: Scripted) -> None:
    user = busiest(world)
    theirs = set(world.thread_ids(user=user))
    sync(world)
    job = done(ordered(user=user), world)
    assert states(job) == dict.fromkeys(theirs, "erased")
    assert len(list(world.thread_ids())) == 45 - len(theirs)
    assert archive() == upstream(world)
    assert not ArchivedUser.objects.filter(user_id=user).exists()
    counted.check()
    assert receipt.last_look(job).startswith("Final check: no other")


def test_what_only_the_archive_has_goes_too(world: Scripted) -> None:
    user = busiest(world)
    sync(world)
    ids = list(world.thread_ids(user=user))
    world.delete(ids[0])
    job = done(ordered(user=user), world)
    assert states(job)[ids[0]] == "gone"
    assert recorded(job, ids[0]) == ["intent", "already gone"]
    assert not ArchivedThread.objects.filter(user=user).exists()


def test_threads_that_arrive_meanwhile_are_found_by_the_last_look(
    world: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = busiest(world)
    before, late = set(world.thread_ids(user=user)), list[str]()
    handle = Scripted.handle

    def arriving(self: Scripted, method: str, *rest: Any) -> Any:
        if method == "DELETE" and not late:
            late.extend(self.arrive(2, user))
        return handle(self, method, *rest)

    monkeypatch.setattr(Scripted, "handle", arriving)
    job = done(ordered(user=user), world)
    assert states(job) == dict.fromkeys([*before, *late], "erased")
    assert list(world.thread_ids(user=user)) == []
    assert job.looked_at
    assert job.looks == 2


def test_a_user_who_never_stops_is_told_of(world: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    user = busiest(world)
    handle = Scripted.handle

    def arriving(self: Scripted, method: str, *rest: Any) -> Any:
        if method == "DELETE":
            self.arrive(1, user)
        return handle(self, method, *rest)

    monkeypatch.setattr(Scripted, "handle", arriving)
    job = done(ordered(user=user), world)
    assert job.looks == MAX_LOOKS
    assert job.looked_at is None
    assert "found new threads each time" in receipt.last_look(job)


def test_an_upstream_that_forgets_the_filter_loses_nobody_elses_threads(
    world: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = busiest(world)
    theirs = set(world.thread_ids(user=user))
    handle = Scripted.handle

    def unfiltered(self: Scripted, method: str, path: str, query: str, headers: Any) -> Any:
        kept = "&".join(each for each in query.split("&") if not each.startswith("user="))
        return handle(self, method, path, kept, headers)

    monkeypatch.setattr(Scripted, "handle", unfiltered)
    job = done(ordered(user=user), world)
    assert set(states(job)) == theirs
    assert len(list(world.thread_ids())) == 45 - len(theirs)
    assert any("were not erased" in each for each in receipt.remarks(job))


@pytest.mark.parametrize(
    ("turns", "state", "calls"),
    [
        ([Turn.LOST_AFTER], "erased", ["DELETE", "GET", "GET"]),
        ([Turn.LOST_BEFORE], "erased", ["DELETE", "GET", "DELETE"]),
        ([Turn.BROKEN_AFTER], "erased", ["DELETE", "GET", "GET"]),
        ([Turn.TOO_MANY], "erased", ["DELETE", "GET", "DELETE"]),
        ([Turn.NOT_DELETED], "failed", ["DELETE"]),
        ([Turn.REFUSED], "failed", ["DELETE"]),
        ([Turn.KEY_REVOKED], "failed", ["DELETE"]),
        ([Turn.LOST_AFTER, Turn.KEY_REVOKED], "unknown", ["DELETE", "GET"]),
    ],
)
def test_each_answer_and_each_silence(world: Scripted, turns: list[Turn], state: str, calls: list[str]) -> None:
    sync(world)
    world.told.clear()
    one = next(world.thread_ids())
    world.turns.extend(turns)
    job = done(ordered([one]), world)
    # The client itself asks a second time where a GET has failed; it never does for a DELETE.
    assert [method for method, thread, _ in world.told if thread == one] == calls
    assert states(job) == {one: state}
    is_sound(job, world)
    assert ArchivedThread.objects.filter(thread_id=one).exists() == (state not in Target.CLEAN)


def test_what_is_gone_already_is_said_to_be(world: Scripted) -> None:
    sync(world)
    one = next(world.thread_ids())
    world.delete(one)
    job = done(ordered([one]), world)
    assert states(job) == {one: "gone"}
    assert not ArchivedThread.objects.filter(thread_id=one).exists()


@pytest.mark.parametrize("fault", [Fault.GONE_404, Fault.GONE_410])
def test_an_endpoint_that_is_no_more_has_deleted_nothing(world: Scripted, fault: Fault) -> None:
    sync(world)
    user = busiest(world)
    theirs = list(world.thread_ids(user=user))
    ids = [each for each in world.thread_ids() if each not in theirs][:3]
    world.fault = fault
    for job in (done(ordered(ids), world), done(ordered(user=user), world)):
        assert set(states(job).values()) == {"failed"}
        assert all(each.reason for each in job.targets.all())
        assert job.error
        assert job.finished_at
    assert ArchivedThread.objects.count() == 45


def test_where_the_api_is_retired_the_copies_can_go(world: Scripted) -> None:
    sync(world)
    user = busiest(world)
    world.fault = Fault.GONE_410
    calls = len(world.calls)
    job = done(ordered(user=user, kind=Erasure.Kind.COPIES), world)
    assert set(states(job).values()) == {"copy"}
    assert not ArchivedThread.objects.filter(user=user).exists()
    assert len(world.calls) == calls
    world.fault = None
    sync(world, everything=True)
    assert not ArchivedThread.objects.filter(user=user).exists()
    counted.check()


def test_nothing_is_deleted_that_cannot_be_recorded(world: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    one = next(world.thread_ids())
    job = ordered([one])

    def full(**_values: Any) -> None:
        raise DatabaseError("disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(AuditEvent.objects, "create", full)
        job = done(job, world)
    assert world.told == []
    assert states(job) == {one: "todo"}
    assert job.retry_at
    assert job not in ready()
    Erasure.objects.update(retry_at=timezone.now())
    assert job in ready()
    assert states(done(job, world)) == {one: "erased"}


def test_a_deletion_whose_end_could_not_be_recorded_is_asked_after(
    world: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(world)
    one = next(world.thread_ids())
    job = ordered([one])
    create = AuditEvent.objects.create

    def only_intents(**values: Any) -> Any:
        if values["outcome"] != "intent":
            raise DatabaseError("disk is full")
        return create(**values)

    world.told.clear()
    with monkeypatch.context() as broken:
        broken.setattr(AuditEvent.objects, "create", only_intents)
        job = done(job, world)
    assert states(job) == {one: "asked"}
    assert ArchivedThread.objects.filter(thread_id=one).exists()
    assert states(done(job, world)) == {one: "erased"}
    # The answer that there is none is believed with a second one, between controls.
    assert [method for method, thread, _ in world.told if thread == one] == ["DELETE", "GET", "GET"]
    is_sound(job, world)
    assert not ArchivedThread.objects.filter(thread_id=one).exists()


def test_who_loses_the_right_erases_no_more(world: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = list(world.thread_ids())[:4]
    job = ordered(ids)
    handle = Scripted.handle

    def taken_away(self: Scripted, *call: Any) -> Any:
        if len(self.told) == 1:
            eraser().groups.clear()
        return handle(self, *call)

    monkeypatch.setattr(Scripted, "handle", taken_away)
    job = done(job, world)
    assert [states(job)[each] for each in ids] == ["erased", "erased", "failed", "failed"]
    assert job.targets.get(thread_id=ids[3]).reason.startswith("no longer allowed")
    assert job.finished_at
    assert AuditEvent.objects.filter(action="erasure", outcome="partial").count() == 1


@pytest.mark.parametrize("change", ["closed", "deleted"])
def test_an_account_that_is_no_more_erases_nothing(world: Scripted, change: str) -> None:
    job = ordered([next(world.thread_ids())])
    if change == "closed":
        type(eraser()).objects.update(is_active=False)
    else:
        eraser().delete()
    assert set(states(done(job, world)).values()) == {"failed"}
    assert world.told == []


def test_an_upstream_that_is_down_is_waited_for_and_then_given_up(world: Scripted) -> None:
    ids = list(world.thread_ids())[:3]
    world.fault = Fault.ERROR_503
    job = done(ordered(ids), world, pauses=(0, 0, 60))
    assert job.finished_at is None
    assert job.retry_at
    assert 50 < (job.retry_at - timezone.now()).total_seconds() < 61
    assert job not in ready()
    Erasure.objects.update(retry_at=None)
    world.fault = None
    assert states(done(job, world)) == dict.fromkeys(ids, "erased")
    assert world.blind() == []


def test_an_upstream_that_stays_down_ends_the_erasure(world: Scripted) -> None:
    ids = list(world.thread_ids())[:3]
    world.fault = Fault.ERROR_503
    job = done(ordered(ids), world, pauses=(0, 0))
    assert job.finished_at
    assert set(states(job).values()) == {"unknown"}
    assert job.error


def test_a_long_retry_after_is_obeyed_up_to_an_hour(world: Scripted) -> None:
    world.fault = Fault.RATE_LIMIT_86400
    job = done(ordered([next(world.thread_ids())]), world)
    assert job.retry_at
    assert 3500 < (job.retry_at - timezone.now()).total_seconds() < 3601


def test_one_that_is_told_to_stop_leaves_the_rest_to_do(world: Scripted) -> None:
    ids = list(world.thread_ids())[:3]
    job, stopped = ordered(ids), Event()
    stopped.set()
    work(job, world.client(), stopped)
    assert set(states(job).values()) == {"todo"}
    assert list(ready()) == [job]
    assert states(done(job, world)) == dict.fromkeys(ids, "erased")


def test_confirming_twice_is_confirming_once(world: Scripted) -> None:
    from threads.erasure import orders as asked
    from threads.erasure.preview import ConfirmedPreview

    wanted = ConfirmedPreview(Erasure.Kind.THREADS, "the same", "", "", ((next(world.thread_ids()), None, None),))
    assert asked.order_erasure(wanted) == asked.order_erasure(wanted)
    assert Target.objects.count() == 1


def test_words_reasons_and_people_that_nobody_else_has_go_and_others_stay(world: Scripted) -> None:
    first, second, *_ = world.thread_ids()
    world.set_items(first, [spoken("Quasihapax shared")])
    world.set_items(second, [spoken("shared")])
    world.set_status(first, "locked", "a reason of its own")
    sync(world)
    assert Word.objects.filter(word="quasihapax").exists()
    done(ordered([first]), world)
    assert not Word.objects.filter(word="quasihapax").exists()
    assert Word.objects.filter(word="shared").exists()
    assert not Reason.objects.filter(text="a reason of its own").exists()
    counted.check()


def test_a_word_that_comes_again_is_found_again(world: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a process, too, that has not erased it itself, and believes it to be there."""
    monkeypatch.setattr(word_index, "clear_cache", lambda: None)
    first, second, *_ = world.thread_ids()
    world.set_items(first, [spoken("Quasihapax")])
    sync(world)
    done(ordered([first]), world)
    world.add_items(second, [spoken("quasihapax")])
    sync(world, everything=True)
    assert Word.objects.filter(word="quasihapax").exists()
    counted.check()


def test_what_was_read_before_is_not_kept_after(world: Scripted) -> None:
    sync(world)
    one = list(world.thread_ids())[2]
    client = world.client()
    read: Thread = client.retrieve_thread(one)
    done(ordered([one]), world)
    assert write.store_threads([read], timezone.now()) == (0, 0)
    assert not ArchivedThread.objects.filter(thread_id=one).exists()
    assert Tombstone.objects.get().thread_id == one
    counted.check()


def test_the_copying_goes_on_behind_what_was_erased(world: Scripted) -> None:
    sync(world)
    newest, before, *_ = world.thread_ids()
    assert Progress.objects.get().cursor == newest
    done(ordered([newest]), world)
    assert Progress.objects.get().cursor == before
    world.arrive(3)
    sync(world)
    assert archive() == upstream(world)


def test_the_copying_survives_that_its_place_was_erased_on_the_way() -> None:
    world = Scripted(120)
    sync(world, with_items=False)
    newest = next(world.thread_ids())
    done(ordered([newest]), world)
    Progress.objects.update(cursor=newest)
    world.arrive(3)
    sync(world, with_items=False)
    assert list(archive()) == list(world.thread_ids(order="asc"))


def test_long_and_short_ones_take_turns(world: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    from threads.erasure import tasks

    ids = list(world.thread_ids())[:7]
    use_upstream(monkeypatch, world.client())
    monkeypatch.setattr(tasks, "SLICE_SECONDS", 0.0)
    monkeypatch.setattr(connections, "close_all", lambda: None)
    long, short = ordered(ids[:6]), ordered(ids[6:])
    tasks.take_up()
    assert states(long) == dict.fromkeys(ids[:6], "erased")
    assert states(short) == {ids[6]: "erased"}
    order = [thread for method, thread, _ in world.told if method == "DELETE"]
    assert order.index(ids[6]) == 1
    assert not ready().exists()


def test_a_list_that_takes_longer_than_a_turn_is_walked_to_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each turn began it anew, and none came to its end."""
    monkeypatch.setattr(user_threads, "MAX_LIMIT", 2)
    world = Scripted()
    user = busiest(world)
    theirs = set(world.thread_ids(user=user))
    assert len(theirs) > 4
    job, client = ordered(user=user), world.client()
    for turn in range(len(theirs)):
        work(job, client, Event(), turn=0.0)
        assert list(states(job).values()).count("erased") == turn + 1
    work(job, client, Event(), turn=0.0)
    assert states(job) == dict.fromkeys(theirs, "erased")
    assert Erasure.objects.get().finished_at


def test_of_many_threads_each_is_found_without_going_through_all(world: Scripted) -> None:
    """SQLite knows no index of those that are open, and each look took longer than a deletion."""
    job = ordered(list(world.thread_ids())[:30])
    with CaptureQueriesContext(connection) as asked:
        done(job, world)
    looks = [each["sql"] for each in asked.captured_queries if '"attempts" ASC' in each["sql"]]
    assert len(looks) == 2


def test_a_fault_of_ours_in_one_keeps_no_other_waiting(world: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    from threads.erasure import tasks

    ids = list(world.thread_ids())[:2]
    use_upstream(monkeypatch, world.client())
    monkeypatch.setattr(connections, "close_all", lambda: None)
    broken, sound = ordered(ids[:1]), ordered(ids[1:])
    step = one.process

    def failing(job: Erasure, *rest: Any) -> None:
        if job == broken:
            raise ValueError
        step(job, *rest)

    monkeypatch.setattr(one, "process", failing)
    tasks.take_up()
    assert states(sound) == {ids[1]: "erased"}
    assert states(broken) == {ids[0]: "todo"}
    broken.refresh_from_db()
    assert (broken.retry_at, broken.holder) != (None, "")
    monkeypatch.setattr(one, "process", step)
    Erasure.objects.update(retry_at=timezone.now() + timedelta(days=1))
    assert list(ready()) == [broken], "the clock was put back since"
    assert states(done(broken, world)) == {ids[0]: "erased"}


def test_a_user_whose_id_is_no_whole_text_is_somebody_else(world: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of a character is shown as U+FFFD, which may be another user's id."""
    mine, other, *_ = world.thread_ids()
    handle = Scripted.handle

    def owned(self: Scripted, method: str, path: str, query: str, headers: Any) -> Any:
        kept = "&".join(each for each in query.split("&") if not each.startswith("user="))
        reply = handle(self, method, path, kept, headers)
        body = json.loads(reply.body)
        for row in [body, *body.get("data", [])]:
            if "user" in row:
                row["user"] = {mine: "who\ufffd", other: "who\ud800"}.get(row["id"], "somebody")
        reply.body = json.dumps(body).encode()
        return reply

    monkeypatch.setattr(Scripted, "handle", owned)
    sync(world)
    assert set(ArchivedThread.objects.filter(user="who\ufffd").values_list("thread_id", flat=True)) == {mine, other}
    assert states(done(ordered(user="who\ufffd"), world)) == {mine: "erased"}
    assert other in world.thread_ids()
    assert ArchivedThread.objects.filter(thread_id=other).exists()


def test_many_copies_are_noted_some_at_a_time(world: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite takes no statement with more than some thousand ids."""
    sync(world)
    user = busiest(world)
    monkeypatch.setattr(user_threads, "_BATCH", 2)
    sizes = [len(rows) for rows in user_threads.archived_threads(user)]
    assert sum(sizes) == len(list(world.thread_ids(user=user)))
    assert max(sizes) == 2
    job = done(ordered(user=user, kind=Erasure.Kind.COPIES), world)
    assert len(states(job)) == sum(sizes)


def test_what_failed_is_not_said_to_have_left_no_copy(world: Scripted) -> None:
    sync(world)
    one = next(world.thread_ids())
    world.turns.append(Turn.REFUSED)
    job = done(ordered([one]), world)
    assert states(job) == {one: "failed"}
    assert receipt.traces(job) == ["Nothing was removed, since none of the threads is known to be gone."]


def test_an_upstream_that_says_deleted_and_still_lists_them_is_told_of(
    world: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = busiest(world)
    count = len(list(world.thread_ids(user=user)))
    handle = Scripted.handle

    def lying(self: Scripted, method: str, path: str, *rest: Any) -> Any:
        if method != "DELETE":
            return handle(self, method, path, *rest)
        body = {"id": path.rpartition("/")[2], "object": "chatkit.thread.deleted", "deleted": True}
        return EmulatorReply(200, body=json.dumps(body).encode())

    monkeypatch.setattr(Scripted, "handle", lying)
    job = done(ordered(user=user), world)
    assert any(each.startswith(f"{count} threads that the API called gone were still") for each in receipt.remarks(job))
    assert AuditEvent.objects.filter(action="erasure", outcome="partial").count() == 1


_TURNS = st.lists(st.sampled_from(list(Turn)), max_size=14)


@pytest.mark.slow
@settings(max_examples=times(30), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(turns=_TURNS, count=st.integers(1, 3), stops=st.integers(0, 2))
def test_whatever_the_upstream_does_it_ends_sound(turns: list[Turn], count: int, stops: int) -> None:
    for model in (Target, Erasure, Tombstone):
        model.objects.all().delete()
    world = Scripted(12, turns=turns)
    job = ordered(list(world.thread_ids())[:count])
    for _ in range(stops):
        work_a_little(job, world)
    job = done(job, world)
    assert job.finished_at
    is_sound(job, world)


def work_a_little(job: Erasure, world: Scripted) -> None:
    """One step, as of a worker that dies after its call and keeps nothing of the answer."""

    class Dying(BaseException):
        pass

    client = world.client()
    delete = client.delete_thread

    def dying(thread_id: str) -> Any:
        try:
            delete(thread_id)
        finally:
            raise Dying

    client.delete_thread = dying  # type: ignore[method-assign]
    try:
        work(job, client, Event(), pauses=(0.0,) * 30)
    except Dying:
        pass
    job.refresh_from_db()
    job.release()


@pytest.mark.parametrize("held", ["u" * 512, "a\ufffdb", "", "plain"])
def test_the_list_is_asked_for_by_an_id_that_is_known_to_be_the_very_one(held: str) -> None:
    """A thread that is missing from the list of a user whose id was cut is not gone for that."""
    assert one._owner(Erasure(kind="threads"), Target(user_id=held)) == ("plain" if held == "plain" else None)
    assert one._owner(Erasure(kind="user", **Erasure.of_user("x" * 512)), Target(user_id=held)) == "x" * 512
