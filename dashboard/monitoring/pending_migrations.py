"""Whether the database has all migrations that this code comes with, for /readyz."""

from __future__ import annotations

from functools import cache

from django.db import DatabaseError, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from threads.lib.process_state import on_reset


class MigrationsWaitingError(DatabaseError):
    """The code is ahead of the database."""


class _Known:
    """Once they are applied they stay so, so the database is not asked again."""

    applied = False


def confirm(using: str) -> None:
    """Returns where all are applied. `using` names the connection. Raises `MigrationsWaitingError`, and the
    `DatabaseError` of a database that does not answer."""
    if _Known.applied:
        return
    if _shipped() - set(MigrationRecorder(connections[using]).applied_migrations()):
        raise MigrationsWaitingError
    _Known.applied = True


@on_reset
def forget() -> None:
    """The next `confirm` asks the database: it may be an older one, restored from a backup."""
    _Known.applied = False


@cache
def _shipped() -> frozenset[tuple[str, str]]:
    """Application and name of each."""
    return frozenset(MigrationLoader(None).graph.nodes)
