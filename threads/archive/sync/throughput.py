"""Throughput of a run over the last minutes, from which the time left is estimated."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

MIN_WINDOW, MAX_WINDOW = timedelta(minutes=1), timedelta(minutes=10)
"""The window is the last minute, or longer until it contains `MIN_COUNT` threads, but at most `MAX_WINDOW`."""

MIN_COUNT = 10


class Throughput:
    """A sliding window over a counter that stood at `count` at `at`."""

    def __init__(self, at: datetime, count: int) -> None:
        self._marks = deque([(at, count)])

    def window(self, now: datetime, count: int) -> tuple[datetime, int]:
        """The start of the window that ends now, and the increase since then. `count` is the counter's value now."""
        marks = self._marks
        marks.append((now, count))
        while len(marks) > 2 and _is_long_enough(now - marks[1][0], count - marks[1][1]):
            marks.popleft()
        start, before = marks[0]
        return start, count - before


def _is_long_enough(time: timedelta, done: int) -> bool:
    return time >= MAX_WINDOW or (time >= MIN_WINDOW and done >= MIN_COUNT)
