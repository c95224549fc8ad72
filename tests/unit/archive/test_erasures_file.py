"""The erasures file: each erased thread has a line before it is asked to be deleted, and a database that is older than
the file is recognised and brought up to it."""

from __future__ import annotations

import html
import json
import os
from collections.abc import Mapping
from io import StringIO
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.test import Client
from hypothesis import HealthCheck, example, given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from tests.support.accounts import account
from tests.support.effort import times
from tests.support.erasing import done, ordered, recorded, states
from tests.support.scripted import Scripted, Turn
from tests.support.syncing import sync
from threads.archive.deletion_evidence import DeletionChecker, DeletionFinding, DeletionVerdict
from threads.archive.models import ArchivedThread, Tombstone
from threads.audit import record
from threads.audit.models import AuditEvent
from threads.chatkit import retry
from threads.emulator import EmulatorReply
from threads.erasure import erase_thread as one
from threads.erasure import journal, receipt, replay, vacuum
from threads.erasure.journal import EntryKind, NewEntry
from threads.erasure.models import Erasure, Target

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "pause", lambda _asked: 0.0)
    monkeypatch.setattr(vacuum, "scrub", lambda _alive: {"rewritten": True, "bytes": 0})


@pytest.fixture(autouse=True)
def file(settings: Any, tmp_path: Path) -> Path:
    settings.ERASURES_FILE = tmp_path / "erasures.jsonl"
    return tmp_path / "erasures.jsonl"


@pytest.fixture
def world() -> Scripted:
    made = Scripted(threads=12)
    sync(made)
    return made


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def busiest(world: Scripted) -> str:
    return max(world.users(), key=lambda user: (len(list(world.thread_ids(user=user))), user))


def forgotten(*jobs: Erasure) -> None:
    """The database knows nothing of the erasures any more, as one from before them."""
    Tombstone.objects.all().delete()
    Target.objects.filter(erasure__in=jobs).delete()
    Erasure.objects.filter(pk__in=[job.pk for job in jobs]).delete()


