"""SQLite beside a sync: room for other writers between its transactions, and a bound for the write-ahead log."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from django.db import connection

BUSY = 0.1
"""Seconds of transactions after which others get their turn: about as long as one of them waits."""

_PAUSE, _LONGEST = 0.04, 0.25
"""Seconds of such a turn: at least twice what others wait between two attempts (`dashboard.databases.sqlite`)."""

_LARGE, _TOO_LARGE = 16 * 2**20, 64 * 2**20
"""Bytes of the write-ahead log from which on it is emptied, and from which on the sync waits for the readers who keep
it from being emptied."""

_PATIENCE, _RETRY = 15.0, 0.1

log = logging.getLogger(__name__)


class Turns:
    """The turns of one sync. `sleep` waits for so many seconds."""

    def __init__(self, sleep: Callable[[float], object]) -> None:
        self._sleep = sleep
        self._busy = 0.0
        self._slowed = False

    def took(self, seconds: float) -> None:
        """A transaction has ended that took so long. Outside of any transaction: lets others write, and sees to the
        write-ahead log, which waits for a long reader for up to 15 seconds."""
        if connection.vendor != "sqlite" or not Path(connection.settings_dict["NAME"]).is_file():
            return  # one in memory has no other writers
        self._busy += seconds
        if self._busy >= BUSY:
            self._sleep(min(max(_PAUSE, self._busy / 2), _LONGEST))
            self._busy = 0.0
        self._bound()

    def _bound(self) -> None:
        until = time.monotonic() + _PATIENCE
        while (size := _size()) > _LARGE and not emptied():
            if size <= _TOO_LARGE:
                return
            if not self._slowed:
                self._slowed = True
                log.warning("Somebody reads the database for long; the sync waits, since the write-ahead log grows.")
            if time.monotonic() >= until:
                return
            self._sleep(_RETRY)


def emptied() -> bool:
    """Writes the write-ahead log into the database and empties it; False where a reader or a writer is in the way."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return not cursor.fetchone()[0]


def _size() -> int:
    file = Path(f"{connection.settings_dict['NAME']}-wal")
    try:
        return file.stat().st_size
    except OSError:
        return 0
