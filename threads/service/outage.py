"""What is known of an upstream that fails: since when, and when to ask it again. Meanwhile the archive answers."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError
from django.utils import timezone

from threads.archive.models import Outage as Kept
from threads.archive.statement_timeout import TooSlow
from threads.chatkit import ChatKitError, NotFound, Refused, TooLarge
from threads.lib.process_state import on_reset

PAUSE = 15.0
"""Seconds for which a failing upstream is not asked again for a page: nobody waits for it twice."""

LOOK = 2.0
"""Seconds between two looks whether it is back, for however many pages that wait for it."""


@dataclass(frozen=True, slots=True)
class Outage:
    """`error` is how it failed the last time that it was asked."""

    since: datetime
    error: ChatKitError


class Watch:
    """What this process knows. Others learn from the database when it began, and that it is over."""

    def __init__(self) -> None:
        self._outage: Outage | None = None
        self._until = 0.0
        self._looked = -LOOK
        # An outage that an earlier process noted may be over.
        self._may_be_noted = True
        self._is_noted = False

    def known(self) -> Outage | None:
        """The outage, while there is no use in asking. When the pause is over, or another process has found the
        upstream back, one caller is told to ask, and the others go on with what is known."""
        if self._outage is None:
            return None
        now = time.monotonic()
        if now < self._until and not self._is_over_elsewhere():
            return self._outage
        self._until = now + PAUSE
        return None

    def may_look(self) -> bool:
        """Whether it is time to see if the upstream is back."""
        now = time.monotonic()
        if self._outage is not None and now - self._looked < LOOK:
            return False
        self._looked = now
        return True

    def failed(self, error: ChatKitError) -> Outage:
        since = self._outage.since if self._outage else timezone.now()
        self._is_noted = False
        # A database that is locked can still be read: nobody goes without an answer because this could not be noted.
        with suppress(DatabaseError):
            since = Kept.objects.get_or_create(pk=1, defaults={"since": since})[0].since
            self._is_noted = True
        self._outage, self._until = Outage(since, error), time.monotonic() + PAUSE
        self._may_be_noted = True
        return self._outage

    def answered(self, *, looked: bool = False) -> None:
        """It lives. `looked` is true where somebody waited for that: then a process that never met the outage may be
        the one that ends it for all."""
        self._outage = None
        if self._may_be_noted or looked:
            with suppress(DatabaseError):
                Kept.objects.all().delete()
                self._may_be_noted = False

    def forget(self) -> None:
        self._outage, self._until, self._looked = None, 0.0, -LOOK
        self._may_be_noted, self._is_noted = True, False

    def _is_over_elsewhere(self) -> bool:
        with suppress(DatabaseError):
            return self._is_noted and not Kept.objects.exists()
        return False


def is_outage(error: ChatKitError) -> bool:
    """Whether another source should answer: the fault is the upstream's, and not in what was asked for."""
    return not isinstance(error, NotFound | Refused | TooLarge | TooSlow)


watch = Watch()
on_reset(watch.forget)
