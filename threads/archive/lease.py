"""One worker at a time, and another when that one is dead."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from threads import holder

from .models import Lease

SECONDS = 60
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
        now = timezone.now()
        until = now + timedelta(seconds=SECONDS)
        with transaction.atomic():
            Lease.objects.get_or_create(name=name, defaults={"holder": "", "until": now})
            lease = Lease.objects.select_for_update().get(name=name)
            # One that ends later than a lease from now was taken by a clock that has been put back since.
            runs = now < lease.until <= now + timedelta(seconds=2 * SECONDS)
            if runs and not holder.is_dead(lease.holder):
                raise HeldError(lease.holder)
            Lease.objects.filter(name=name).update(holder=self.holder, until=until)

    def renew(self) -> None:
        """To be called within the transaction of what is kept, so that nothing is kept by two. Raises
        `LeaseLostError`."""
        until = timezone.now() + timedelta(seconds=SECONDS)
        if not Lease.objects.filter(name=self._name, holder=self.holder).update(until=until):
            raise LeaseLostError

    def release(self) -> None:
        Lease.objects.filter(name=self._name, holder=self.holder).update(until=timezone.now())
