"""How the copying goes, told by what the run writes of itself: for whoever looks on from another process."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max
from django.db.models.functions import Now

from .models import ArchivedThread, Lease, Progress, Run, current

_SOON = 3.0
"""Seconds after which a rate says something."""


@dataclass(frozen=True, slots=True)
class Running:
    """A run that is under way. `left` is how many threads the phase has before it, None where nobody knows; `rate` is
    in threads per second, and it and `seconds_left` are None as long as there is too little to tell them from."""

    phase: str
    started_at: datetime
    new_threads: int
    new_items: int
    refusals: int
    left: int | None
    rate: float | None
    seconds_left: float | None


def last() -> Run | None:
    """The run that is under way, or the last one."""
    return Run.objects.filter(pk=1).first()


def under_way() -> Running | None:
    """The run of whoever holds the lease. One that has died is taken for alive as long as its lease runs."""
    run = last()
    if run is None or run.ended_at is not None:
        return None
    if not Lease.objects.filter(name="sync", holder=run.holder, until__gt=Now()).exists():
        return None
    spent = (run.updated_at - run.phase_at).total_seconds()
    rate = run.phase_done / spent if spent >= _SOON and run.phase_done else None
    left = _left(run)
    return Running(
        phase=run.phase,
        started_at=run.started_at,
        new_threads=run.new_threads,
        new_items=run.new_items,
        refusals=run.refusals,
        left=left,
        rate=rate,
        seconds_left=None if left is None or rate is None else left / rate,
    )


def _left(run: Run) -> int | None:
    if run.phase == "read":
        there = current()
        unread = there.filter(read_at__isnull=True).count()
        return unread + there.filter(read_at__lt=run.started_at).count() if run.everything else unread
    if run.phase == "sweep":
        # Numbers are nearly without gaps, and counting the rows would take longer than the page may.
        cursor = Progress.objects.filter(pk=1).values_list("sweep_cursor", flat=True).first()
        at = ArchivedThread.objects.filter(thread_id=cursor).values_list("number", flat=True).first() or 0
        return max(0, (ArchivedThread.objects.aggregate(last=Max("number"))["last"] or 0) - at)
    return None
