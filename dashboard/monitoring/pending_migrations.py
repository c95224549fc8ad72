"""Whether the database lacks migrations of this code, for /readyz."""

from __future__ import annotations

from functools import cache

from django.db import DatabaseError, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from threads.lib.process_state import on_reset


class PendingMigrationsError(DatabaseError):
    """The database lacks migrations of this code."""


class _Cache:
    """Caches that all migrations are applied: they stay so."""

    applied = False


def check(using: str) -> None:
    """Returns if all migrations are applied. `using` is the connection's alias. Raises `PendingMigrationsError`, or
    `DatabaseError` if the database fails."""
    if _Cache.applied:
        return
    if _shipped() - set(MigrationRecorder(connections[using]).applied_migrations()):
        raise PendingMigrationsError
    _Cache.applied = True


@on_reset
def forget() -> None:
    """Clears the cache: the database may be an older one, restored from a backup."""
    _Cache.applied = False


@cache
def _shipped() -> frozenset[tuple[str, str]]:
    """App label and name of each migration in the code."""
    return frozenset(MigrationLoader(None).graph.nodes)
