"""After an erasure no file of the database holds a byte of what was erased: title, reason, message, words."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.services import postgres
from tests.support.syncing import spoken
from tests.support.upstream import NOW
from tests.support.working import ROOT
from threads.emulator import Emulator, EmulatorServer

MARK = "zyxmark"
"""In no text that the emulator makes."""


@pytest.fixture
def world() -> Emulator:
    """Three threads among others that have what is to go, in many items, so that pages of the database are split."""
    emulator = Emulator(threads=60, seed=7, now=NOW)
    for number, each in enumerate(list(emulator.thread_ids())[5:30:10]):
        emulator.set_title(each, f"{MARK}title{number}")
        emulator.set_status(each, "locked", f"{MARK}reason{number}")
        emulator.set_items(each, [spoken(f"it was {MARK}word{number}x{n} that " + "was said " * n) for n in range(80)])
    return emulator


def marked(world: Emulator) -> list[str]:
    return list(world.thread_ids())[5:30:10]


def erased(world: Emulator, data: Path, **more: str) -> dict[str, Any]:
    settings = {
        "DJANGO_SETTINGS_MODULE": "dashboard.settings", "DATA_DIR": str(data), "PYTHONPATH": str(ROOT),
        "OPENAI_API_KEY": "sk-test", "SECRET_KEY": "of this test alone", "PATH": os.environ["PATH"],
    }  # fmt: skip
    with EmulatorServer(world) as server:
        done = subprocess.run(
            [sys.executable, "-m", "tests.system.archive.scrubbed", server.base_url, *marked(world)],
            cwd=ROOT, env=settings | more, capture_output=True, text=True, timeout=100,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["ended"]
    assert found["states"] == ["erased"] * 3, done.stderr[-3000:]
    return found


def holding(data: Path) -> list[str]:
    """The files that have the mark in them."""
    files = sorted(each for each in data.rglob("*") if each.is_file())
    assert any(each.name == "threadkeeper.sqlite3" for each in files)
    return [each.name for each in files if MARK.encode() in each.read_bytes().lower()]


def relations(server: psycopg.Connection) -> Iterator[tuple[str, bytes]]:
    """Every file of the database, as it is on the disk."""
    server.execute("CHECKPOINT")
    named = server.execute(
        "SELECT oid::regclass::text, pg_relation_filepath(oid) FROM pg_class WHERE relkind IN ('r', 'i', 't')"
    )
    for name, path in named.fetchall():
        if path:
            (content,) = server.execute("SELECT pg_read_binary_file(%s)", [path]).fetchone() or (b"",)
            yield name, bytes(content)


def held(url: str) -> list[str]:
    with psycopg.connect(url, autocommit=True) as server:
        return [name for name, content in relations(server) if MARK.encode() in content.lower()]


@contextmanager
def open_elsewhere(data: Path) -> Iterator[None]:
    """A process that has the database open, as the server has."""
    with closing(sqlite3.connect(data / "threadkeeper.sqlite3")) as other:
        other.executescript("PRAGMA journal_mode = WAL; CREATE TABLE elsewhere (x)")
        yield
        assert other.execute("SELECT count(*) FROM archive_tombstone").fetchall() == [(3,)]


def test_sqlite(world: Emulator, tmp_path: Path) -> None:
    with open_elsewhere(tmp_path):
        found = erased(world, tmp_path)
        assert holding(tmp_path) == []
    assert found["traces"]["files"]["rewritten"]
    assert found["traces"]["archive"]["words"] >= 3 * 82


def test_sqlite_keeps_them_where_nobody_sees_to_it(world: Emulator, tmp_path: Path) -> None:
    """What makes the test above worth something."""
    with open_elsewhere(tmp_path):
        erased(world, tmp_path, SCRUB="0")
        assert holding(tmp_path) == ["threadkeeper.sqlite3", "threadkeeper.sqlite3-wal"]


def test_a_large_database_is_left_as_it_is_and_says_so(world: Emulator, tmp_path: Path) -> None:
    found = erased(world, tmp_path, ERASE_REWRITE_MB="0")
    assert found["traces"]["files"]["why"] == "the database is larger than ERASE_REWRITE_MB"


@pytest.mark.postgres
def test_postgresql(world: Emulator, tmp_path: Path) -> None:
    with postgres() as url:
        found = erased(world, tmp_path, DATABASE_URL=url)
        assert held(url) == []
        assert found["traces"]["files"]["rewritten"]


@pytest.mark.postgres
def test_postgresql_keeps_them_after_a_plain_vacuum(world: Emulator, tmp_path: Path) -> None:
    """Why the tables are written anew."""
    with postgres() as url:
        erased(world, tmp_path, DATABASE_URL=url, SCRUB="0")
        with psycopg.connect(url, autocommit=True) as server:
            server.execute("VACUUM")
        assert held(url)
