"""Old events of the audit log go into a file, and nothing is lost, whenever it is killed."""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from tests.support import services
from tests.support.working import ROOT
from tests.support.working import environment as environment_of
from threads.audit import archiving, descriptions, hash_chain
from threads.audit.models import AuditEvent

pytestmark = pytest.mark.django_db

DAY = datetime(2025, 3, 1, tzinfo=UTC)


class KilledError(BaseException):
    """What nothing catches, as a kill."""


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archiving, "_BATCH", 3)


@pytest.fixture(autouse=True)
def trigger() -> None:
    """That of the migrations, which the other tests do without."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE TRIGGER audit_no_truncate BEFORE DELETE ON audit_auditevent "
                "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
            )


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    """Ten old events, and two that stay."""
    for number in range(12):
        AuditEvent.objects.create(
            at=DAY + timedelta(days=number * 10, microseconds=number), action="read", outcome="done",
            account=f"ada {number}", thread_id="thr_ü\u2028", user_id="\U0001f511",
            detail={"list": "q=é", "threads": number, "nested": [1.5, None]},
        )  # fmt: skip
    return _all()


_KEYS = {"account": "who", "account_id": "who_id", "thread_id": "thread", "user_id": "customer"}
"""The columns whose keys in a file are others, as in the files of all releases."""


def _all() -> list[dict[str, Any]]:
    """All that is in the audit log but what the migrations and archiving itself recorded, as in a file."""
    return [
        {_KEYS.get(name, name): value for name, value in each.items()} | {"at": each["at"].isoformat()}
        for each in AuditEvent.objects.filter(action="read").order_by("id").values()
    ]


def archive(path: Path, before: str = "2025-06-05") -> str:
    out = io.StringIO()
    call_command("audit", "archive", "--before", before, str(path), stdout=out)
    return out.getvalue()


def verify(*paths: Path) -> str:
    out = io.StringIO()
    call_command("audit", "verify", *map(str, paths), stdout=out)
    return out.getvalue()


def recorded() -> list[tuple[str, Any, Any]]:
    found = AuditEvent.objects.filter(action="audit").order_by("id")
    return [(each.outcome, each.detail["archived_events"], each.detail["last_hash"]) for each in found]


def test_old_events_go_into_a_file_and_out_of_the_audit_log(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    path = tmp_path / "2025.jsonl"
    said = archive(path)
    assert _all() == rows[10:]
    assert list(hash_chain.events(path)) == rows[:10]
    lines = path.read_bytes().splitlines()
    hashes = [hash_chain.BEGINNING, *(hashlib.sha256(line).hexdigest() for line in lines)]
    assert [json.loads(line)["previous"] for line in lines] == hashes[:-1]
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
    assert recorded() == [("intent", 10, hashes[-1]), ("done", 10, hashes[-1])]
    done = AuditEvent.objects.latest("id")
    assert done.detail["archived"] == "2025.jsonl"
    assert done.account.startswith("(Threadkeeper, ")
    assert descriptions.describe(done) == "Archived old events of the audit log"
    assert "10 events from 2025-03-01T00:00:00" in said
    assert "10 of them were removed" in said
    assert "The audit log has this end on record." in verify(path)


def test_the_database_refuses_as_before(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    archive(tmp_path / "file")
    for statement in ("DELETE FROM audit_auditevent", "UPDATE audit_auditevent SET account = 'x'"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert _all() == rows[10:]


def test_the_next_file_goes_on_where_the_last_one_ended(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    archive(first, "2025-04-01")
    archive(second)
    assert hash_chain.read(second).previous == hash_chain.read(first).last
    assert [each["id"] for path in (first, second) for each in hash_chain.events(path)] == [
        row["id"] for row in rows[:10]
    ]
    verify(first, second)
    verify(second)
    with pytest.raises(CommandError, match="newest file on record is 2"):
        verify(first)
    with pytest.raises(CommandError, match="does not follow on the file before it"):
        verify(second, first)


def test_a_file_whose_hashes_were_all_made_anew_is_not_what_the_audit_log_knows(
    rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    path, forged = tmp_path / "file", tmp_path / "forged"
    archive(path)
    events = [each for each in hash_chain.events(path) if each["who"] != "ada 3"]
    hash_chain.write(forged, hash_chain.read(path).before, hash_chain.BEGINNING, events)
    with pytest.raises(CommandError, match="was forged"):
        verify(forged)
    second = tmp_path / "second"
    archive(second, "2025-06-15")
    with pytest.raises(CommandError, match="does not follow"):
        verify(forged, second)


def test_where_the_audit_log_has_no_file_on_record_none_is_vouched_for(tmp_path: Path) -> None:
    hash_chain.write(tmp_path / "file", "2025", hash_chain.BEGINNING, [])
    with pytest.raises(CommandError, match="has no file on record"):
        verify(tmp_path / "file")


def test_where_the_audit_log_can_t_be_asked_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise DatabaseError

    hash_chain.write(tmp_path / "file", "2025", hash_chain.BEGINNING, [])
    monkeypatch.setattr(archiving, "newest", fail)
    assert "The audit log can't be read" in verify(tmp_path / "file")


def test_run_again_it_does_nothing(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    path = tmp_path / "file"
    archive(path)
    before = AuditEvent.objects.count()
    assert "0 of them were removed" in archive(path)
    assert "no events before 2025-02-01" in archive(tmp_path / "none", "2025-02-01")
    assert AuditEvent.objects.count() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "day", ["yesterday", "2025-13-01", *(f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%d}" for days in (-1, 0, 2))]
)
def test_a_day_that_is_none_or_not_long_past(rows: list[dict[str, Any]], tmp_path: Path, day: str) -> None:
    with pytest.raises(CommandError, match="--before takes a day"):
        archive(tmp_path / "file", day)
    assert _all() == rows


def test_a_file_that_is_there_is_not_written_over(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("of somebody else\n")
    with pytest.raises(CommandError, match="line 1 is none of an archive"):
        archive(path)
    assert path.read_text() == "of somebody else\n"
    hash_chain.write(tmp_path / "other", "2025", "f" * 64, [])
    with pytest.raises(CommandError, match="not the file that the audit log continues in"):
        archive(tmp_path / "other")
    assert _all() == rows
    assert recorded() == []


def test_what_is_another_event_than_the_file_s_stays(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    hash_chain.write(tmp_path / "file", "2025-06-05", hash_chain.BEGINNING, [*rows[:4], rows[4] | {"who": "nobody"}])
    with pytest.raises(CommandError, match=f"Event {rows[4]['id']} of the audit log is another one"):
        archive(tmp_path / "file")
    assert _all() == rows[3:]  # the first batch went


def test_what_is_recorded_late_stays(
    rows: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = hash_chain.write

    def written(*arguments: Any) -> None:
        write(*arguments)
        AuditEvent.objects.create(at=DAY, action="read", outcome="done", account="late")

    monkeypatch.setattr(hash_chain, "write", written)
    archive(tmp_path / "file")
    assert [each["who"] for each in _all()] == ["ada 10", "ada 11", "late"]


def _steps(monkeypatch: pytest.MonkeyPatch, kill_at: int) -> list[str]:
    """Kills at a step of all that lasts: before or after anything that is synced, named, recorded or removed."""
    seen: list[str] = []

    def step(name: str) -> None:
        seen.append(name)
        if len(seen) == kill_at:
            raise KilledError(name)

    def around(where: Any, name: str) -> None:
        act: Callable[..., Any] = getattr(where, name)

        def acted(*arguments: Any, **how: Any) -> Any:
            step(f"before {name}")
            done = act(*arguments, **how)
            step(f"after {name}")
            return done

        monkeypatch.setattr(where, name, acted)

    around(os, "fsync")
    around(os, "link")
    around(archiving, "record_or_raise")
    around(archiving, "_delete")
    return seen


def _killed(path: Path, at: int) -> bool:
    with pytest.MonkeyPatch.context() as patched:
        unlink = Path.unlink
        _steps(patched, at)
        patched.setattr(Path, "unlink", lambda self, **how: None if self.suffix == ".part" else unlink(self, **how))
        try:
            archive(path)
        except KilledError:
            return True
    return False


def test_killed_at_any_step_nothing_is_lost_and_the_next_run_ends_it(
    rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    at = 0
    while True:
        at += 1
        path = tmp_path / str(at)
        undone = transaction.savepoint()
        was_killed = _killed(path, at)
        held = _all()
        if held != rows:
            assert sorted([*hash_chain.events(path), *held], key=lambda each: each["id"]) == sorted(
                [*rows, *(each for each in rows[:10] if each in held)], key=lambda each: each["id"]
            )
            assert recorded()[0][0] == "intent"
        archive(path)
        assert _all() == rows[10:]
        assert list(hash_chain.events(path)) == rows[:10]
        assert {outcome for outcome, *_ in recorded()} == {"intent", "done"}
        assert {last for *_, last in recorded()} == {hash_chain.read(path).last}
        transaction.savepoint_rollback(undone)
        if not was_killed:
            break
    assert at > 16


def test_no_other_file_is_begun_before_the_newest_one_is_ended(
    rows: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, delete = tmp_path / "first", tmp_path / "second", archiving._delete
    batches = iter([delete])

    def killed(numbers: list[int]) -> None:
        for act in batches:
            return act(numbers)
        raise KilledError

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(archiving, "_delete", killed)
        with pytest.raises(KilledError):
            archive(first)
    assert _all() == rows[3:]
    with pytest.raises(CommandError, match="first has not been ended"):
        archive(second)
    assert list(tmp_path.iterdir()) == [first]
    assert _all() == rows[3:]
    archive(first)
    archive(second, "2025-06-15")
    assert [each["id"] for path in (first, second) for each in hash_chain.events(path)] == [
        row["id"] for row in rows[:11]
    ]


def test_two_at_once_make_one_chain(
    rows: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, late = hash_chain.read, tmp_path / "late"

    def overtaken(path: Path) -> hash_chain.Contents:
        found = read(path)
        monkeypatch.setattr(hash_chain, "read", read)
        archive(tmp_path / "first", "2025-04-01")
        return found

    monkeypatch.setattr(hash_chain, "read", overtaken)
    with pytest.raises(CommandError, match="not the file that the audit log continues in"):
        archive(late)
    assert {last for *_, last in recorded()} == {read(tmp_path / "first").last}
    assert _all() == rows[4:]


def test_a_file_that_another_process_writes(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    def reentrant() -> Iterator[dict[str, Any]]:
        yield rows[0]
        with pytest.raises(BlockingIOError):
            hash_chain.write(tmp_path / "file", "x", hash_chain.BEGINNING, [])

    hash_chain.write(tmp_path / "file", "x", hash_chain.BEGINNING, reentrant())
    assert hash_chain.read(tmp_path / "file").events == 1


def test_a_process_that_comes_late_leaves_the_other_s_file_alone(
    rows: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has opened the file that another process is writing, and is held up until that has its name."""
    path, lock = tmp_path / "file", fcntl.flock

    def held_up(*arguments: Any) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        archive(path)
        lock(*arguments)

    monkeypatch.setattr(fcntl, "flock", held_up)
    with pytest.raises(CommandError, match="Another process is writing"):
        archive(path)
    assert list(hash_chain.events(path)) == rows[:10]
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_left_is_not_written_over_where_it_has_a_name(
    rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    path, kept = tmp_path / "file", tmp_path / "kept"
    archive(path, "2025-04-01")
    os.link(path, tmp_path / "file.part")  # killed between naming and tidying up
    path.rename(kept)
    archive(path)
    assert [each["id"] for each in hash_chain.events(kept)] == [each["id"] for each in rows[:4]]
    verify(kept, path)


@given(data=st.data())
def test_whatever_is_changed_in_a_file_is_found(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "changed"
    path.unlink(missing_ok=True)
    events = [{"id": number, "at": f"2025-01-0{number}", "who": f"ada{number}"} for number in range(1, 5)]
    hash_chain.write(path, "2025", hash_chain.BEGINNING, events)
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    place = data.draw(st.integers(0, len(whole) - 1))
    number = data.draw(st.integers(0, len(lines) - 2))
    changed = data.draw(
        st.sampled_from(
            [
                whole[:place],
                whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :],
                b"".join(lines[:number] + lines[number + 1 :]),
                b"".join([*lines[: number + 1], lines[number], *lines[number + 1 :]]),
                b"".join([*lines[:number], lines[number + 1], lines[number], *lines[number + 2 :]]),
                whole + lines[-1],
            ]
        )
    )
    path.write_bytes(changed)
    last = hashlib.sha256(lines[-1][:-1]).hexdigest()
    try:
        found = hash_chain.read(path)
    except hash_chain.BrokenChainError:
        return
    # A change in the last line alone breaks no line after it: the hash that the audit log has on record is another.
    assert found.last != last or changed == whole
    assert changed.startswith(b"".join(lines[:-1]))


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_processes_that_are_killed_at_one_step_after_the_other(tmp_path: Path, kind: str) -> None:
    environment = environment_of(tmp_path, "http://127.0.0.1:9/v1", DJANGO_SETTINGS_MODULE="dashboard.settings")
    with services.postgres() if kind == "postgresql" else nullcontext("") as url:
        done = subprocess.run(
            [sys.executable, "-m", "tests.system.archive.archiving_killed", str(tmp_path / "file")],
            cwd=ROOT, env=environment | ({"DATABASE_URL": url} if url else {}),
            capture_output=True, text=True, timeout=100,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert "append-only" in found["refused"]
    for round_ in found["seen"]:
        assert round_["ended"] in {0, -9}
        assert sorted({*round_["held"], *round_["filed"]}) == list(range(1, 26))
        assert round_["filed"] in ([], list(range(1, 21)))
        assert len(round_["held"]) == 25 or round_["told"][0] == "intent"
    assert len(found["seen"]) > 5
    last = found["seen"][-1]
    assert (last["held"], last["filed"]) == (list(range(21, 26)), list(range(1, 21)))
    assert last["told"].count("intent") == 1
    assert "done" in last["told"]
