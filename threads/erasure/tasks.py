"""What workers do: erase what was asked for, and each day what is past its time."""

from __future__ import annotations

import threading
import time

from django.conf import settings
from django.db import connections

from dashboard.remember import Remembered
from threads import queue, upstream

from . import retention
from .work import ready, work

huey = queue.huey()

SLICE = 30.0
"""Seconds that one erasure has before the next one has its turn: a short one need not wait for a long one's end."""

_stopping = threading.Event()
_at_it = threading.Lock()
_looked: Remembered[bool] = Remembered(3600)
"""Whether this process has just looked for what is past its time, which goes through many threads."""


class Turn:
    """When to leave an erasure for the next one: after its time, or when the process is to end."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    def is_set(self) -> bool:
        return _stopping.is_set() or time.monotonic() > self._ends

    def wait(self, seconds: float) -> object:
        return _stopping.wait(seconds)


def stop() -> None:
    """Ends the erasures of this process after the thread they are at, and begins no more."""
    _stopping.set()


def take_up() -> None:
    """Does the erasures that nobody is at, in turns: new ones, those left by a worker that died, those due again. One
    thread of this process at a time, so that the others are there for other work."""
    if not _at_it.acquire(blocking=False):
        return
    try:
        if settings.RETENTION_DAYS and settings.ARCHIVE != "off" and _looked.get("") is None:
            _looked.put("", True)
            retention.daily()
        while jobs := list(ready()):
            for job in jobs:
                if _stopping.is_set():
                    return
                work(job, upstream.client(), Turn(SLICE))
    finally:
        _at_it.release()
        connections.close_all()


erase = huey.task(name="erase")(take_up)
take_up_erasures = huey.periodic_task(lambda _now: True, name="take_up_erasures", expires=60)(take_up)
