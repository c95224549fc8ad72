"""Tasks of erasures: does those that were ordered, and orders what retention says."""

from __future__ import annotations

import logging
import threading

from django.conf import settings
from django.db import Error, connections

from threads.audit.record import NotRecordedError
from threads.chatkit import ChatKitError
from threads.jobs import queue, schedule, stopping
from threads.lib.ttl_cache import TTLCache
from threads.sources import upstream

from . import retention
from .clock_check import ClockError
from .journal import JournalError
from .runner import ready, work

log = logging.getLogger(__name__)

huey = queue.huey()

SLICE_SECONDS = 30.0
"""Seconds that one erasure has before the next one has its turn, so that a short one need not wait for a long one."""

_lock = threading.Lock()
_retention_checked: TTLCache[bool] = TTLCache(schedule.RETENTION_SECONDS)


def take_up() -> None:
    """Does the erasures that no worker holds, in turns: new ones, those of a dead worker, those that are due again. One
    thread of a process at a time, which leaves the others for other tasks."""
    if not _lock.acquire(blocking=False):
        return
    try:
        _order_retention()
        while jobs := list(ready()):
            for job in jobs:
                if stopping.requested.is_set():
                    return
                work(job, upstream.client(), stopping.requested, turn=SLICE_SECONDS)
    finally:
        _lock.release()
        connections.close_all()


def _order_retention() -> None:
    if not settings.RETENTION_DAYS or settings.ARCHIVE == "off" or settings.ARCHIVE_ONLY:
        return
    if _retention_checked.get("") is not None:
        return
    _retention_checked.put("", True)
    try:
        retention.order_daily(upstream.client())
    except (ClockError, JournalError, ChatKitError) as error:
        log.error("No threads past their time are erased: %s. The next try is in an hour.", error)  # noqa: TRY400
    except (NotRecordedError, Error):  # erasures that an account ordered don't wait for this
        log.exception("Threads past their time could not be ordered to be erased. The next try is in an hour.")


erase = huey.task(name="erase")(take_up)
take_up_erasures = schedule.periodic(take_up, "take_up_erasures")
