"""Status of the sync for other processes, read from the `SyncRun` row that the run keeps up to date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Max, Q
from django.db.models.functions import Now
from django.utils import timezone

from threads.archive.models import ArchivedThread, Lease, Progress, SyncRun, current

PHASES = {
    "walk": "Reading the list of threads",
    "recent": "Looking at the newest threads again",
    "sweep": "Looking at every thread again",
    "compare": "Asking for the threads that the list does not show",
    "read": "Reading conversations",
    "ended": "Ending",
}

_MIN_RATE_SECONDS = 3.0
"""Seconds a throughput has to be measured over before it is used."""


@dataclass(frozen=True, slots=True)
class PendingConversations:
    """Number of conversations that sync has to check. `seconds` is the least that takes: one request each, at
    `per_minute` requests."""

    conversations: int
    per_minute: float

    @property
    def seconds(self) -> float:
        return 60 * self.conversations / self.per_minute


@dataclass(frozen=True, slots=True)
class RunningSync:
    """A run that is under way, in one of `PHASES`.

    `left` is the number of threads left in this phase, None if unknown. `rate` is the throughput of the last minutes in
    threads per second, None if measured too shortly. `seconds_left` follows from both, None if it can't be told. `then`
    are the conversations to check after this phase. `refusals` counts replies with status 429.
    """

    phase: str
    started_at: datetime
    new_threads: int
    new_items: int
    refusals: int
    left: int | None
    rate: float | None
    seconds_left: float | None
    then: PendingConversations | None

    @property
    def said(self) -> str:
        """The phase in words, such as "Reading conversations"."""
        return PHASES.get(self.phase, self.phase)


def last_run() -> SyncRun | None:
    """The run that is under way or the last one; None before the first."""
    return SyncRun.objects.filter(pk=1).first()


def running_sync() -> RunningSync | None:
    """The run that holds the lease, None if there is none. A dead one is shown until its lease expires."""
    run = last_run()
    if run is None or run.finished_at is not None:
        return None
    if not Lease.objects.filter(name="sync", holder=run.holder, until__gt=Now()).exists():
        return None
    spent = (run.updated_at - run.phase_at).total_seconds()
    rate = run.phase_done / spent if spent >= _MIN_RATE_SECONDS else None
    left = _left(run)
    return RunningSync(
        phase=run.phase,
        started_at=run.started_at,
        new_threads=run.new_threads,
        new_items=run.new_items,
        refusals=run.refusals,
        left=left,
        rate=rate,
        seconds_left=left / rate if left is not None and rate else None,
        then=None if run.phase in {"read", "ended"} else pending_conversations(run),
    )


def pending_conversations(run: SyncRun | None = None) -> PendingConversations | None:
    """The conversations that `run`, or else the next run, has to check; None if there are none."""
    if settings.ARCHIVE != "full":
        return None
    number = _count_pending(run.started_at if run is not None and run.everything else None)
    return PendingConversations(number, settings.ARCHIVE_REQUESTS_PER_MINUTE) if number else None


def _count_pending(before: datetime | None) -> int:
    """Counts the threads that `.item_reader` takes: not read to their end or due, or with `before` all not read since
    then."""
    now, there = timezone.now(), current()
    unread = there.filter(read_at__isnull=True).filter(Q(due_at__isnull=True) | Q(due_at__lte=now)).count()
    if before is not None:
        return unread + there.filter(read_at__lt=before).count()
    read = there.filter(read_at__lt=now)
    overdue = there.filter(
        read_at__lt=now - timedelta(hours=settings.ARCHIVE_RECHECK_ITEMS_HOURS), due_at__gt=now, sync_error__isnull=True
    )
    due = read.filter(due_at__isnull=True).count() + read.filter(due_at__lte=now).count()
    return unread + due + overdue.count()


def _left(run: SyncRun) -> int | None:
    if run.phase == "read":
        return _count_pending(run.started_at if run.everything else None)
    if run.phase == "sweep":
        # Numbers have few gaps, and counting rows takes too long for a page.
        cursor = Progress.objects.filter(pk=1).values_list("sweep_cursor", flat=True).first()
        at = ArchivedThread.objects.filter(thread_id=cursor).values_list("number", flat=True).first() or 0
        return max(0, (ArchivedThread.objects.aggregate(last=Max("number"))["last"] or 0) - at)
    return None
