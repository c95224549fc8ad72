"""Requests for a whole sync: a row for each, which a worker finds by itself where the queue has lost the message."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from threads.archive.models import SyncRequest
from threads.audit.record import Action, Outcome, must
from threads.jobs import queue


def request_sync() -> None:
    """Has a worker sync everything, soon: once, however often it is asked for until that has ended. Raises
    `NotRecordedError`: then nothing was asked for."""
    if not pending().exists():
        try:
            with transaction.atomic():
                SyncRequest.objects.create()
                must(Action.ARCHIVE, Outcome.INTENT, detail={"asked": "everything"})
        except IntegrityError:  # two at once
            pass
    queue.soon(_sync)


def pending() -> QuerySet[SyncRequest]:
    """The request that has not been met yet, if there is one."""
    return SyncRequest.objects.filter(ended_at=None)


def begun() -> None:
    """A run has begun that does what was asked for. For the holder of the lease, in a transaction."""
    pending().update(began_at=Now())


def met() -> None:
    """That run has ended. What was asked for after its beginning is left for another. For the holder of the lease."""
    pending().exclude(began_at=None).update(ended_at=Now())


def _sync() -> None:
    # The queue is reached when its tasks are loaded, and a page must not wait for that at its start.
    from threads.archive import tasks  # noqa: PLC0415

    tasks.sync_now()
