"""Events that could not be written when they happened: kept in memory and tried again, before they are given up."""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections import deque
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError, connection

from threads.lib.process_state import on_reset

from .models import AuditEvent

MOST = 1000
"""Events that one process keeps."""

PAUSES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0)
"""Seconds before the first attempt, the second … After the last all that wait are given up."""

_LAST = 2.0
"""Seconds that the end of the process waits for an attempt that is under way."""

_log = logging.getLogger(__name__)
_rows: deque[dict[str, Any]] = deque()
_writing = threading.Lock()
_guard = threading.Lock()
_running = False
on_reset(_rows.clear)


def later(row: dict[str, Any], error: DatabaseError) -> bool:
    """Keeps what an event is made of. False where there is no use in that: `error` will not pass, it is for the
    transaction that is under way, or too many wait."""
    global _running
    if not isinstance(error, OperationalError | InterfaceError) or connection.in_atomic_block:
        return False
    with _guard:
        if len(_rows) >= MOST:
            return False
        _rows.append(row)
        start, _running = not _running, True
    if start:
        threading.Thread(target=_work, name="audit", daemon=True).start()
    return True


def write() -> bool:
    """Writes what waits, oldest first. False where that fails in a way that may pass."""
    while _rows:
        try:
            AuditEvent.objects.create(**_rows[0])
        except (OperationalError, InterfaceError):
            return False
        except DatabaseError:
            _given_up(_rows[0])
        _rows.popleft()
    return True


def _work() -> None:
    global _running  # noqa: PLW0603
    pauses = iter(PAUSES)
    try:
        while True:
            pause = next(pauses, None)
            if pause is None:
                while _rows:
                    _given_up(_rows.popleft())
            else:
                time.sleep(pause)
                left = len(_rows)
                with _writing:
                    write()
                # It may be what fails; and who waits needs none.
                connection.close()
                if len(_rows) < left:
                    pauses = iter(PAUSES)
            with _guard:
                if not _rows:
                    _running = False
                    return
    finally:
        connection.close()


def _given_up(row: dict[str, Any]) -> None:
    _log.error("The trail could not be written, and this is given up: %s %s", row["action"], row["outcome"])


@atexit.register
def _at_the_end() -> None:
    if not _rows or not _writing.acquire(timeout=_LAST):
        return
    connection.close()  # it may be what failed
    write()
    while _rows:
        _given_up(_rows.popleft())
