"""Work that takes longer than a page: one row for each, which outlives the process that does it."""

from __future__ import annotations

import math
import uuid
from datetime import timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models.expressions import Combinable
from django.utils import timezone

from threads.audit.record import Actor, actor

from . import lease
from . import lease_holder as holder

LEASE = timedelta(seconds=max(60.0, 3 * settings.CHATKIT_DEADLINE))
"""How long a worker of another machine that has died, or one that lost the database, holds up its jobs. One that lives
may wait for the upstream two or three times before it says so again."""

LONGEST = timedelta(seconds=3 * settings.LONGEST_DEADLINE)
"""That of a process whose CHATKIT_DEADLINE is as long as it may be."""


class JobLostError(Exception):
    """Another worker has taken the job over: this one does no more of it."""


class Job(models.Model):
    """Asked for by somebody, done by one worker at a time, and taken over where that worker dies."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    asked_at = models.DateTimeField(default=timezone.now)
    who = models.CharField(max_length=150)
    who_id = models.CharField(max_length=40)
    address = models.CharField(max_length=64, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    phase = models.CharField(max_length=20, default="waiting")
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True)
    """None while nobody knows."""
    began_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    holder = models.CharField(max_length=100, blank=True)
    until = models.DateTimeField(null=True)
    """When the holder's time is over by the database's clock, unless it says before then that it lives."""

    _kept_at = -math.inf
    """When this object last said so, in `holder.passed`."""

    class Meta:
        abstract = True
        ordering: ClassVar = ["-asked_at", "id"]

    @property
    def actor(self) -> Actor:
        """Who asked for it: whoever does it acts for them."""
        return Actor(self.who, self.who_id, self.address, self.request_id, str(self.pk))

    @classmethod
    def asked(cls, **values: Any) -> Self:
        """A new job, asked for by who acts now."""
        now = actor()
        by = {"who": now.name[:150], "who_id": now.id, "address": now.address[:64], "request_id": now.request_id}
        return cls._default_manager.create(**by | values)

    @classmethod
    def to_do(cls) -> models.QuerySet[Self]:
        """Those that have not ended and that nobody is at, oldest first."""
        open_ = cls._default_manager.filter(ended_at=None)
        return open_.filter(lease.free(open_, LONGEST)).order_by("asked_at", "id")

    def claim(self) -> bool:
        """Takes the job, unless another worker is at it. Then `holder` is a name of this claim alone."""
        kept_at = holder.passed()
        if not type(self).to_do().filter(pk=self.pk).update(holder=holder.name(), until=lease.end(LEASE)):
            return False
        self.refresh_from_db()
        self._kept_at = kept_at
        if self.began_at is None:
            self.keep(began_at=timezone.now())
        return True

    def keep(self, **values: Any) -> None:
        """Stores how far it is, which also says that the holder lives. Raises `JobLostError` where it holds the job no
        more; so within a transaction nothing is kept by two."""
        kept_at = holder.passed()
        mine = type(self)._default_manager.filter(pk=self.pk, holder=self.holder, ended_at=None)  # noqa: SLF001
        if not mine.update(until=lease.end(LEASE), **values):
            raise JobLostError
        self._kept_at = kept_at
        for name, value in values.items():
            if isinstance(value, Combinable):  # the database knows it
                self.__dict__.pop(name, None)
            else:
                setattr(self, name, value)

    def hold(self, seconds: float) -> None:
        """Before what can't be taken back: the job is held for at least so long. Raises `JobLostError`."""
        if holder.passed() - self._kept_at > LEASE.total_seconds() - seconds:
            self.keep()

    def end(self, **values: Any) -> None:
        """It is done, or can't be. Raises `JobLostError`."""
        self.keep(**{"ended_at": timezone.now(), "phase": "ended"} | values)

    def let_go(self) -> None:
        """Leaves it for another worker, at once."""
        type(self)._default_manager.filter(pk=self.pk, holder=self.holder).update(until=None, holder="")  # noqa: SLF001
