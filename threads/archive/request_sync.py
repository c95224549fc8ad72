"""Orders a full sync for a page or a command; a worker runs it in the background."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from threads.audit.record import Action, Outcome, record_or_raise
from threads.jobs import queue

from .models import SyncRequest
from .sync.sync_requests import pending


def request_sync() -> None:
    """Requests a full sync, which a worker starts soon. While a request is open, another one has no effect. Raises
    `NotRecordedError`: then nothing was requested."""
    if not pending().exists():
        try:
            with transaction.atomic():
                SyncRequest.objects.create()
                record_or_raise(Action.ARCHIVE, Outcome.INTENT, detail={"asked": "everything"})
        except IntegrityError:  # another process has just created one
            pass
    queue.try_enqueue(_start_sync_task)


def _start_sync_task() -> None:
    # Loading the tasks connects to the queue, which must not delay the start of a web process.
    from . import tasks  # noqa: PLC0415

    tasks.sync_now()
