"""That a worker lives, told by the worker in the database: for who looks from elsewhere."""

from __future__ import annotations

import os
import socket
from datetime import timedelta

from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from threads.archive.models import Lease
from threads.jobs import lease

EVERY = 30.0
"""Seconds between two beats."""

DEAD = timedelta(seconds=90)
"""After this time without a beat, no worker lives."""

_NAME = "worker"
"""Whichever worker said so last: one that lives is enough."""


def beat() -> None:
    """Says that this worker lives. For a thread of its own: it may wait for the database, and leaves no connection
    behind. Raises `DatabaseError`."""
    holder = f"{socket.gethostname()[:40]} {os.getpid()}"
    try:
        Lease.objects.update_or_create(name=_NAME, defaults={"holder": holder, "until": lease.end(DEAD)})
    finally:
        connection.close()


def age(using: str = "default") -> timedelta | None:
    """How long ago, by the database's clock, a worker last said that it lives; None where none ever did."""
    found = Lease.objects.using(using).filter(name=_NAME).values_list(Now() - F("until"), flat=True).first()
    return found + DEAD if found is not None else None
