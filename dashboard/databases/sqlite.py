"""Waits for a locked SQLite file without blocking the process: other greenlets run meanwhile."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.dispatch import receiver

POLL = 0.02
"""Seconds between two attempts, at the most. The sync pauses for longer than that between its transactions."""


@receiver(connection_created)
def _wait_outside(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    if connection.vendor != "sqlite":
        return
    # SQLite's own waiting is a sleep inside of C, during which no greenlet runs.
    connection.connection.execute("PRAGMA busy_timeout = 0")
    if wait not in connection.execute_wrappers:
        connection.execute_wrappers.append(wait)


def wait(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Repeats a statement while the file is locked, for as long as the option `timeout` says. Within a transaction
    nothing waits: it has the lock since its beginning."""
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
        time.sleep(random.uniform(POLL / 4, POLL))
