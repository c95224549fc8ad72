"""What workers do about exports: write those that were asked for, and delete those whose day is over."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from uuid import UUID

from django.db import DatabaseError, connections
from django.utils import timezone
from huey import crontab

from threads.audit.record import NotRecordedError
from threads.jobs import queue
from threads.jobs.job import JobLostError
from threads.lib.process_state import on_reset

from . import storage
from .models import Export
from .runner import go_on

log = logging.getLogger(__name__)

huey = queue.huey()

TURN = 20.0
"""Seconds after which a long export lets the next one have its turn."""

_at_it = threading.Lock()
"""One thread of a process writes exports: the others are for the archive and for erasing."""
_stopping = threading.Event()
on_reset(_stopping.clear)


def stop() -> None:
    """Ends the exports of this process soon: they are gone on with by another, from where they are."""
    _stopping.set()


def work() -> None:
    """Does all that there is to do, a turn each at a time."""
    # What is asked for while the last turn ends finds nobody at it, or is found here.
    while not _stopping.is_set() and Export.to_do().exists() and _at_it.acquire(blocking=False):
        try:
            for export in Export.to_do():
                _turn(export)
        finally:
            _at_it.release()


def _turn(export: Export) -> None:
    try:
        if not _stopping.is_set() and export.claim():
            go_on(export, TURN, _stopping.is_set)
    except JobLostError:
        log.info("An export was removed, or another worker has it: %s", export.pk)
    except NotRecordedError:
        log.warning("An export waits until the trail can be written: %s", export.pk)


def expire() -> None:
    """Deletes exports whose day is over, and what is on the disk for no export that there is."""
    for export in Export.objects.filter(expires_at__lte=timezone.now()):
        if _removed(export.pk):
            export.delete()
    on_disk = list(storage.there())
    known = {each.pk: each for each in Export.objects.filter(pk__in=on_disk)}
    for key in on_disk:
        export_of = known.get(key)
        if export_of is None or (export_of.ended_at is not None and not export_of.has_file):
            _removed(key)


def _removed(key: UUID) -> bool:
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


def _each_minute() -> None:
    try:
        expire()
        work()
    except (DatabaseError, OSError):
        log.exception("The exports could not be looked after.")
    finally:
        connections.close_all()


export_now = huey.task(name="export_now")(_export_now)
# A minute that nobody had time for is not made up for.
look_after_exports = huey.periodic_task(crontab(), name="look_after_exports", expires=timedelta(minutes=1))(
    _each_minute
)
