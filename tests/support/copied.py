"""Checks on an archive that other processes filled, by SQL on its SQLite file."""

from __future__ import annotations

from pathlib import Path

from tests.support.mirror import upstream
from tests.support.working import ask
from threads.emulator import Emulator

ITEMS = "SELECT count(*) FROM archive_archiveditem"


DOUBLES = "SELECT item_id FROM archive_archiveditem GROUP BY item_id HAVING count(*) > 1"


THREADS = "SELECT thread_id FROM archive_archivedthread ORDER BY number"


COMPLETE = """SELECT 1 FROM archive_progress WHERE reached_end_at IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM archive_archivedthread WHERE read_at IS NULL AND deleted_upstream_at IS NULL)"""


def is_equal(data: Path, emulator: Emulator) -> None:
    """Fails unless the archive in `data` has the emulator's threads and items, each once."""
    emulator.latency_ms = 0
    held = upstream(emulator)
    assert [each for (each,) in ask(data, THREADS)] == list(held)
    assert ask(data, ITEMS) == [(sum(len(items) for _, items in held.values()),)]
    assert ask(data, DOUBLES) == []
