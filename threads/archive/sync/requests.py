"""Requests for a whole sync: a row for each, which a worker finds by itself where the queue has lost the message."""

from __future__ import annotations

from django.db.models import QuerySet
from django.db.models.functions import Now

from threads.archive.models import SyncRequest


def pending() -> QuerySet[SyncRequest]:
    """The request that has not been met yet, if there is one."""
    return SyncRequest.objects.filter(ended_at=None)


def begun() -> None:
    """A run has begun that does what was asked for. For the holder of the lease, in a transaction."""
    pending().update(began_at=Now())


def met() -> None:
    """That run has ended. What was asked for after its beginning is left for another. For the holder of the lease."""
    pending().exclude(began_at=None).update(ended_at=Now())
