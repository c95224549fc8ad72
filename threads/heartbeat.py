"""That a worker lives, told by the worker in the database: for who looks from elsewhere."""

from __future__ import annotations

import os
import socket
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from .archive.models import Lease

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
        Lease.objects.update_or_create(name=_NAME, defaults={"holder": holder, "until": timezone.now() + DEAD})
    finally:
        connection.close()


def last(using: str = "default") -> datetime | None:
    """When a worker last said that it lives, None where none ever did."""
    until = Lease.objects.using(using).filter(name=_NAME).values_list("until", flat=True).first()
    return until - DEAD if until is not None else None
