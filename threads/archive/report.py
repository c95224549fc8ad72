"""What the archive holds, and whether that is everything: for a page, a file, and whoever must vouch for it."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, F, Max, Min, QuerySet, Sum
from django.db.models.functions import TruncDate

from .completeness import Completeness, completeness
from .deletions import OpenBreaker, breaker, count_waiting_for_purge, withheld
from .models import ArchivedThread, Day, OversizedItem, Progress, StaleIndex, State, Tally, current
from .search import engines
from .store import word_index
from .store.counters import DAY, QUARTER
from .sync.status import Running, ToRead, pending_conversations, running_sync

MOST_NAMED = 1000
"""Threads and items that a report names of each kind; the counts are of all."""

MOST_CUT = 10_000
"""Threads with more words than the index has room for that are counted. There are hardly ever any."""

_NONE = "none given"
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Trouble:
    """A thread whose items could not be had. `again_at` is when it will be tried again."""

    thread_id: str
    why: str
    failures: int
    again_at: datetime | None
    user: str | None
    """For shortening it in what is said; not in the file."""


@dataclass(frozen=True, slots=True)
class Oversized:
    """An item that is not kept; `item_id` is "" where it is not known."""

    thread_id: str
    item_id: str
    why: str


@dataclass(frozen=True, slots=True)
class Withheld:
    """A thread that was found to be deleted upstream at that time, and is not marked."""

    thread_id: str
    title: str | None
    since: datetime
    user: str | None
    """As in `Trouble`."""


ATTACHMENTS = "Of attachments, names and types are kept; OpenAI's API has no call that gives their bytes."


@dataclass(frozen=True, slots=True)
class Report:
    """Counts are of what is kept. `failure` is why the last sync ended early, at `failed_at`; `former` counts threads
    of an upstream that the database had before; `withheld` are those that the circuit breaker keeps from being
    marked, and `waiting` counts copies that are to be removed when it lets more go. `running` is the sync that is under
    way, `to_read` what comes after it, or what the next one has to do. `stale` threads are still to be indexed anew;
    `cut` counts those that have more words than the index has room for, which `cut_threads` names."""

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
    withheld: tuple[Withheld, ...]
    oversized: tuple[Oversized, ...]
    stale: int
    cut: int
    cut_threads: tuple[str, ...]
    first_at: datetime | None
    last_at: datetime | None
    by_status: dict[str, int]
    by_day: dict[str, int]
    troubles: tuple[Trouble, ...]
    running: Running | None
    to_read: ToRead | None

    def as_json(self) -> dict[str, Any]:
        """As plain values; times in ISO 8601."""
        values = asdict(self)
        values["complete"]["bound"] = self.complete.bound.total_seconds()
        if self.to_read is not None:
            values["to_read"]["seconds"] = self.to_read.seconds
        for each in (*values["troubles"], *values["withheld"]):
            del each["user"]
        return values | {"attachments": ATTACHMENTS}


def report(most: int | None = MOST_NAMED) -> Report:
    """What there is now. Names at most `most` of each kind, None for all."""
    progress = Progress.objects.filter(pk=1).first()
    threads = ArchivedThread.objects.all()
    # What an older version kept is counted nowhere yet. There is none of it once the copying has gone on for a while.
    uncounted = threads.filter(state__isnull=True)
    by_status = _by_status(uncounted)
    number = sum(by_status.values())
    first, last = _ends(uncounted)
    items = uncounted.aggregate(sum=Sum("items"))["sum"] or 0
    failing = current().filter(trouble__isnull=False)
    running = running_sync()
    cut = sorted(engines.with_word(word_index.CUT, MOST_CUT), reverse=True)
    return Report(
        complete=completeness(),
        started_at=progress.started_at if progress else None,
        swept_at=progress.swept_at if progress else None,
        failed_at=progress.failed_at if progress else None,
        failure=progress.failure if progress else None,
        threads=number,
        gone=threads.filter(gone_at__isnull=False).count(),
        former=threads.filter(former_at__isnull=False).count(),
        waiting=count_waiting_for_purge() if settings.ARCHIVE_GONE == "purge" else 0,
        items=items + (progress.items if progress else 0),
        breaker=breaker(),
        withheld=tuple(
            Withheld(each.thread_id, each.title, each.missing_at, each.user)
            for each in withheld().defer("raw").order_by("-number")[:most]
            if each.missing_at
        ),
        oversized=tuple(
            Oversized(each.thread.thread_id, each.item_id, each.detail)
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
            Trouble(each.thread_id, each.trouble or "", each.failures, each.due_at, each.user)
            for each in failing.defer("raw").order_by("-number")[:most]
        ),
        running=running,
        to_read=running.then if running else None if settings.ARCHIVE_ONLY else pending_conversations(),
    )


def _by_status(uncounted: QuerySet[ArchivedThread]) -> dict[str, int]:
    """The commonest first."""
    sums = Counter[str]()
    for status, threads in State.objects.filter(threads__gt=0).values_list("status", "threads"):
        sums[status or _NONE] += threads
    for label, threads in uncounted.values_list("status").annotate(Count("pk")):
        sums[label or _NONE] += threads
    return dict(sorted(sums.items(), key=lambda each: (-each[1], each[0])))


def _by_day(uncounted: QuerySet[ArchivedThread], number: int) -> dict[str, int]:
    """The days of UTC, in order; last the threads that have no time."""
    sums = Counter[date]()
    tallies = Tally.objects.filter(threads__gt=0).order_by()
    for day, threads in tallies.values_list(F("quarter") / (DAY // QUARTER)).annotate(Sum("threads")):
        sums[date.fromordinal(_EPOCH + day)] += threads
    days = uncounted.filter(created_at__isnull=False).annotate(day=TruncDate("created_at")).order_by()
    for day, threads in days.values_list("day").annotate(Count("pk")):
        sums[day] += threads
    found = {day.isoformat(): sums[day] for day in sorted(sums)}
    untimed = number - sum(found.values())
    return found | {_NONE: untimed} if untimed else found


def _ends(uncounted: QuerySet[ArchivedThread]) -> tuple[datetime | None, datetime | None]:
    """When the first thread began, and the last."""
    ends = uncounted.aggregate(first=Min("created_at"), last=Max("created_at"))
    timed = Tally.objects.filter(threads__gt=0)
    first, last = _of_quarter(timed.order_by("quarter").first()), _of_quarter(timed.order_by("-quarter").first())
    return (
        min(filter(None, [ends["first"], first.aggregate(at=Min("created_at"))["at"]]), default=None),
        max(filter(None, [ends["last"], last.aggregate(at=Max("created_at"))["at"]]), default=None),
    )


def _of_quarter(tally: Tally | None) -> QuerySet[ArchivedThread]:
    """The threads that began in the quarter of an hour of a tally."""
    day = None if tally is None else Day.objects.filter(day=tally.quarter * QUARTER // DAY).first()
    if tally is None or day is None:
        return ArchivedThread.objects.none()
    begin = datetime.fromtimestamp(tally.quarter * QUARTER, UTC)
    return ArchivedThread.objects.filter(
        number__gte=day.first, number__lte=day.last,
        created_at__gte=begin, created_at__lt=begin + timedelta(seconds=QUARTER),
    ).order_by()  # fmt: skip
