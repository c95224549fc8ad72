"""What the archive holds, and whether that is everything: for a page, a file, and whoever must vouch for it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Min, Sum
from django.db.models.functions import TruncDate

from .models import ArchivedThread, Progress

MOST_TROUBLES = 1000
"""Threads that are named with what is wrong with them; `failing` counts them all."""


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
    sums = threads.aggregate(items=Sum("items"), first=Min("created_at"), last=Max("created_at"))
    failing = there.filter(trouble__isnull=False)
    unread = there.filter(read_at__isnull=True).count()
    by_day = (
        threads.annotate(day=TruncDate("created_at")).values_list("day").annotate(count=Count("pk")).order_by("day")
    )
    return Report(
        complete_at=progress.complete_at if progress else None,
        lacking=tuple(_lacking(progress, unread)),
        started_at=progress.started_at if progress else None,
        reached_end_at=progress.reached_end_at if progress else None,
        swept_at=progress.swept_at if progress else None,
        failure=progress.failure if progress else None,
        threads=threads.count(),
        read=threads.filter(read_at__isnull=False).count(),
        gone=threads.filter(gone_at__isnull=False).count(),
        failing=failing.count(),
        unreadable=progress.unreadable if progress else 0,
        items=sums["items"] or 0,
        first_at=sums["first"],
        last_at=sums["last"],
        by_status={
            label or "none given": count
            for label, count in threads.values_list("status").annotate(count=Count("pk")).order_by("-count", "status")
        },
        by_day={day.isoformat() if day else "none given": count for day, count in by_day},
        troubles=tuple(
            Trouble(each.thread_id, each.trouble or "", each.failures, each.due_at)
            for each in failing.order_by("-number")[:MOST_TROUBLES]
        ),
    )


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
