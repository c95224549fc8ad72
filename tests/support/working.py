"""Workers as they are run in earnest: processes of their own, on a database in a directory of the test's."""

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
    return {
        "DATA_DIR": str(data), "PATH": os.environ["PATH"], "OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": upstream,
        "SECRET_KEY": "of this test alone", "ARCHIVE_REQUESTS_PER_MINUTE": "100000",
    } | more  # fmt: skip


def manage(settings: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT, env=settings, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def started(settings: dict[str, str], *arguments: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A command that runs meanwhile, and is killed if it has not ended by then."""
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
    """What the archive in `data` says."""
    connection = sqlite3.connect(data / "threadkeeper.sqlite3", timeout=20)
    try:
        return list(connection.execute(sql))
    finally:
        connection.close()


def until(true: Callable[[], object], seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)
