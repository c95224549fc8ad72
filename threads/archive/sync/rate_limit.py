"""How often the upstream may be asked: as often as is allowed here, and less when it says that this is too much."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 120.0


class Budget:
    """Shared by all that ask. `per_minute` requests at the most, evenly spread; None for no cap.

    After a 429 everybody waits: as long as the upstream asked, else a second, doubled each time until a request
    succeeds.
    """

    def __init__(
        self,
        per_minute: float | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._gap = 60 / per_minute if per_minute else 0.0
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._next = 0.0
        self._pause = _FIRST_PAUSE

    def take(self) -> None:
        """Returns when the next request may be sent."""
        with self._lock:
            now = self._clock()
            at = max(now, self._next)
            self._next = at + self._gap
        if at > now:
            self._sleep(at - now)

    def refused(self, retry_after: float | None) -> float:
        """The upstream said 429. Nobody asks again before the seconds that are returned have passed."""
        with self._lock:
            wait = self._pause if retry_after is None else max(retry_after, 0.0)
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)
            self._next = max(self._next, self._clock() + wait)
            return wait

    def accepted(self) -> None:
        self._pause = _FIRST_PAUSE
