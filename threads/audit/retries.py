"""Retries of audit events that could not be written: kept in memory, with backoff."""

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

MAX_EVENTS = 1000
"""Events that one process keeps in memory."""

PAUSES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0)
"""Seconds before the first retry, the second and so on. After the last one, all waiting events are dropped."""

_EXIT_SECONDS = 2.0
"""How long the end of the process waits for a running attempt."""

_log = logging.getLogger(__name__)
_rows: deque[dict[str, Any]] = deque()
_writing = threading.Lock()
_guard = threading.Lock()
_running = False
on_reset(_rows.clear)


def enqueue(row: dict[str, Any], error: DatabaseError) -> bool:
    """Keeps the fields of an event for a retry. False where a retry is no use: `error` is permanent, a transaction is
    open, or too many events wait."""
    global _running
    if not isinstance(error, OperationalError | InterfaceError) or connection.in_atomic_block:
        return False
    with _guard:
        if len(_rows) >= MAX_EVENTS:
            return False
        _rows.append(row)
        start, _running = not _running, True
    if start:
        threading.Thread(target=_work, name="audit", daemon=True).start()
    return True


def write() -> bool:
    """Writes the waiting events, oldest first. False on a temporary error."""
    while _rows:
        try:
            AuditEvent.objects.create(**_rows[0])
        except (OperationalError, InterfaceError):
            return False
        except DatabaseError:
            _log_given_up(_rows[0])
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
                    _log_given_up(_rows.popleft())
            else:
                time.sleep(pause)
                left = len(_rows)
                with _writing:
                    write()
                # The connection may be what fails, and is not needed during the pause.
                connection.close()
                if len(_rows) < left:
                    pauses = iter(PAUSES)
            with _guard:
                if not _rows:
                    _running = False
                    return
    finally:
        connection.close()


def _log_given_up(row: dict[str, Any]) -> None:
    _log.error("The audit log could not be written; the event is given up: %s %s", row["action"], row["outcome"])


@atexit.register
def _write_at_exit() -> None:
    if not _rows or not _writing.acquire(timeout=_EXIT_SECONDS):
        return
    connection.close()  # the connection may be what failed
    write()
    while _rows:
        _log_given_up(_rows.popleft())
