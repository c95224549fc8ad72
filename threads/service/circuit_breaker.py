"""Circuit breaker for the upstream. While it is open, pages are answered from the archive without a call upstream.

- Closed: the upstream answered the last call.
- Open: it failed; no page calls it for `OPEN_SECONDS` seconds.
- Half-open: the pause is over; one caller makes the trial call, the others still count as open.

The state is kept per process. The database holds since when the upstream fails (`archive.models.StoredOutage`), so that
all processes show the same time, and so that one process that finds it recovered closes the breaker of the others.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError
from django.utils import timezone

from threads.archive import models
from threads.archive.statement_timeout import QueryTimeout
from threads.chatkit import ChatKitError, NotFound, Refused, TooLarge
from threads.lib.process_state import on_reset

OPEN_SECONDS = 15.0
"""Seconds for which the breaker stays open before a page makes a trial call."""

PROBE_INTERVAL_SECONDS = 2.0
"""Seconds between two probes for recovery, however many open pages ask for one."""


@dataclass(frozen=True, slots=True)
class UpstreamOutage:
    """The upstream's current failure: when it began, and the last error."""

    since: datetime
    error: ChatKitError


class CircuitBreaker:
    """This process's circuit breaker for the upstream. Database errors are ignored: the breaker works without it."""

    def __init__(self) -> None:
        self._outage: UpstreamOutage | None = None
        self._open_until = 0.0
        self._last_probe = -PROBE_INTERVAL_SECONDS
        # The database may hold an outage that an earlier process stored.
        self._may_be_stored, self._is_stored = True, False

    def open_outage(self) -> UpstreamOutage | None:
        """The outage while the breaker is open; None where the caller should call the upstream.

        Once the pause is over, or another process has removed the outage from the database, one caller gets None and
        makes the trial call; the pause starts again for the others.
        """
        if self._outage is None:
            return None
        now = time.monotonic()
        if now < self._open_until and not self._is_over_elsewhere():
            return self._outage
        self._open_until = now + OPEN_SECONDS
        return None

    def may_probe(self) -> bool:
        """Whether the caller may probe for recovery now: at most once per `PROBE_INTERVAL_SECONDS` in an outage."""
        now = time.monotonic()
        if self._outage is not None and now - self._last_probe < PROBE_INTERVAL_SECONDS:
            return False
        self._last_probe = now
        return True

    def record_failure(self, error: ChatKitError) -> UpstreamOutage:
        """Opens the breaker after a failed call. Returns the outage, with the earliest start that any process knows."""
        since = self._outage.since if self._outage else timezone.now()
        self._is_stored = False
        # A locked database can still be read, so the page is answered even where the outage can't be stored.
        with suppress(DatabaseError):
            since = models.StoredOutage.objects.get_or_create(pk=1, defaults={"since": since})[0].since
            self._is_stored = True
        self._outage, self._open_until = UpstreamOutage(since, error), time.monotonic() + OPEN_SECONDS
        self._may_be_stored = True
        return self._outage

    def record_success(self, *, probed: bool = False) -> None:
        """Closes the breaker after an answered call. After a probe it also removes an outage that only other processes
        have met."""
        self._outage = None
        if self._may_be_stored or probed:
            with suppress(DatabaseError):
                models.StoredOutage.objects.all().delete()
                self._may_be_stored = False

    def forget(self) -> None:
        """Closes the breaker in this process alone, for tests."""
        self._outage, self._open_until, self._last_probe = None, 0.0, -PROBE_INTERVAL_SECONDS
        self._may_be_stored, self._is_stored = True, False

    def _is_over_elsewhere(self) -> bool:
        with suppress(DatabaseError):
            return self._is_stored and not models.StoredOutage.objects.exists()
        return False


def is_outage(error: ChatKitError) -> bool:
    """Whether the upstream is at fault, so that another source should answer; false where the request itself is."""
    return not isinstance(error, NotFound | Refused | TooLarge | QueryTimeout)


breaker = CircuitBreaker()
"""The breaker of this process."""
on_reset(breaker.forget)
