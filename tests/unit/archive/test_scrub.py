"""Rewriting the tables of PostgreSQL: its limit on waiting for a lock, which stays with nobody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from threads.erasure import vacuum

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.database("postgresql"),
]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vacuum, "_TRIES", 1)
    monkeypatch.setattr(vacuum, "_LOCK_TIMEOUT", "30ms")


@pytest.fixture
def somebody_reads() -> Iterator[None]:
    other = connection.copy("other")
    other.set_autocommit(False)
    with other.cursor() as cursor:
        cursor.execute("LOCK TABLE archive_reason IN SHARE MODE")
    yield
    other.close()


def files() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, relfilenode FROM pg_class WHERE relname LIKE 'archive%'")
        return dict(cursor.fetchall())


@pytest.mark.parametrize("rewrite", [True, False])
def test_what_it_does_and_that_no_limit_stays(rewrite: bool, settings: Any) -> None:
    settings.ERASE_REWRITE_MB = 256 if rewrite else 0
    before = files()
    done = vacuum.scrub()
    assert done["rewritten"] is rewrite
    after = files()
    new = {name for name in after if after[name] != before[name]}
    tables = {name for name in after if name in vacuum._TABLES}
    assert len(tables) == len(vacuum._TABLES)
    assert tables <= new if rewrite else not new
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)


@pytest.mark.parametrize("rewrite", [True, False])
@pytest.mark.usefixtures("somebody_reads")
def test_a_lock_of_somebody_else_is_said(rewrite: bool, settings: Any) -> None:
    settings.ERASE_REWRITE_MB = 256 if rewrite else 0
    done = vacuum.scrub()
    assert done == {"rewritten": False, "why": "the database was busy, or there was no room: see the log"}
