"""The dress rehearsal in a small size, and that it notices a single item that is missing."""

from __future__ import annotations

import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from tests.system.rehearsal.checks import CheckFailedError, Checks, wait_for
from tests.system.rehearsal.comparison import archive_checks, emulator_conversations
from tests.system.rehearsal.rehearsal import SCENARIOS, WITHOUT_KEY, rehearse
from threads.emulator import Emulator

HERE = 14
"""Checks of the archive and of the pages, made before and after each retirement."""


@pytest.mark.timeout(300)
def test_the_archive_outlives_the_api(tmp_path: Path, cache: pytest.Cache) -> None:
    shown: list[str] = []
    emulator = Emulator(threads=40)
    # To compress the static files takes longer than anything else here, so they are kept for the next time.
    static = str(cache.mkdir("rehearsal-static"))
    checks = rehearse(tmp_path, emulator, shown.append, quick=True, STATIC_ROOT=static)
    assert not checks.failed, "\n".join(shown)
    made = Counter(each.part for each in checks.made)
    refused, (before, *_) = SCENARIOS[2].heading, made
    # Besides those: the filling; two syncs and that pages come back, or one sync; a sync and that nobody was called.
    assert made == {
        before: HERE + 1, SCENARIOS[0].heading: HERE + 3, SCENARIOS[1].heading: HERE + 3, refused: HERE + 1,
        WITHOUT_KEY: HERE + 2,
    }  # fmt: skip
    assert checks.passed == len(checks.made) == len([line for line in shown if line.startswith("ok ")])
    notices_an_item_that_is_missing(tmp_path, emulator)


def notices_an_item_that_is_missing(data: Path, emulator: Emulator) -> None:
    database = sqlite3.connect(data / "threadkeeper.sqlite3", timeout=20)
    with database:
        deleted = database.execute(
            "DELETE FROM archive_archiveditem WHERE id = (SELECT max(id) FROM archive_archiveditem)"
        )
        assert deleted.rowcount == 1
    database.close()
    shown: list[str] = []
    checks = Checks(shown.append)
    for what, check in archive_checks(data, emulator_conversations(emulator)):
        checks.make(what, check)
    assert [each.what for each in checks.made if not each.passed] == [
        "Items in the database", "Items equal to OpenAI's, field by field"
    ]  # fmt: skip
    assert [line.split()[0] for line in shown] == ["ok", "FAILED", "ok", "FAILED"]
    assert "1 of 40 conversations differ" in shown[-1]


def test_a_wait_ends_with_a_sentence() -> None:
    with pytest.raises(CheckFailedError, match=r"Waited 0 seconds for the desk to start, in vain\."):
        wait_for("the desk to start", lambda: None, 0.2)


def test_a_rehearsal_with_too_few_threads_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="40 threads or more, not 39"):
        rehearse(tmp_path, Emulator(threads=39), lambda _: None)
