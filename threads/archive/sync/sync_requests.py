"""Requests for a full sync, one database row each, so that a worker finds them even if the queue loses its message."""

from __future__ import annotations

from django.db.models import QuerySet
from django.db.models.functions import Now

from threads.archive.models import SyncRequest


def pending() -> QuerySet[SyncRequest]:
    """The open request, if there is one."""
    return SyncRequest.objects.filter(finished_at=None)


def mark_started() -> None:
    """Marks the open request as started. Called by the lease holder, in a transaction."""
    pending().update(started_at=Now())


def mark_finished() -> None:
    """Closes the request whose run has ended; one made after that run began stays open. Called by the lease holder."""
    pending().exclude(started_at=None).update(finished_at=Now())
