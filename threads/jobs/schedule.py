"""Schedule of the periodic tasks, which are in the `tasks.py` of the archive, the exports and the erasures."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from . import queue

MINUTES = {
    "keep_up": settings.ARCHIVE_EVERY,  # sync what is new or changed
    "take_up_sync": 1,  # the full sync that an account requested
    "index_stale": 1,  # index threads again that an older version indexed
    "look_after_exports": 1,  # delete expired exports, write those that were ordered
    "take_up_erasures": 1,  # erasures; every `RETENTION_SECONDS`, order what retention says, at most once a day (UTC)
}
"""Minutes between two runs of each task, counted from midnight UTC where they divide a day."""

RETENTION_SECONDS = 3600.0
"""Seconds between two looks for threads past their retention time, which go through many threads."""


def periodic(task: Callable[[], None], name: str) -> Any:
    """Registers a task under its name in the schedule. A run that no worker had time for until the next one is due is
    dropped."""
    minutes = MINUTES[name]
    expires = timedelta(minutes=minutes)
    return queue.huey().periodic_task(lambda now: is_due(now, minutes), name=name, expires=expires)(task)


def is_due(now: datetime, minutes: int) -> bool:
    """Whether a task that runs every so many minutes runs in this minute of `now`, in UTC."""
    return calendar.timegm(now.timetuple()) // 60 % minutes == 0
