"""Background jobs: one database row per job, claimed under a lease so that another worker can take over."""

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

from . import lease, lease_holder

LEASE = timedelta(seconds=max(60.0, 3 * settings.CHATKIT_DEADLINE))
"""Length of a job's lease: how long jobs wait for a worker that died on another machine, or lost the database. A live
worker may make two or three upstream calls before it renews."""

LONGEST_LEASE = timedelta(seconds=3 * settings.LONGEST_DEADLINE)
"""The lease of a process with the longest CHATKIT_DEADLINE that is allowed."""


class Job(models.Model):
    """A job that an account ordered, done by one worker at a time."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    requested_at = models.DateTimeField(default=timezone.now)
    account = models.CharField(max_length=150)
    """The name of the account that ordered it."""
    account_id = models.CharField(max_length=40)
    """Its primary key."""
    address = models.CharField(max_length=64, blank=True)
    """The network address of the order."""
    request_id = models.CharField(max_length=64, blank=True)
    phase = models.CharField(max_length=20, default="waiting")
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True)
    """None while it is not known."""
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    holder = models.CharField(max_length=100, blank=True)
    """Who holds the lease, "" for nobody: an id of `lease_holder`."""
    until = models.DateTimeField(null=True)
    """When the lease ends by the database's clock, unless the holder renews it before."""

    _renewed_at = -math.inf
    """When this object last renewed the lease, by `lease_holder.monotonic`."""

    class Meta:
        abstract = True
        ordering: ClassVar = ["-requested_at", "id"]

    @property
    def actor(self) -> Actor:
        """The account that ordered the job, for the audit events of the worker."""
        return Actor(self.account, self.account_id, self.address, self.request_id, str(self.pk))

    @classmethod
    def create_for_actor(cls, **values: Any) -> Self:
        """Stores a new job, ordered by the current actor."""
        now = actor()
        by = {
            "account": now.name[:150],
            "account_id": now.id,
            "address": now.address[:64],
            "request_id": now.request_id,
        }
        return cls._default_manager.create(**by | values)

    @classmethod
    def to_do(cls) -> models.QuerySet[Self]:
        """Jobs that have not ended and that no worker holds, oldest first."""
        unfinished = cls._default_manager.filter(finished_at=None)
        return unfinished.filter(lease.free(unfinished, LONGEST_LEASE)).order_by("requested_at", "id")

    def claim(self) -> bool:
        """Takes the job's lease; False where another worker holds it. `holder` is then unique to this claim."""
        claimed_at = lease_holder.monotonic()
        if lease.claim(self._unfinished(), LEASE, LONGEST_LEASE) is None:
            return False
        self.refresh_from_db()
        self._renewed_at = claimed_at
        if self.started_at is None:
            self.renew(started_at=timezone.now())
        return True

    def renew(self, **values: Any) -> None:
        """Renews the lease and stores the progress. Raises `LeaseLostError`, so that within a transaction two workers
        can't store the same work."""
        renewed_at = lease_holder.monotonic()
        lease.renew(self._unfinished(), self.holder, LEASE, **values)
        self._renewed_at = renewed_at
        for name, value in values.items():
            if isinstance(value, Combinable):  # only the database knows it
                self.__dict__.pop(name, None)
            else:
                setattr(self, name, value)

    def ensure_lease(self, seconds: float) -> None:
        """Makes sure that the lease lasts for at least so long, before something that can't be undone. Raises
        `LeaseLostError`."""
        if lease_holder.monotonic() - self._renewed_at > LEASE.total_seconds() - seconds:
            self.renew()

    def end(self, **values: Any) -> None:
        """Marks the job as ended, well or not. Raises `LeaseLostError`."""
        self.renew(**{"finished_at": timezone.now(), "phase": "ended"} | values)

    def release(self) -> None:
        """Releases the lease, so that another worker can go on at once."""
        lease.release(type(self)._default_manager.filter(pk=self.pk), self.holder)  # noqa: SLF001

    def _unfinished(self) -> models.QuerySet[Self]:
        return type(self)._default_manager.filter(pk=self.pk, finished_at=None)  # noqa: SLF001
