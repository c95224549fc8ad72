"""Waits for a locked SQLite file without blocking the process, so that other greenlets run meanwhile."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.dispatch import receiver

POLL_SECONDS = 0.02
"""Seconds between two attempts, at most. The sync pauses longer than that between its transactions."""


@receiver(connection_created)
def _set_up_waiting(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    if connection.vendor != "sqlite":
        return
    # SQLite's own busy timeout sleeps in C, which blocks all greenlets.
    connection.connection.execute("PRAGMA busy_timeout = 0")
    if wait not in connection.execute_wrappers:
        connection.execute_wrappers.append(wait)


def wait(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Repeats a statement while the file is locked, for the seconds in the option `timeout`. Inside a transaction
    nothing waits: its first statement took the lock."""
    connection = context["connection"]
    if many or connection.in_atomic_block:
        return execute(sql, params, many, context)
    until = time.monotonic() + connection.settings_dict["OPTIONS"].get("timeout", 5.0)
    while True:
        try:
            return execute(sql, params, many, context)
        except OperationalError as error:
            if "database is locked" not in str(error) or time.monotonic() >= until:
                raise
        time.sleep(random.uniform(POLL_SECONDS / 4, POLL_SECONDS))
