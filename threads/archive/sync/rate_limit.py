"""Rate limit for calls to the upstream: the configured rate, and back-off after a 429."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_FIRST_BACKOFF_SECONDS, _MAX_BACKOFF_SECONDS = 1.0, 120.0


class RateLimiter:
    """Allows at most `per_minute` requests, evenly spread, for all threads that share it; None for no limit.

    After a 429 all of them wait: as long as the upstream asked, else a second, doubled until a request succeeds.
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
        self._backoff = _FIRST_BACKOFF_SECONDS

    def acquire(self) -> None:
        """Blocks until the next request may be sent."""
        with self._lock:
            now = self._clock()
            at = max(now, self._next)
            self._next = at + self._gap
        if at > now:
            self._sleep(at - now)

    def back_off(self, retry_after: float | None) -> float:
        """Delays all requests after a 429. `retry_after` is what the upstream asked for, in seconds. Returns the
        delay in seconds."""
        with self._lock:
            wait = self._backoff if retry_after is None else max(retry_after, 0.0)
            self._backoff = min(self._backoff * 2, _MAX_BACKOFF_SECONDS)
            self._next = max(self._next, self._clock() + wait)
            return wait

    def reset_backoff(self) -> None:
        """A request has succeeded."""
        self._backoff = _FIRST_BACKOFF_SECONDS
