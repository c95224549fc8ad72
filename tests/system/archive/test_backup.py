"""docs/backup.md, command by command: a backup, an erasure after it, the restore, and the replay."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg
import pytest

from tests.support.services import absent, postgres
from tests.support.upstream import NOW
from tests.support.working import ROOT, environment
from threads.emulator import Emulator, EmulatorServer

PROGRAMS = {"SQLite": ["sqlite3"], "PostgreSQL": ["pg_dump", "pg_restore"]}


def commands(section: str, database: str = "") -> str:
    """The commands under a heading of the document."""
    text = (ROOT / "docs" / "backup.md").read_text(encoding="utf-8")
    part = text.split(f"\n## {section}\n")[1].split("\n## ")[0]
    part = part.split(f"\n### {database}\n")[1].split("\n### ")[0] if database else part
    (found,) = re.findall(r"```sh\n(.*?)```", part, re.DOTALL)
    return str(found)


@pytest.mark.parametrize("database", ["SQLite", pytest.param("PostgreSQL", marks=pytest.mark.postgres)])
def test_from_the_backup_to_the_replay(database: str, tmp_path: Path) -> None:
    for program in PROGRAMS[database]:
        if shutil.which(program) is None:
            absent(f"no {program}: apt-get install {'sqlite3' if database == 'SQLite' else 'postgresql-client'}")
    data, backups = tmp_path / "data", tmp_path / "backups"
    data.mkdir()
    backups.mkdir()
    with ExitStack() as stack:
        world = Emulator(threads=12, seed=7, now=NOW)
        server = stack.enter_context(EmulatorServer(world))
        settings = environment(data, server.base_url, BACKUPS=str(backups), DJANGO_SETTINGS_MODULE="dashboard.settings")
        ids: Callable[[], set[str]]
        if database == "PostgreSQL":
            url = settings["DATABASE_URL"] = stack.enter_context(postgres())
            ids = lambda: {each for (each,) in _on_postgresql(url)}  # noqa: E731
        else:
            ids = lambda: {each for (each,) in _on_sqlite(data / "threadkeeper.sqlite3")}  # noqa: E731

        def run(*command: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, text=True, timeout=120)

        made = run(
            sys.executable, "-m", "tests.system.archive.restored", server.base_url, commands("Back up", database)
        )
        assert made.returncode == 0, made.stderr
        told = json.loads(made.stdout)
        erased, left = set(told["erased"]), set(told["left"])
        assert ids() == left
        assert left == set(world.thread_ids())
        restored = run("sh", "-ec", commands("Restore", database))
        assert restored.returncode == 0, restored.stderr
        assert ids() == erased | left, "they are back"
        looked = run(sys.executable, "manage.py", "erasures")
        assert looked.returncode == 1
        assert f"{len(erased)} erased threads may be back, and 2 erasures" in looked.stdout
        replay = commands("Check, and erase again").replace(".venv/bin/python", sys.executable)
        steps = [each for each in replay.splitlines() if not re.search("migrate|doctor|erasures$", each)]
        done = run("sh", "-ec", "\n".join(steps))
        assert done.returncode == 0, done.stderr
        assert ids() == left
        assert "has ended" in done.stdout


def _on_postgresql(url: str) -> list[tuple[str]]:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT thread_id FROM archive_archivedthread").fetchall()


def _on_sqlite(file: Path) -> list[tuple[str]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute("SELECT thread_id FROM archive_archivedthread").fetchall()
