"""`manage.py migrate`, one at a time for each database: the servers of several machines start together."""

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
"""The number of the advisory lock in PostgreSQL: "threadke" in ASCII."""

_OWN = "migrate-lock"
_WAITING = "Another migrate is under way. Waiting for it to end."


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        """Waits for a `migrate` that is under way, then applies what it has left to apply."""
        with _alone(connections[options["database"]], lambda: self.stderr.write(_WAITING)):
            super().handle(*args, **options)


@contextmanager
def _alone(connection: BaseDatabaseWrapper, waiting: Callable[[], object]) -> Iterator[None]:
    """Holds the lock of this database. Calls `waiting` before it waits for another process."""
    if connection.vendor == "postgresql":
        with _in_postgresql(connection, waiting):
            yield
    elif connection.vendor == "sqlite" and not connection.is_in_memory_db():  # type: ignore[attr-defined]
        with _beside_the_file(Path(connection.settings_dict["NAME"]), waiting):
            yield
    else:
        yield


@contextmanager
def _in_postgresql(connection: BaseDatabaseWrapper, waiting: Callable[[], object]) -> Iterator[None]:
    """A lock of a transaction, on a connection of its own: one of a session would not hold behind a connection pooler,
    and the migrations end transactions."""
    own = connection.copy(_OWN)
    own.settings_dict["OPTIONS"].pop("pool", None)
    try:
        own.set_autocommit(False)
        with own.cursor() as cursor:
            # The migrations may take long, and so may those of another process.
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
def _beside_the_file(database: Path, waiting: Callable[[], object]) -> Iterator[None]:
    """A lock on a file beside the database: on the database itself it would keep the migrations out too."""
    with database.with_name(f"{database.name}.migrating").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
