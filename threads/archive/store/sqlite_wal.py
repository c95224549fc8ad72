"""SQLite during a sync: pauses between its transactions for other writers, and a size limit for the write-ahead log."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from django.db import connection

BUSY = 0.1
"""Seconds of transactions after which the sync pauses: about as long as another writer then waits."""

_MIN_PAUSE, _MAX_PAUSE = 0.04, 0.25
"""Seconds of a pause: at least twice what other writers wait between two attempts (`dashboard.databases.sqlite`)."""

_LARGE, _TOO_LARGE = 16 * 2**20, 64 * 2**20
"""Bytes of the write-ahead log from which on a checkpoint is tried, and from which on the sync waits for the readers
that block it."""

_MAX_WAIT, _RETRY = 15.0, 0.1
"""Seconds of such a wait in total, and between two attempts."""

log = logging.getLogger(__name__)


class WritePauses:
    """Pauses between the transactions of one sync. `sleep` waits for the given seconds."""

    def __init__(self, sleep: Callable[[float], object]) -> None:
        self._sleep = sleep
        self._busy = 0.0
        self._slowed = False

    def took(self, seconds: float) -> None:
        """Call after each transaction, outside of any, with its duration. Pauses where it is time to, and keeps the
        write-ahead log small, for which it waits for a long reader up to 15 seconds."""
        if connection.vendor != "sqlite" or not Path(connection.settings_dict["NAME"]).is_file():
            return  # a database in memory has no other writers
        self._busy += seconds
        if self._busy >= BUSY:
            self._sleep(min(max(_MIN_PAUSE, self._busy / 2), _MAX_PAUSE))
            self._busy = 0.0
        self._bound()

    def _bound(self) -> None:
        until = time.monotonic() + _MAX_WAIT
        while (size := _size()) > _LARGE and not checkpoint():
            if size <= _TOO_LARGE:
                return
            if not self._slowed:
                self._slowed = True
                log.warning("A long read blocks the checkpoint of the write-ahead log; the sync waits.")
            if time.monotonic() >= until:
                return
            self._sleep(_RETRY)


def checkpoint() -> bool:
    """Runs a TRUNCATE checkpoint of the write-ahead log. False where a reader or a writer blocks it."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return not cursor.fetchone()[0]


def _size() -> int:
    file = Path(f"{connection.settings_dict['NAME']}-wal")
    try:
        return file.stat().st_size
    except OSError:
        return 0
