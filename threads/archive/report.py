"""What the archive holds, and whether that is everything: for a page, a file, and whoever must vouch for it."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import Count, F, Max, Min, QuerySet, Sum
from django.db.models.functions import TruncDate

from .counts import DAY, QUARTER
from .models import ArchivedThread, Day, Progress, State, Tally

MOST_TROUBLES = 1000
"""Threads that are named with what is wrong with them; `failing` counts them all."""

_NONE = "none given"
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Trouble:
    """A thread whose items could not be had. `again_at` is when it will be tried again."""

    thread_id: str
    why: str
    failures: int
    again_at: datetime | None


@dataclass(frozen=True, slots=True)
class Report:
    """Counts are of what is kept. `complete_at` is when everything was last shown to be there, None where it has not
    been; `lacking` says in sentences what is missing to it."""

    complete_at: datetime | None
    lacking: tuple[str, ...]
    started_at: datetime | None
    reached_end_at: datetime | None
    swept_at: datetime | None
    failure: str | None
    threads: int
    read: int
    gone: int
    failing: int
    unreadable: int
    items: int
    first_at: datetime | None
    last_at: datetime | None
    by_status: dict[str, int]
    by_day: dict[str, int]
    troubles: tuple[Trouble, ...]

    def as_json(self) -> dict[str, Any]:
        """As plain values; times in ISO 8601."""
        return asdict(self)


def report() -> Report:
    progress = Progress.objects.filter(pk=1).first()
    threads = ArchivedThread.objects.all()
    there = threads.filter(gone_at__isnull=True)
    failing = there.filter(trouble__isnull=False)
    # That numbers are above nothing says which index to take: SQLite would go through all that are there.
    unread = there.filter(read_at__isnull=True, number__gt=0).count()
    gone = threads.filter(gone_at__isnull=False)
    # What an older version kept is counted nowhere yet. There is none of it once the copying has gone on for a while.
    uncounted = threads.filter(state__isnull=True)
    by_status = _by_status(uncounted)
    number = sum(by_status.values())
    first, last = _ends(uncounted)
    items = uncounted.aggregate(sum=Sum("items"))["sum"] or 0
    return Report(
        complete_at=progress.complete_at if progress else None,
        lacking=tuple(_lacking(progress, unread)),
        started_at=progress.started_at if progress else None,
        reached_end_at=progress.reached_end_at if progress else None,
        swept_at=progress.swept_at if progress else None,
        failure=progress.failure if progress else None,
        threads=number,
        read=number - unread - gone.filter(read_at__isnull=True).count(),
        gone=gone.count(),
        failing=failing.count(),
        unreadable=progress.unreadable if progress else 0,
        items=items + (progress.items if progress else 0),
        first_at=first,
        last_at=last,
        by_status=by_status,
        by_day=_by_day(uncounted, number),
        troubles=tuple(
            Trouble(each.thread_id, each.trouble or "", each.failures, each.due_at)
            for each in failing.defer("raw").order_by("-number")[:MOST_TROUBLES]
        ),
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


def _lacking(progress: Progress | None, unread: int) -> list[str]:
    if progress is None:
        return ["Nothing has been copied yet."]
    said = []
    if progress.reached_end_at is None:
        said.append("The list of threads has not been walked to its end.")
    if unread:
        said.append(f"{unread:,} thread{'s have' if unread != 1 else ' has'} not been read to the end.")
    if progress.unreadable:
        said.append(f"{progress.unreadable:,} rows of the list had no id to ask for their items by.")
    if progress.failure:
        said.append(f"The last run failed: {progress.failure}.")
    if not said and progress.complete_at is None:
        said.append("The end of the list has not been looked at again since the last thread was read.")
    return said
