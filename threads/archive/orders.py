"""Orders a full sync, for a page or a command: a worker runs it soon."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from threads.audit.record import Action, Outcome, must
from threads.jobs import queue

from .models import SyncRequest
from .sync.requests import pending


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


def _sync() -> None:
    # The queue is reached when its tasks are loaded, and a page must not wait for that at its start.
    from threads.archive import tasks  # noqa: PLC0415

    tasks.sync_now()
