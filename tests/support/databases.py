"""Migrated SQLite databases: one is migrated in each run of the tests, the others are copies."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAME, PASSWORD = "ada", "a loom of one's own"
"""The account of `migrated(account=True)`, an administrator."""
FILE = "threadkeeper.sqlite3"

_SECONDS = 60


def run_folder(data: Path) -> Path:
    """The folder that all workers of this run of the tests share."""
    return next((each for each in data.parents if each.name.startswith("pytest-")), data.parent)


@contextmanager
def locked(folder: Path, name: str) -> Iterator[None]:
    """A lock that all workers of a run share."""
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def migrated(data: Path, *, account: bool = False) -> None:
    """Puts a migrated database into `data`; with `account` it has the account NAME. Only the first caller of a run
    migrates and creates the account, which take four seconds."""
    run = run_folder(data)
    with locked(run, "database"):
        template = run / "database"
        if not (template / FILE).exists():
            template.mkdir(exist_ok=True)
            _manage(template, "migrate", "--verbosity", "0")
        if account:
            empty, template = template, run / "database-with-account"
            if not (template / FILE).exists():
                template.mkdir(exist_ok=True)
                shutil.copy(empty / FILE, template / FILE)
                made = {"DJANGO_SUPERUSER_USERNAME": NAME, "DJANGO_SUPERUSER_PASSWORD": PASSWORD}
                email = {"DJANGO_SUPERUSER_EMAIL": "ada@desk.example"}
                _manage(template, "createsuperuser", "--noinput", **made, **email)
        shutil.copy(template / FILE, data / FILE)


def _manage(data: Path, *arguments: str, **more: str) -> None:
    environment = {"DATA_DIR": str(data), "PATH": os.environ["PATH"]} | more
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=_SECONDS)
    if done.returncode or not (data / FILE).exists():
        (data / FILE).unlink(missing_ok=True)
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    # The last connection has closed, so nothing is left in the write-ahead log.
    assert not (data / f"{FILE}-wal").exists() or not (data / f"{FILE}-wal").stat().st_size
