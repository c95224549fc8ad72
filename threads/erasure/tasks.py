"""What workers do: erase what was asked for, and each day what is past its time."""

from __future__ import annotations

import logging
import threading

from django.conf import settings
from django.db import Error, connections

from threads.audit.record import NotRecordedError
from threads.chatkit import ChatKitError
from threads.jobs import queue
from threads.lib.process_state import on_reset
from threads.lib.ttl_cache import Remembered
from threads.sources import upstream

from . import retention
from .clock_check import ClockError
from .journal import JournalError
from .runner import ready, work

log = logging.getLogger(__name__)

huey = queue.huey()

SLICE = 30.0
"""Seconds that one erasure has before the next one has its turn: a short one need not wait for a long one's end."""

_stopping = threading.Event()
on_reset(_stopping.clear)
_at_it = threading.Lock()
_looked: Remembered[bool] = Remembered(3600)
"""Whether this process has just looked for what is past its time, which goes through many threads."""


def stop() -> None:
    """Ends the erasures of this process after the thread they are at, and begins no more."""
    _stopping.set()


def take_up() -> None:
    """Does the erasures that nobody is at, in turns: new ones, those left by a worker that died, those due again. One
    thread of this process at a time, so that the others are there for other work."""
    if not _at_it.acquire(blocking=False):
        return
    try:
        _order_what_is_due()
        while jobs := list(ready()):
            for job in jobs:
                if _stopping.is_set():
                    return
                work(job, upstream.client(), _stopping, turn=SLICE)
    finally:
        _at_it.release()
        connections.close_all()


def _order_what_is_due() -> None:
    if not settings.RETENTION_DAYS or settings.ARCHIVE == "off" or settings.ARCHIVE_ONLY or _looked.get("") is not None:
        return
    _looked.put("", True)
    try:
        retention.daily(upstream.client())
    except (ClockError, JournalError, ChatKitError) as error:
        log.error("No threads past their time are erased: %s. It is tried again in an hour.", error)  # noqa: TRY400
    except (NotRecordedError, Error):  # what somebody has asked for does not wait for this
        log.exception("What is past its time could not be ordered. It is tried again in an hour.")


erase = huey.task(name="erase")(take_up)
take_up_erasures = huey.periodic_task(lambda _now: True, name="take_up_erasures", expires=60)(take_up)
