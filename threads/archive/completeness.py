"""Completeness of the archive: the time as of which it has everything that OpenAI had, or what is missing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Min

from .models import ArchivedThread, OversizedItem, Progress, current


@dataclass(frozen=True, slots=True)
class Completeness:
    """Whether the archive is complete, and what that follows from. Times are None before the first such event.

    `as_of`: the archive has everything that the upstream had at this time; None if it is not complete. It is at most
    `bound` before `ended_at`, when the list was last read to its end. `listed_at` is when the last full pass over the
    list began. `checked_at` is the oldest time at which a conversation was last known to be archived to its last item.
    `lacking` says in sentences what is missing. Counts are of threads, except `oversized` of items and `unreadable` of
    list rows.
    """

    as_of: datetime | None
    bound: timedelta
    lacking: tuple[str, ...]
    listed_at: datetime | None = None
    ended_at: datetime | None = None
    checked_at: datetime | None = None
    unread: int = 0
    failing: int = 0
    unreadable: int = 0
    oversized: int = 0
    deleted_unread: int = 0


def completeness(using: str = "default") -> Completeness:
    """The completeness now, from the database alone. `using` is the database alias."""
    bound = 2 * timedelta(hours=max(settings.ARCHIVE_RECHECK_HOURS, settings.ARCHIVE_RECHECK_ITEMS_HOURS))
    progress = Progress.objects.using(using).filter(pk=1).first()
    if progress is None:
        return Completeness(None, bound, ("Nothing has been synced yet.",))
    there = current(using)
    ended_at = progress.reached_end_at
    found = Completeness(
        as_of=None,
        bound=bound,
        lacking=(),
        listed_at=None if ended_at is None else progress.swept_at or progress.started_at,
        ended_at=ended_at,
        checked_at=there.filter(read_at__isnull=False).aggregate(at=Min("read_at"))["at"],
        unread=there.filter(read_at__isnull=True).count(),
        failing=there.filter(sync_error__isnull=False).count(),
        unreadable=progress.unreadable,
        oversized=OversizedItem.objects.using(using).count(),
        deleted_unread=ArchivedThread.objects.using(using)
        .filter(deleted_upstream_at__isnull=False, read_at=None)
        .count()
        + ArchivedThread.objects.using(using).filter(withheld_at__isnull=False, read_at=None).count(),
    )
    return _with_result(found)


def _with_result(found: Completeness) -> Completeness:
    """Sets `as_of` and `lacking`."""
    lacking = _lacking(found)
    times = [time for time in (found.listed_at, found.checked_at) if time]
    as_of = None if lacking or not times else min(times)
    if as_of is not None and found.ended_at is not None and found.ended_at - as_of > found.bound:
        hours = found.bound // timedelta(hours=1)
        lacking.append(
            f"The oldest check is from {as_of:%d %b %Y, %H:%M} UTC, more than {hours} hours before the list was last "
            "read. `manage.py archive sync --everything` checks all of it now; where there are more conversations than "
            "ARCHIVE_REQUESTS_PER_MINUTE reaches in that time, raise that, or ARCHIVE_RECHECK_ITEMS_HOURS."
        )
        as_of = None
    return replace(found, as_of=as_of, lacking=tuple(lacking))


def _lacking(found: Completeness) -> list[str]:
    missing = []
    if found.ended_at is None:
        missing.append("The list of threads has not been read to its end.")
    if settings.ARCHIVE != "full":
        missing.append("No conversations are synced: ARCHIVE is set to threads alone.")
    elif found.unread:
        missing.append(f"{_threads(found.unread)} not been read to the last item.")
    if found.failing:
        missing.append(
            f"{found.failing:,} thread{'s' if found.failing != 1 else ''} could not be read at the last try: see below."
        )
    if found.unreadable:
        missing.append(f"Rows of the list without an id, or too large to be read: {found.unreadable:,}.")
    if found.oversized:
        missing.append(
            f"Items that are too large to be read: {found.oversized:,}. A higher CHATKIT_MAX_BYTES brings them, where "
            "they are too long: see below."
        )
    return missing


def _threads(number: int) -> str:
    return f"{number:,} thread{' has' if number == 1 else 's have'}"
