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

_FILE = "database.sqlite3"
_SECONDS = 120


def run_folder(data: Path) -> Path:
    """The folder that all workers of this run of the tests share."""
    return next((each for each in data.parents if each.name.startswith("pytest-")), data.parent)


@contextmanager
def locked(folder: Path, name: str) -> Iterator[None]:
    """A lock that all workers of a run share."""
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def migrated(data: Path, *, demo: bool = False, account: bool = False) -> None:
    """Puts a migrated database into `data`: that of the emulator with `demo`, and with the account NAME with `account`.
    Only the first caller of a run migrates and creates the account, which take four seconds."""
    run = run_folder(data)
    empty, with_account = run / "database", run / "database-with-account"
    with locked(run, "database"):
        if not empty.exists():
            _made(empty, ["migrate", "--verbosity", "0"])
        if account and not with_account.exists():
            made = {"DJANGO_SUPERUSER_USERNAME": NAME, "DJANGO_SUPERUSER_PASSWORD": PASSWORD}
            email = {"DJANGO_SUPERUSER_EMAIL": "ada@desk.example"}
            _made(with_account, ["createsuperuser", "--noinput"], template=empty, **made, **email)
        name = "emulator.sqlite3" if demo else "threadkeeper.sqlite3"
        shutil.copy((with_account if account else empty) / _FILE, data / name)


def _made(folder: Path, arguments: list[str], template: Path | None = None, **more: str) -> None:
    """Makes `folder` with the database that the command leaves, which starts with `template`'s."""
    made = folder.with_name(f"{folder.name}-unfinished")
    made.mkdir(exist_ok=True)
    if template is not None:
        shutil.copy(template / _FILE, made / _FILE)
    kept = {"DATA_DIR": str(made), "DATABASE_URL": f"sqlite:///{made / _FILE}", "PATH": os.environ["PATH"]}
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=kept | more, capture_output=True, text=True, timeout=_SECONDS)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    made.rename(folder)
