"""Named leases of the archive: "sync" for a run, "index" for a reindexing."""

from __future__ import annotations

from datetime import timedelta

from django.db.models.functions import Now

from threads.archive.models import Lease
from threads.jobs import lease

LENGTH = timedelta(seconds=60)
"""How long a worker that died on another machine blocks the others."""


class LeaseHeldError(Exception):
    """Another worker holds the lease: `holder`."""

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder


class ArchiveLease:
    """A lease that this object holds from its creation on. Raises `LeaseHeldError` where another worker holds it."""

    def __init__(self, name: str) -> None:
        self._rows = Lease.objects.filter(name=name)
        Lease.objects.get_or_create(name=name, defaults={"holder": "", "until": Now()})
        holder = lease.claim(self._rows, LENGTH, LENGTH)
        if holder is None:
            raise LeaseHeldError(self._rows.values_list("holder", flat=True).get())
        self.holder = holder

    def renew(self) -> None:
        """Extends the lease. Call it in the transaction that stores work. Raises `LeaseLostError`."""
        lease.renew(self._rows, self.holder, LENGTH)

    def release(self) -> None:
        """Gives the lease up."""
        lease.release(self._rows, self.holder)
