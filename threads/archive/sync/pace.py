"""How fast a run gets on at present, so that the time that is left follows a rate that changes."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

WINDOW, LONGEST = timedelta(minutes=1), timedelta(minutes=10)
"""What the rate is told from: the last minute, or as long as it took to do `ENOUGH`, but no longer than this."""

ENOUGH = 10


class Pace:
    """From `at` on, when `count` had been done."""

    def __init__(self, at: datetime, count: int) -> None:
        self._marks = deque([(at, count)])

    def since(self, now: datetime, count: int) -> tuple[datetime, int]:
        """A time not long ago, and how many have been done since then. `count` is how many have been done in all."""
        marks = self._marks
        marks.append((now, count))
        while len(marks) > 2 and _is_long(now - marks[1][0], count - marks[1][1]):
            marks.popleft()
        at, before = marks[0]
        return at, count - before


def _is_long(time: timedelta, done: int) -> bool:
    return time >= LONGEST or (time >= WINDOW and done >= ENOUGH)
