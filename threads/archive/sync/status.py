"""How the copying goes, told by what the run writes of itself: for whoever looks on from another process."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Max, Q
from django.db.models.functions import Now
from django.utils import timezone

from threads.archive.models import ArchivedThread, Lease, Progress, Run, current

PHASES = {
    "walk": "Walking through the list of threads",
    "recent": "Looking at the newest threads again",
    "sweep": "Looking at every thread again",
    "compare": "Asking for the threads that the list does not show",
    "read": "Reading the items of the threads",
    "ended": "Ending",
}

_SOON = 3.0
"""Seconds after which a rate says something."""


@dataclass(frozen=True, slots=True)
class ToRead:
    """How many conversations are to be asked, and how many seconds that takes at the least: one request each, of
    `per_minute`."""

    conversations: int
    per_minute: float

    @property
    def seconds(self) -> float:
        return 60 * self.conversations / self.per_minute


@dataclass(frozen=True, slots=True)
class Running:
    """A run that is under way. `left` is how many threads the phase has before it, None where nobody knows; `rate` is
    in threads per second, as of the last minutes, 0 where it does not get on, None as long as there is too little to
    tell it from; `seconds_left` is what both make, None where there is none. `then` is what comes after that."""

    phase: str
    started_at: datetime
    new_threads: int
    new_items: int
    refusals: int
    left: int | None
    rate: float | None
    seconds_left: float | None
    then: ToRead | None

    @property
    def said(self) -> str:
        """What it does, such as "Reading the items of the threads"."""
        return PHASES.get(self.phase, self.phase)


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
    rate = run.phase_done / spent if spent >= _SOON else None
    left = _left(run)
    return Running(
        phase=run.phase,
        started_at=run.started_at,
        new_threads=run.new_threads,
        new_items=run.new_items,
        refusals=run.refusals,
        left=left,
        rate=rate,
        seconds_left=left / rate if left is not None and rate else None,
        then=None if run.phase in {"read", "ended"} else to_read(run),
    )


def to_read(run: Run | None = None) -> ToRead | None:
    """The conversations that a run has to ask, or that the next one has to. None where there are none."""
    if settings.ARCHIVE != "full":
        return None
    number = _unread(run.started_at if run is not None and run.everything else None)
    return ToRead(number, settings.ARCHIVE_REQUESTS_PER_MINUTE) if number else None


def _unread(before: datetime | None) -> int:
    """Those never read to their end, or due; with `before` all that have not been asked since then. Not those that
    failed and are not to be tried yet: see `reading`."""
    now, there = timezone.now(), current()
    unread = there.filter(read_at__isnull=True).filter(Q(due_at__isnull=True) | Q(due_at__lte=now)).count()
    if before is not None:
        return unread + there.filter(read_at__lt=before).count()
    read = there.filter(read_at__lt=now)
    overdue = there.filter(
        read_at__lt=now - timedelta(hours=settings.ARCHIVE_RECHECK_ITEMS_HOURS), due_at__gt=now, trouble__isnull=True
    )
    due = read.filter(due_at__isnull=True).count() + read.filter(due_at__lte=now).count()
    return unread + due + overdue.count()


def _left(run: Run) -> int | None:
    if run.phase == "read":
        return _unread(run.started_at if run.everything else None)
    if run.phase == "sweep":
        # Numbers are nearly without gaps, and counting the rows would take longer than the page may.
        cursor = Progress.objects.filter(pk=1).values_list("sweep_cursor", flat=True).first()
        at = ArchivedThread.objects.filter(thread_id=cursor).values_list("number", flat=True).first() or 0
        return max(0, (ArchivedThread.objects.aggregate(last=Max("number"))["last"] or 0) - at)
    return None
