"""`manage.py migrate` under a lock: servers that start together migrate one after the other."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.commands import migrate
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

LOCK = 0x7468726561646B65
"""The key of PostgreSQL's advisory lock: "threadke" in ASCII."""

_ALIAS = "migrate-lock"
_WAITING = "Another migrate is under way. Waiting for it to end."


class Command(migrate.Command):
    """Django's command, run by one process at a time for each database."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Waits for a running `migrate`, then applies the remaining migrations."""
        with _exclusive(connections[options["database"]], lambda: self.stderr.write(_WAITING)):
            super().handle(*args, **options)


@contextmanager
def _exclusive(connection: BaseDatabaseWrapper, waiting: Callable[[], object]) -> Iterator[None]:
    """Holds the database's migration lock. Calls `waiting` before it waits for another process."""
    if connection.vendor == "postgresql":
        with _advisory_lock(connection, waiting):
            yield
    elif connection.vendor == "sqlite" and not connection.is_in_memory_db():  # type: ignore[attr-defined]
        with _lock_file(Path(connection.settings_dict["NAME"]), waiting):
            yield
    else:
        yield


@contextmanager
def _advisory_lock(connection: BaseDatabaseWrapper, waiting: Callable[[], object]) -> Iterator[None]:
    """A transaction-level advisory lock on a connection of its own: a session-level lock does not hold behind a
    connection pooler, and migrations end transactions."""
    own = connection.copy(_ALIAS)
    own.settings_dict["OPTIONS"].pop("pool", None)
    try:
        own.set_autocommit(False)
        with own.cursor() as cursor:
            # Migrations may take long, also in another process.
            for limit in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
                cursor.execute(f"SET LOCAL {limit} = 0")
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
            if not cursor.fetchone()[0]:
                waiting()
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        yield
    finally:
        own.close()


@contextmanager
def _lock_file(database: Path, waiting: Callable[[], object]) -> Iterator[None]:
    """Locks a file beside the database: a lock on the database itself would block the migrations too."""
    with database.with_name(f"{database.name}.migrating").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
