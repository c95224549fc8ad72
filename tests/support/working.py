"""Commands of manage.py as processes of their own, such as the worker, on a database in a directory of the test."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def environment(data: Path, upstream: str, **more: str) -> dict[str, str]:
    """Environment variables for a process with its data in `data`."""
    return {
        "DATA_DIR": str(data), "PATH": os.environ["PATH"], "OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": upstream,
        "SECRET_KEY": "of this test alone", "ARCHIVE_REQUESTS_PER_MINUTE": "100000",
    } | more  # fmt: skip


def manage(settings: dict[str, str], *arguments: str) -> str:
    """Runs a command to its end; returns its output."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT, env=settings, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def started(settings: dict[str, str], *arguments: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A command that runs in the background, and is killed at the end of the block."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=settings, stdout=out, stderr=out
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def ask(data: Path, sql: str) -> list[tuple[object, ...]]:
    """The rows of a query of the SQLite database in `data`."""
    connection = sqlite3.connect(data / "threadkeeper.sqlite3", timeout=20)
    try:
        return list(connection.execute(sql))
    finally:
        connection.close()


def until(true: Callable[[], object], seconds: float = 40) -> None:
    """Waits until `true` returns something true. Fails after so many seconds."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"this did not become true in {seconds} seconds"
        time.sleep(0.05)
