"""`manage.py migrate` by several at once, on an empty database: each ends well, one after the other."""

from __future__ import annotations

import fcntl
import io
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command

from tests.support.services import postgres
from tests.support.working import ROOT
from threads.management.commands.migrate import LOCK

APPLIED = "SELECT app, name FROM django_migrations ORDER BY app, name"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database."""
    with ExitStack() as stack:
        yield f"sqlite:///{tmp_path}/desk.sqlite3" if request.param == "sqlite" else stack.enter_context(postgres())


def migrating(database: str, data: Path) -> subprocess.Popen[str]:
    settings = {"DATA_DIR": str(data), "DATABASE_URL": database, "PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        cwd=ROOT, env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def hold(database: str, stack: ExitStack) -> None:
    """Takes the lock until the stack is left."""
    if database.startswith("sqlite"):
        path = Path(f"{database.removeprefix('sqlite:///')}.migrating")
        file = stack.enter_context(path.open("w"))
        fcntl.flock(file, fcntl.LOCK_EX)
    else:
        stack.enter_context(psycopg.connect(database)).execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def applied(database: str) -> list[tuple[str, str]]:
    if database.startswith("sqlite"):
        with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as file:
            return list(file.execute(APPLIED))
    with psycopg.connect(database) as server:
        return list(server.execute(APPLIED).fetchall())


def test_several_at_once_on_an_empty_database(database: str, tmp_path: Path) -> None:
    with ExitStack() as processes:
        with ExitStack() as held:
            hold(database, held)
            both = [processes.enter_context(migrating(database, tmp_path)) for _ in range(2)]
            for each in both:
                assert each.stdout is not None
                assert each.stdout.readline() == "Another migrate is under way. Waiting for it to end.\n"
        assert [each.communicate(timeout=60)[0] for each in both] == ["", ""]
    assert [each.returncode for each in both] == [0, 0]
    found = applied(database)
    assert len(found) == len(set(found)) > 20


@pytest.mark.django_db(transaction=True)
def test_a_database_in_memory_has_nobody_to_wait_for() -> None:
    out = io.StringIO()
    call_command("migrate", verbosity=0, stdout=out)
    assert out.getvalue() == ""
