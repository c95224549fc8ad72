"""Tasks of exports: writes those that were ordered, deletes expired ones."""

from __future__ import annotations

import logging
import threading
from uuid import UUID

from django.db import DatabaseError, connections
from django.utils import timezone

from threads.audit.record import NotRecordedError
from threads.jobs import queue, schedule, stopping
from threads.jobs.lease import LeaseLostError

from . import storage
from .models import Export
from .runner import run_slice

log = logging.getLogger(__name__)

huey = queue.huey()

SLICE_SECONDS = 20.0
"""Seconds that one export has before the next one has its turn."""

_lock = threading.Lock()
"""One thread of a process writes exports; the others are for syncs and erasures."""


def work() -> None:
    """Writes the exports that no worker holds, in turns."""
    # An export that is ordered while the last turn ends either finds the lock free, or is found here.
    while not stopping.requested.is_set() and Export.to_do().exists() and _lock.acquire(blocking=False):
        try:
            for export in Export.to_do():
                _turn(export)
        finally:
            _lock.release()


def _turn(export: Export) -> None:
    try:
        if not stopping.requested.is_set() and export.claim():
            run_slice(export, SLICE_SECONDS, stopping.requested.is_set)
    except LeaseLostError:
        log.info("An export was removed, or another worker has it: %s", export.pk)
    except NotRecordedError:
        log.warning("An export waits until the audit log can be written: %s", export.pk)


def expire() -> None:
    """Deletes expired exports, and files that belong to no export."""
    for export in Export.objects.filter(expires_at__lte=timezone.now()):
        if _remove(export.pk):
            export.delete()
    on_disk = list(storage.on_disk())
    exports = {export.pk: export for export in Export.objects.filter(pk__in=on_disk)}
    for key in on_disk:
        found = exports.get(key)
        if found is None or (found.finished_at is not None and not found.has_file):
            _remove(key)


def _remove(key: UUID) -> bool:
    try:
        storage.remove(key)
    except OSError:
        log.exception("The file of an export could not be deleted: %s", key)
        return False
    return True


def _export_now() -> None:
    try:
        work()
    finally:
        connections.close_all()


def _look_after_exports() -> None:
    try:
        expire()
        work()
    except (DatabaseError, OSError):
        log.exception("The exports could not be looked after.")
    finally:
        connections.close_all()


export_now = huey.task(name="export_now")(_export_now)
look_after_exports = schedule.periodic(_look_after_exports, "look_after_exports")
