"""Report on the contents and the completeness of the archive, for its page, the command and a JSON file."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, F, Max, Min, QuerySet, Sum
from django.db.models.functions import TruncDate

from .completeness import Completeness, completeness
from .deletion_evidence import OpenBreaker, count_waiting_for_purge, open_breaker, withheld
from .models import ArchivedThread, Day, OversizedItem, Progress, QuarterCount, StaleIndex, ThreadState, current
from .search import engines
from .store import word_index
from .store.counters import DAY_SECONDS, QUARTER_SECONDS
from .sync.status import PendingConversations, RunningSync, pending_conversations, running_sync

MAX_LISTED = 1000
"""Threads and items of each kind that a report lists; its counts include all."""

MAX_CUT_THREADS = 10_000
"""Upper bound for the count of threads with more words than the index holds. They are rare."""

_NONE = "none given"
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class FailedThread:
    """A thread whose items could not be read. `retry_at` is the time of the next attempt."""

    thread_id: str
    why: str
    failures: int
    retry_at: datetime | None
    user: str | None
    """For masking the id in `why`; not in the JSON file."""


@dataclass(frozen=True, slots=True)
class SkippedItem:
    """An item that is too large to be archived. `item_id` is "" if unknown."""

    thread_id: str
    item_id: str
    why: str


@dataclass(frozen=True, slots=True)
class WithheldThread:
    """A thread that was found to be deleted upstream at `since` and is not marked: the circuit breaker is open."""

    thread_id: str
    title: str | None
    since: datetime
    user: str | None
    """For masking the id in `title`; not in the JSON file."""


ATTACHMENTS_NOTE = "Of attachments, names and types are synced; OpenAI's API has no call for their content."


@dataclass(frozen=True, slots=True)
class ArchiveReport:
    """Contents and state of the archive.

    `failure` is why the last sync ended early, at `failed_at`. `gone` counts threads that were deleted upstream,
    `former` those of an upstream before the present one. `withheld` are deleted threads that the open circuit breaker
    keeps from being marked, `waiting` counts copies that wait for its daily limit to be purged. `running` is the sync
    under way, `to_read` the conversations that it or the next one has to check. `stale` counts threads that have to be
    reindexed, `cut` those with more words than the index holds; `cut_threads` are the ids of the latter.
    """

    complete: Completeness
    started_at: datetime | None
    swept_at: datetime | None
    failed_at: datetime | None
    failure: str | None
    threads: int
    gone: int
    former: int
    waiting: int
    items: int
    breaker: OpenBreaker | None
    withheld: tuple[WithheldThread, ...]
    oversized: tuple[SkippedItem, ...]
    stale: int
    cut: int
    cut_threads: tuple[str, ...]
    first_at: datetime | None
    last_at: datetime | None
    by_status: dict[str, int]
    by_day: dict[str, int]
    troubles: tuple[FailedThread, ...]
    running: RunningSync | None
    to_read: PendingConversations | None

    def as_json(self) -> dict[str, Any]:
        """The report as dicts, lists and plain values; times stay `datetime` objects."""
        values = asdict(self)
        values["complete"]["bound"] = self.complete.bound.total_seconds()
        if self.to_read is not None:
            values["to_read"]["seconds"] = self.to_read.seconds
        for row in (*values["troubles"], *values["withheld"]):
            del row["user"]
        return values | {"attachments": ATTACHMENTS_NOTE}


def archive_report(most: int | None = MAX_LISTED) -> ArchiveReport:
    """The report as of now. Lists at most `most` threads or items of each kind; None for all."""
    progress = Progress.objects.filter(pk=1).first()
    threads = ArchivedThread.objects.all()
    # Threads stored by an older version are not counted yet; the next sync counts them.
    uncounted = threads.filter(state__isnull=True)
    by_status = _by_status(uncounted)
    number = sum(by_status.values())
    first, last = _ends(uncounted)
    items = uncounted.aggregate(sum=Sum("items"))["sum"] or 0
    failing = current().filter(sync_error__isnull=False)
    running = running_sync()
    cut = sorted(engines.numbers_with_word(word_index.CUT_MARKER, MAX_CUT_THREADS), reverse=True)
    return ArchiveReport(
        complete=completeness(),
        started_at=progress.started_at if progress else None,
        swept_at=progress.swept_at if progress else None,
        failed_at=progress.failed_at if progress else None,
        failure=progress.failure if progress else None,
        threads=number,
        gone=threads.filter(deleted_upstream_at__isnull=False).count(),
        former=threads.filter(former_at__isnull=False).count(),
        waiting=count_waiting_for_purge() if settings.ARCHIVE_GONE == "purge" else 0,
        items=items + (progress.items if progress else 0),
        breaker=open_breaker(),
        withheld=tuple(
            WithheldThread(each.thread_id, each.title, each.withheld_at, each.user)
            for each in withheld().defer("raw").order_by("-number")[:most]
            if each.withheld_at
        ),
        oversized=tuple(
            SkippedItem(each.thread.thread_id, each.item_id, each.detail)
            for each in OversizedItem.objects.select_related("thread").order_by("-pk")[:most]
        ),
        stale=StaleIndex.objects.count(),
        cut=len(cut),
        cut_threads=tuple(
            ArchivedThread.objects.filter(number__in=cut[:most]).order_by("-number").values_list("thread_id", flat=True)
        ),
        first_at=first,
        last_at=last,
        by_status=by_status,
        by_day=_by_day(uncounted, number),
        troubles=tuple(
            FailedThread(each.thread_id, each.sync_error or "", each.failures, each.due_at, each.user)
            for each in failing.defer("raw").order_by("-number")[:most]
        ),
        running=running,
        to_read=running.then if running else None if settings.ARCHIVE_ONLY else pending_conversations(),
    )


def _by_status(uncounted: QuerySet[ArchivedThread]) -> dict[str, int]:
    """Threads by status, the most frequent first."""
    sums = Counter[str]()
    for status, threads in ThreadState.objects.filter(threads__gt=0).values_list("status", "threads"):
        sums[status or _NONE] += threads
    for label, threads in uncounted.values_list("status").annotate(Count("pk")):
        sums[label or _NONE] += threads
    return dict(sorted(sums.items(), key=lambda pair: (-pair[1], pair[0])))


def _by_day(uncounted: QuerySet[ArchivedThread], number: int) -> dict[str, int]:
    """Threads by UTC day, in order; threads without a time come last."""
    sums = Counter[date]()
    tallies = QuarterCount.objects.filter(threads__gt=0).order_by()
    for day, threads in tallies.values_list(F("quarter") / (DAY_SECONDS // QUARTER_SECONDS)).annotate(Sum("threads")):
        sums[date.fromordinal(_EPOCH + day)] += threads
    days = uncounted.filter(created_at__isnull=False).annotate(day=TruncDate("created_at")).order_by()
    for day, threads in days.values_list("day").annotate(Count("pk")):
        sums[day] += threads
    found = {day.isoformat(): sums[day] for day in sorted(sums)}
    untimed = number - sum(found.values())
    return found | {_NONE: untimed} if untimed else found


def _ends(uncounted: QuerySet[ArchivedThread]) -> tuple[datetime | None, datetime | None]:
    """The times when the first and the last thread began."""
    ends = uncounted.aggregate(first=Min("created_at"), last=Max("created_at"))
    timed = QuarterCount.objects.filter(threads__gt=0)
    first, last = _of_quarter(timed.order_by("quarter").first()), _of_quarter(timed.order_by("-quarter").first())
    return (
        min(filter(None, [ends["first"], first.aggregate(at=Min("created_at"))["at"]]), default=None),
        max(filter(None, [ends["last"], last.aggregate(at=Max("created_at"))["at"]]), default=None),
    )


def _of_quarter(tally: QuarterCount | None) -> QuerySet[ArchivedThread]:
    """The threads that began in the quarter of an hour that `tally` counts."""
    day = None if tally is None else Day.objects.filter(day=tally.quarter * QUARTER_SECONDS // DAY_SECONDS).first()
    if tally is None or day is None:
        return ArchivedThread.objects.none()
    begin = datetime.fromtimestamp(tally.quarter * QUARTER_SECONDS, UTC)
    return ArchivedThread.objects.filter(
        number__gte=day.first, number__lte=day.last,
        created_at__gte=begin, created_at__lt=begin + timedelta(seconds=QUARTER_SECONDS),
    ).order_by()  # fmt: skip
