"""Heartbeat of the workers, stored in the database for health checks in other processes."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection

from threads.archive.models import Lease
from threads.jobs import lease, lease_holder

EVERY_SECONDS = 30.0
"""Seconds between two heartbeats."""

DEAD_AFTER = timedelta(seconds=90)
"""After this time without a heartbeat, no worker is alive."""

_NAME = "worker"
"""One row for all workers: it is enough that one is alive."""


def beat() -> None:
    """Stores a heartbeat of this worker. For a thread of its own: it may wait for the database, and closes its
    connection. Raises `DatabaseError`."""
    try:
        now = {"holder": lease_holder.new_id(), "until": lease.end(DEAD_AFTER)}
        Lease.objects.update_or_create(name=_NAME, defaults=now)
    finally:
        connection.close()


def age(using: str = "default") -> timedelta | None:
    """Time since the last heartbeat by the database's clock; None where there never was one."""
    return lease.age(Lease.objects.using(using).filter(name=_NAME), DEAD_AFTER)
