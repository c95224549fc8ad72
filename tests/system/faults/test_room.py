"""A disk that is full: what was kept stays whole, what failed is said, and it goes on when there is room again."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.support.copied import COMPLETE, is_equal
from tests.support.seen import Seen
from tests.support.upstream import NOW
from tests.support.working import ROOT, ask, environment, manage
from threads.emulator import Emulator, EmulatorServer

SPARE = 300_000
"""Bytes that a file may grow by until there is no room."""

LARGE = 60_000_000
"""Bytes of the file system that is mounted."""


def copy(settings: dict[str, str], most: int | None = None) -> subprocess.CompletedProcess[str]:
    """Copies, with no file larger than `most` bytes."""

    def limit() -> None:
        if most is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    return subprocess.run(
        [sys.executable, "manage.py", "archive", "sync"],
        cwd=ROOT, env=settings, capture_output=True, text=True, timeout=60, preexec_fn=limit,
    )  # fmt: skip


def is_said(done: subprocess.CompletedProcess[str]) -> str:
    """That it ended early for want of room, in one sentence. Returns the sentence."""
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    said = done.stderr.strip().splitlines()[-1]
    assert "The archive can't be written" in said
    assert "start it again to go on" in said
    return said


def is_whole(data: Path) -> None:
    with closing(sqlite3.connect(data / "threadkeeper.sqlite3")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert ask(data, COMPLETE) == []


def test_a_file_that_may_not_grow(tmp_path: Path, seen: Seen) -> None:
    emulator = Emulator(threads=150, seed=5, now=NOW)
    with EmulatorServer(emulator) as server:
        settings = environment(tmp_path, server.base_url)
        manage(settings, "migrate", "--verbosity", "0")
        said = is_said(copy(settings, (tmp_path / "threadkeeper.sqlite3").stat().st_size + SPARE))
        is_whole(tmp_path)
        assert copy(settings).returncode == 0
    is_equal(tmp_path, emulator)
    seen(f"“{said}” Then, with room, all of it.")


@contextmanager
def own_disk(place: Path) -> Iterator[Path]:
    """A file system of its own, whose size can be set."""
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={LARGE}", "tmpfs", str(place)], capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"no small file system can be mounted here ({made.stderr.strip()}): run as root to perform it")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def resize(place: Path, size: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(place)], check=True)


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root may mount a small file system")
def test_a_disk_that_is_full(tmp_path: Path, seen: Seen) -> None:
    emulator = Emulator(threads=150, seed=5, now=NOW)
    with own_disk(tmp_path / "disk") as data, EmulatorServer(emulator) as server:
        settings = environment(data, server.base_url)
        manage(settings, "migrate", "--verbosity", "0")
        used = shutil.disk_usage(data).used
        resize(data, used + SPARE)
        said = is_said(copy(settings))
        is_whole(data)
        resize(data, LARGE)
        assert copy(settings).returncode == 0
        is_equal(data, emulator)
    seen(f"“{said}” Then, with room, all of it.")
