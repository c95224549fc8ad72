"""One worker at a time, and another when that one is dead."""

from __future__ import annotations

from datetime import timedelta

from django.db.models.functions import Now

from threads.archive.models import Lease
from threads.jobs import lease
from threads.jobs import lease_holder as holder

LENGTH = timedelta(seconds=60)
"""How long a worker that has died holds up the others."""


class LeaseLostError(Exception):
    """Another worker has taken over: whatever was not yet kept is not kept."""


class HeldError(Exception):
    """Another worker is at it. `holder` names it."""

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder


class Held:
    """A lease that this object holds, once it is made. Raises `HeldError` where another does."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.holder = holder.name()
        Lease.objects.get_or_create(name=name, defaults={"holder": "", "until": Now()})
        rows = Lease.objects.filter(name=name)
        if not rows.filter(lease.free(rows, LENGTH)).update(holder=self.holder, until=lease.end(LENGTH)):
            raise HeldError(rows.values_list("holder", flat=True).get())

    def renew(self) -> None:
        """To be called within the transaction of what is kept, so that nothing is kept by two. Raises
        `LeaseLostError`."""
        mine = Lease.objects.filter(name=self._name, holder=self.holder)
        if not mine.update(until=lease.end(LENGTH)):
            raise LeaseLostError

    def release(self) -> None:
        Lease.objects.filter(name=self._name, holder=self.holder).update(until=Now())
