"""SQLite beside a sync: who waits for the lock holds nobody up, others get their turn, and the log stays small."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from dashboard.databases import sqlite
from tests.support.mirror import asking
from threads.archive.store import sqlite_wal
from threads.archive.sync import item_reader
from threads.archive.sync.context import SyncContext
from threads.archive.sync.sync import Sync
from threads.emulator import Emulator

pytestmark = [
    pytest.mark.slow,
    pytest.mark.database("sqlite"),
    pytest.mark.django_db(transaction=True),
]

LARGE, TOO_LARGE = 100_000, 400_000


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BaseDatabaseWrapper]:
    """A database in a file, with the settings of the desk's own."""
    made = connections["default"].copy("beside")
    made.settings_dict["NAME"] = str(tmp_path / "file.sqlite3")
    made.settings_dict["OPTIONS"] = made.settings_dict["OPTIONS"] | {"timeout": 1.0}
    monkeypatch.setattr(sqlite_wal, "connection", made)
    monkeypatch.setattr(sqlite_wal, "_LARGE", LARGE)
    monkeypatch.setattr(sqlite_wal, "_TOO_LARGE", TOO_LARGE)
    with made.cursor() as cursor:
        cursor.execute("PRAGMA wal_autocheckpoint = 0")
        cursor.execute("CREATE TABLE what (it)")
    yield made
    made.close()


def other(file: BaseDatabaseWrapper) -> sqlite3.Connection:
    return sqlite3.connect(file.settings_dict["NAME"], isolation_level=None)


def write(file: BaseDatabaseWrapper, size: int = 10) -> None:
    with file.cursor() as cursor:
        cursor.execute("INSERT INTO what VALUES (zeroblob(%s))", [size])


@contextmanager
def slept(monkeypatch: pytest.MonkeyPatch, waking: Any) -> Iterator[list[float]]:
    found: list[float] = []

    def sleep(seconds: float) -> None:
        found.append(seconds)
        if len(found) == 3:
            waking()

    with monkeypatch.context() as patch:
        patch.setattr("dashboard.databases.sqlite.time.sleep", sleep)
        yield found


@pytest.mark.parametrize("how", ["alone", "in a transaction"])
def test_a_locked_file_is_waited_for_by_sleeping_here(
    file: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Which lets the other greenlets go on; SQLite would sleep where none of them runs."""
    with closing(other(file)) as holder, slept(monkeypatch, lambda: holder.execute("ROLLBACK")) as naps:
        with file.cursor() as cursor:
            assert cursor.execute("PRAGMA busy_timeout").fetchone() == (0,)
        holder.execute("BEGIN IMMEDIATE")
        if how == "alone":
            write(file)
        else:
            connections["beside"] = file
            try:
                with transaction.atomic("beside"):
                    write(file)
            finally:
                del connections["beside"]
    assert len(naps) == 3
    assert max(naps) <= sqlite.POLL_SECONDS < sqlite_wal._MIN_PAUSE / 1.5


def test_not_for_longer_than_the_setting_says(file: BaseDatabaseWrapper) -> None:
    file.settings_dict["OPTIONS"]["timeout"] = 0.05
    with closing(other(file)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="locked"):
            write(file)


def test_others_get_their_turn(file: BaseDatabaseWrapper) -> None:
    naps: list[float] = []
    turns = sqlite_wal.WritePauses(naps.append)
    for _ in range(20):
        turns.took(0.03)
    assert len(naps) == 5
    assert min(naps) >= sqlite_wal._MIN_PAUSE
    turns.took(100.0)
    assert naps[-1] == sqlite_wal._MAX_PAUSE


def test_the_log_is_emptied(file: BaseDatabaseWrapper) -> None:
    naps: list[float] = []
    write(file, LARGE // 2)
    sqlite_wal.WritePauses(naps.append).took(0)
    assert 0 < sqlite_wal._size() <= LARGE
    write(file, LARGE)
    sqlite_wal.WritePauses(naps.append).took(0)
    assert sqlite_wal._size() == 0
    assert not naps


def test_a_long_reader_makes_the_sync_wait_and_not_the_log_grow(
    file: BaseDatabaseWrapper, caplog: pytest.LogCaptureFixture
) -> None:
    naps: list[float] = []
    with closing(other(file)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM what").fetchall()
        write(file, 2 * LARGE)
        sqlite_wal.WritePauses(naps.append).took(0)
        assert not naps, "it is not too large yet"
        write(file, TOO_LARGE)

        def nap(seconds: float) -> None:
            naps.append(seconds)
            if len(naps) == 3:
                reader.execute("ROLLBACK")

        sqlite_wal.WritePauses(nap).took(0)
    assert len(naps) == 3
    assert sqlite_wal._size() == 0
    assert "A long read blocks the checkpoint" in caplog.text


def test_a_reader_who_never_ends_is_waited_for_so_long_and_no_longer(
    file: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_wal, "_MAX_WAIT", 0.05)
    naps: list[float] = []
    with closing(other(file)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM what").fetchall()
        write(file, 2 * TOO_LARGE)
        sqlite_wal.WritePauses(naps.append).took(0)
        assert naps
        # Somebody else may still write meanwhile.
        with closing(other(file)) as writer:
            writer.execute("INSERT INTO what VALUES (1)")


def test_a_transaction_ends_after_the_reply_that_was_long(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many replies have come meanwhile."""
    monkeypatch.setattr(item_reader, "BUSY", 1e-9)
    kept: list[int] = []
    keep, keeping = item_reader.ItemReader._store, SyncContext.leased_transaction

    def counting(*about: Any) -> bool:
        kept[-1] += 1
        return keep(*about)

    def beginning(self: SyncContext) -> Any:
        kept.append(0)
        return keeping(self)

    monkeypatch.setattr(item_reader.ItemReader, "_store", counting)
    monkeypatch.setattr(SyncContext, "leased_transaction", beginning)
    client = asking(emulator)
    Sync(client, pauses=(), side_by_side=8).run()
    client.close()
    assert max(kept) == 1
    assert sum(kept) >= 45