def test_a_line_is_on_the_disk_before_the_deletion_is_asked_for(
    world: Scripted, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids, synced, early = list(world.thread_ids())[:3], list[int](), list[str]()
    fsync, handle = os.fsync, Scripted.handle

    def counted(descriptor: int) -> None:
        fsync(descriptor)
        synced.append(os.fstat(descriptor).st_ino)

    def watching(self: Scripted, method: str, path: str, query: str, headers: Mapping[str, str]) -> EmulatorReply:
        if method == "DELETE":
            told = [each["thread"] for each in lines(file)]
            if not path.endswith(told[-1]) or synced.count(file.stat().st_ino) < len(told):
                early.append(path)
        return handle(self, method, path, query, headers)

    monkeypatch.setattr(os, "fsync", counted)
    monkeypatch.setattr(Scripted, "handle", watching)
    job = done(ordered(ids), world)
    assert early == []
    found = lines(file)
    assert [each["number"] for each in found] == [1, 2, 3, 4]
    assert [each.get("thread") for each in found] == [*ids, None]
    assert {each["erasure"] for each in found} == {str(job.pk)}
    assert [each["what"] for each in found] == ["erase"] * 3 + ["end"]
    assert {name for each in found for name in each} == {"number", "at", "erasure", "what", "thread"}
    assert file.stat().st_mode & 0o777 == 0o600
    assert not replay.compare().is_ahead


def test_a_user_stands_in_the_file_by_a_keyed_hash_alone(world: Scripted, file: Path) -> None:
    user = busiest(world)
    done(ordered(user=user), world)
    first = lines(file)[0]
    assert first["what"] == "order"
    assert user not in file.read_text()
    assert first["user"] == dict(journal.user_hashes([user]))[user]


def test_nothing_is_deleted_while_the_file_can_not_be_written(world: Scripted, file: Path) -> None:
    ids = list(world.thread_ids())[:2]
    job = ordered(ids)
    file.unlink()
    file.mkdir()
    job = done(job, world)
    assert "erasures file can't be written" in job.held
    assert job.finished_at is None
    assert set(states(job).values()) == {"todo"}
    assert not [each for each in world.told if each[0] == "DELETE"]
    assert AuditEvent.objects.filter(outcome="refused", detail__erasure=str(job.pk)).count() == 1
    file.rmdir()
    job = done(job, world)
    assert states(job) == dict.fromkeys(ids, "erased")
    assert job.held == ""


@pytest.mark.parametrize("turn", [Turn.NOT_DELETED, Turn.REFUSED, Turn.KEY_REVOKED])
def test_what_was_not_erased_is_taken_back(world: Scripted, file: Path, turn: Turn) -> None:
    one = next(world.thread_ids())
    world.turns.append(turn)
    job = done(ordered([one]), world)
    assert states(job) == {one: "failed"}
    assert [each["what"] for each in lines(file)] == ["erase", "kept", "end"]
    forgotten(job)
    assert not replay.compare().is_ahead
    assert replay.replay() is None
    assert ArchivedThread.objects.filter(thread_id=one).exists()


def said_last(file: Path, job: Erasure) -> dict[str, str]:
    """What the last line of each thread says."""
    return {each["thread"]: each["what"] for each in lines(file) if "thread" in each and each["erasure"] == str(job.pk)}


@pytest.mark.slow
@settings_of_hypothesis(
    max_examples=times(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    turns=st.lists(st.sampled_from([each for each in Turn if each is not Turn.KEY_REVOKED]), max_size=8),
    recorded_=st.lists(st.booleans(), max_size=12),
)
@example(turns=[Turn.NOT_DELETED], recorded_=[True, False])
@example(turns=[Turn.LOST_AFTER], recorded_=[True, False])
def test_the_last_line_of_each_thread_says_what_became_of_it(
    world: Scripted, file: Path, monkeypatch: pytest.MonkeyPatch, turns: list[Turn], recorded_: list[bool]
) -> None:
    """However the upstream answers, and whenever the audit log can't be written."""
    ids, left = world.arrive(2), iter(recorded_)
    job = ordered(ids)

    def must(*about: Any, **more: Any) -> AuditEvent:
        if next(left, True):
            return record.record_or_raise(*about, **more)
        raise record.NotRecordedError

    world.turns.extend(turns)
    with monkeypatch.context() as patch:
        patch.setattr(one, "record_or_raise", must)
        while job.finished_at is None:
            Erasure.objects.filter(pk=job.pk).update(retry_at=None)
            job = done(job, world)
    world.turns.clear()
    last = said_last(file, job)
    assert {each: last[each] == "erase" for each in ids} == {
        each: state in Target.CLEAN for each, state in states(job).items()
    }
    assert not replay.compare().is_ahead


def test_what_was_not_known_and_then_is_known_to_be_erased_has_a_line_that_says_so(
    world: Scripted, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = next(world.thread_ids())
    world.turns.extend([Turn.LOST_AFTER])
    job = ordered([thread])

    def undecided(_self: DeletionChecker, *_about: Any) -> DeletionFinding:
        asked_after.append(True)
        return DeletionFinding(DeletionVerdict.UNDECIDED, "no control answers")

    asked_after: list[bool] = []

    def must(*about: Any, **more: Any) -> AuditEvent:
        if asked_after:
            raise record.NotRecordedError
        return record.record_or_raise(*about, **more)

    with monkeypatch.context() as patch:
        patch.setattr(DeletionChecker, "of", undecided)
        patch.setattr(one, "record_or_raise", must)
        done(job, world)
    assert said_last(file, job) == {thread: "kept"}
    Erasure.objects.filter(pk=job.pk).update(retry_at=None)
    job = done(job, world)
    assert states(job) == {thread: "erased"}
    assert said_last(file, job) == {thread: "erase"}


def test_a_database_that_knows_nothing_of_an_erasure_is_brought_up_to_the_file(world: Scripted, file: Path) -> None:
    user = busiest(world)
    theirs, before = set(world.thread_ids(user=user)), list(world.thread_ids())
    one = next(each for each in before if each not in theirs)
    jobs = [done(ordered(user=user), world), done(ordered([one]), world)]
    forgotten(*jobs)
    # The backup still has them all, and one that OpenAI and the archive had lost before the erasure.
    back = Scripted(threads=12)
    extra = back.arrive(1, user)
    back.set_created_at(extra[0], 1_700_000_000)
    sync(back)
    late = back.arrive(1, user)
    back.set_created_at(late[0], 4_000_000_000)
    sync(back)
    found = replay.compare()
    assert set(found.threads) == theirs | {one}
    assert set(found.orders) == {job.pk for job in jobs}
    job = replay.replay()
    assert job is not None
    assert states(job) == dict.fromkeys([*theirs, one, *extra], "copy")
    kept = set(ArchivedThread.objects.values_list("thread_id", flat=True))
    assert not kept & (theirs | {one, *extra})
    assert set(late) <= kept, "what began after the erasure is not what was erased"
    assert recorded(job, one) == ["intent", "done"]
    sync(back)
    assert set(ArchivedThread.objects.values_list("thread_id", flat=True)) == kept, "a sync brings none back"
    assert not replay.compare().is_ahead
    assert replay.replay() is None


def test_an_order_that_had_not_ended_is_told_to_be_ordered_again(world: Scripted, file: Path, settings: Any) -> None:
    user = busiest(world)
    theirs = list(world.thread_ids(user=user))
    lost = uuid4()
    _, hashed = next(journal.user_hashes([user]))
    journal.append(NewEntry(lost, EntryKind.ORDER, user=hashed), NewEntry(lost, EntryKind.ERASE, theirs[0]))
    job = replay.replay()
    assert job is not None
    # The others may still be at OpenAI: a tombstone would hide them for ever.
    assert states(job) == {theirs[0]: "copy"}
    (said,) = [each for each in receipt.remarks(job) if "Order again" in each]
    assert f"all threads of {user} (erasure {lost})" in said
    masked = json.dumps(receipt.masked(receipt.as_json(job)), default=str)
    assert str(lost) in masked
    settings.MASK_IDENTITIES = True
    client, who = Client(), account("auditor")
    who.user_permissions.add(Permission.objects.get(codename="audit"))
    client.force_login(who)
    page = html.unescape(client.get(f"/erasures/{job.pk}/").content.decode())
    assert str(lost) in page
    for text in (masked, page):
        assert not [each for each in (user, quote(user, safe="")) if each in text]


ODD = ["a\0b", "u" * 512 + "x" * 50, "u" * 512, "a\ufffdb", " ", "plain"]


def of_odd_users(each: int) -> tuple[Scripted, list[tuple[str, str]]]:
    """An upstream, copied here, in which each of them has so many threads, and which these are."""
    world = Scripted(threads=2)
    made = [(user, world.arrive(1, user)[0]) for _ in range(each) for user in ODD]
    for _, thread in made:
        world.set_created_at(thread, 1_700_000_000)
    sync(world)
    return world, made


@pytest.mark.parametrize("user", ODD)
def test_a_user_with_any_id_is_erased_again_and_nobody_else(file: Path, user: str) -> None:
    world, _ = of_odd_users(1)
    job = done(ordered(user=user), world)
    # The backup has another thread of each, which OpenAI and the archive had lost before the erasure.
    forgotten(job)
    _, made = of_odd_users(2)
    again = replay.replay()
    assert again is not None
    assert states(again) == {thread: "copy" for whose, thread in made if whose == user}
    assert not replay.compare().is_ahead


@pytest.mark.parametrize("user", ODD)
def test_a_user_with_any_id_is_named_to_be_ordered_again(file: Path, user: str) -> None:
    of_odd_users(1)
    job = ordered(user=user)
    journal.append(NewEntry(job.pk, EntryKind.ORDER, user=dict(journal.user_hashes([user]))[user]))
    forgotten(job)
    again = replay.replay()
    assert again is not None
    (said,) = [each for each in receipt.remarks(again) if "Order again" in each]
    assert (user.replace("\0", "\u2400") if user.strip() else "a user whose id is blank") in said


def test_a_replay_that_is_killed_is_gone_on_with(world: Scripted, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = list(world.thread_ids())[:3]
    forgotten(done(ordered(ids), world))
    sync(Scripted(threads=12))

    class Killed(BaseException):
        pass

    def killed(_job: Erasure, _client: Any, _stopped: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(replay, "work", killed)
        with pytest.raises(Killed):
            replay.replay()
    assert replay.compare().is_ahead
    job = replay.replay()
    assert job is not None
    assert Erasure.objects.filter(kind="replay").count() == 1
    assert set(states(job).values()) == {"copy"}
    assert not replay.compare().is_ahead


def test_an_erasure_that_is_under_way_is_no_restored_backup(world: Scripted, file: Path) -> None:
    """A line is written before the database knows of it: a page that compares the two meanwhile raises no alarm."""
    one = next(world.thread_ids())
    job = ordered([one])
    journal.append(NewEntry(job.pk, EntryKind.ERASE, one))
    assert not replay.compare().is_ahead


def test_what_one_order_takes_back_another_may_have_erased(world: Scripted, file: Path) -> None:
    thread = next(world.thread_ids())
    first, second = ordered([thread]), ordered([thread])
    done(first, world)
    world.always[thread] = Turn.KEY_REVOKED
    second = done(second, world)
    assert said_last(file, second) == {thread: "kept"}
    forgotten(first, second)
    assert set(replay.compare().threads) == {thread}


@pytest.mark.slow
@given(told=st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["a", "b"]), st.booleans()), max_size=12))
@settings_of_hypothesis(
    max_examples=times(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_thread_is_erased_by_the_file_where_the_last_word_of_any_order_is(
    file: Path, told: list[tuple[int, str, bool]]
) -> None:
    file.unlink(missing_ok=True)
    journal.append(
        *(NewEntry(UUID(int=by), EntryKind.ERASE if gone else EntryKind.KEPT, thread) for by, thread, gone in told)
    )
    last = {(by, thread): gone for by, thread, gone in told}
    assert set(replay.compare().threads) == {thread for (_, thread), gone in last.items() if gone}


def test_a_line_that_was_taken_back_is_filled_in(world: Scripted, file: Path) -> None:
    thread = next(world.thread_ids())
    job = done(ordered([thread]), world)
    journal.append(NewEntry(job.pk, EntryKind.KEPT, thread))
    assert replay.compare().unwritten == 1
    assert replay.fill() == 1
    assert replay.compare().unwritten == 0


@pytest.mark.parametrize("archive_only", [False, True])
@pytest.mark.parametrize("asked", [False, True])
def test_a_backup_that_was_made_during_an_erasure(
    world: Scripted, file: Path, settings: Any, archive_only: bool, asked: bool
) -> None:
    ids = list(world.thread_ids())[:2]
    job = ordered(ids)
    lines_ = [NewEntry(job.pk, EntryKind.ERASE, each) for each in ids]
    if asked:  # it stood at the second thread when the backup was made
        line = journal.append(lines_.pop())
        job.targets.filter(thread_id=ids[1]).update(state="asked", journal_line=line)
    journal.append(*lines_, NewEntry(job.pk, EntryKind.END))
    settings.ARCHIVE_ONLY = archive_only
    found = replay.compare()
    assert set(found.threads) == set(ids)
    assert set(found.orders) == ({job.pk} if archive_only else set()), "a worker goes on with it"
    again = replay.replay()
    assert again is not None
    assert states(again) == dict.fromkeys(ids, "copy")
    assert not ArchivedThread.objects.filter(thread_id__in=ids).exists()
    assert not replay.compare().is_ahead
    assert replay.replay() is None


@pytest.mark.parametrize("archive_only", [False, True])
def test_all_of_a_user_whose_erasure_had_ended_after_the_backup(
    world: Scripted, file: Path, settings: Any, archive_only: bool
) -> None:
    """The erasure saw the first thread alone: OpenAI had lost the others, and so had the archive by then."""
    user = busiest(world)
    theirs = list(world.thread_ids(user=user))
    job = ordered(user=user)
    ((_, hashed),) = journal.user_hashes([user])
    journal.append(
        NewEntry(job.pk, EntryKind.ORDER, user=hashed),
        NewEntry(job.pk, EntryKind.ERASE, theirs[0]),
        NewEntry(job.pk, EntryKind.END),
    )
    settings.ARCHIVE_ONLY = archive_only
    again = replay.replay()
    assert again is not None
    assert set(states(again)) == (set(theirs) if archive_only else {theirs[0]}), "what a worker does not go on with"
    assert not replay.compare().is_ahead


def test_a_thread_that_was_asked_for_when_the_api_ended_is_no_restored_backup(
    world: Scripted, file: Path, settings: Any
) -> None:
    ids = list(world.thread_ids())[:3]
    world.turns.extend([Turn.LOST_BEFORE] * 3)
    job = done(ordered(ids), world, pauses=(0.0, 0.0, 60.0))
    assert set(states(job).values()) == {"asked"}
    for settings.ARCHIVE_ONLY in (False, True):
        assert not replay.compare().is_ahead


def test_a_file_that_was_lost_or_cut_is_told_and_completed(world: Scripted, file: Path) -> None:
    ids = list(world.thread_ids())[:4]
    done(ordered(ids[:3]), world)
    whole = file.read_bytes()
    file.unlink()
    assert replay.compare().unwritten == 3
    assert not replay.compare().is_ahead
    # What is erased meanwhile has no number of a line that was.
    done(ordered(ids[3:]), world)
    assert [each["number"] for each in lines(file)] == [5, 6]
    file.write_bytes(whole[:-30])
    found = replay.compare()
    assert (found.unwritten, found.damaged) == (1, 1)
    file.write_bytes(whole.splitlines(keepends=True)[0])
    assert replay.compare().unwritten == 3
    assert replay.fill() == 3
    assert replay.compare().unwritten == 0
    assert [each["number"] for each in lines(file)] == [1, 7, 8, 9]
    assert replay.fill() == 0


def test_a_line_that_a_crash_cut_short_takes_no_other_with_it(file: Path) -> None:
    one, two = uuid4(), uuid4()
    journal.append(NewEntry(one, EntryKind.ERASE, "a"))
    with file.open("ab") as open_file:
        open_file.write(b'{"number": 2, "at": "2026-')
    assert journal.append(NewEntry(two, EntryKind.ERASE, "b")) == 2
    found = list(journal.read_entries())
    assert found[1] is None
    assert [(each.number, each.erasure, each.thread) for each in found if each] == [(1, one, "a"), (2, two, "b")]


@pytest.mark.slow
@given(
    threads=st.lists(st.text(min_size=1, max_size=600), min_size=1, max_size=5),
    junk=st.lists(st.binary(max_size=300), max_size=3),
)
@settings_of_hypothesis(max_examples=times(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_id_comes_back_as_it_was_whatever_else_stands_in_the_file(
    file: Path, threads: list[str], junk: list[bytes]
) -> None:
    file.unlink(missing_ok=True)
    order = UUID(int=7)
    for thread in threads:
        number = journal.append(NewEntry(order, EntryKind.ERASE, thread))
        assert number == sum(1 for each in journal.read_entries() if each)
        with file.open("ab") as open_file:
            open_file.write(b"".join(each.replace(b"\n", b"") for each in junk))
    assert [each.thread for each in journal.read_entries() if each] == threads


def write(path: Path, order: str, times: int, done: Any) -> None:
    settings.ERASURES_FILE = path
    journal.last_in_database = lambda: 0  # this process has no database
    for number in range(times):
        journal.append(NewEntry(UUID(order), EntryKind.ERASE, f"{order} {number}"))
    done.put(order)


def test_processes_number_their_lines_in_one_sequence(file: Path) -> None:
    context = get_context("fork")
    ended = context.Queue()
    writers = [context.Process(target=write, args=(file, str(uuid4()), 25, ended)) for _ in range(4)]
    for each in writers:
        each.start()
    for each in writers:
        each.join(30)
    assert [each["number"] for each in lines(file)] == list(range(1, 101))


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("erasures", *arguments, stdout=out)
    return out.getvalue()


def test_the_command(world: Scripted, file: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "It agrees with the database." in said()
    ids = list(world.thread_ids())[:3]
    forgotten(done(ordered(ids), world))
    sync(Scripted(threads=12))
    with pytest.raises(SystemExit):
        said()
    told = said("replay")
    assert "3 threads, of which 3 have copies here, by 1 erasures." in told
    assert "has ended" in told
    assert "It agrees with the database." in said()
    assert "Nothing to erase again" in said("replay")
    file.unlink()
    assert "3 lines were added." in said("fill")
    assert "Nothing was missing." in said("fill")
    file.unlink()
    file.mkdir()
    with pytest.raises(CommandError, match="can't be"):
        said("replay")
    settings.ERASURES_FILE = None
    with pytest.raises(CommandError, match="There is no erasures file"):
        said()
