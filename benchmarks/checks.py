"""Checks that a measured page of the archive has the right rows in the right order."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from benchmarks.load import WrongReplyError

if TYPE_CHECKING:
    from threads.chatkit import Thread
    from threads.sources.query import ThreadQuery

EMPTY = ("nowhere", "no such", "nobody", "never")
"""Words in the names of benchmarks whose pages have no rows."""

LARGE = 10_000
"""Minimum number of threads with which every other page has rows, except those in `RARE`."""
RARE = {"a quiet hour of the week, the busiest user"}


def check_page(name: str, query: ThreadQuery, zone: ZoneInfo) -> None:
    """Raises `WrongReplyError` if rows of the page do not match the query, or are out of order or missing."""
    from threads.archive.models import ArchivedThread, SearchDoc  # noqa: PLC0415
    from threads.archive.search.source import ArchiveSource  # noqa: PLC0415

    rows = ArchiveSource(zone).list_threads(query).rows
    empty = any(word in name for word in EMPTY)
    if rows if empty else not rows and name not in RARE and SearchDoc.objects.count() >= LARGE:
        raise WrongReplyError(f"{name}: {len(rows)} rows")
    ids = [row.id for row in rows]
    numbers = dict(ArchivedThread.objects.filter(thread_id__in=ids).values_list("thread_id", "number"))
    order = [numbers[thread_id or ""] for thread_id in ids]
    ranked = query.sorted_by == "best"
    if len(set(order)) < len(order) or (not ranked and order != sorted(order, reverse=query.order == "desc")):
        raise WrongReplyError(f"{name}: rows out of order, or twice")
    if wrong := [row.id for row in rows if not _matches(query, row, zone)]:
        raise WrongReplyError(f"{name}: {len(wrong)} rows do not fit, such as {wrong[0]}")


def _matches(query: ThreadQuery, row: Thread, zone: ZoneInfo) -> bool:
    """Whether a row matches the query, apart from its search words."""
    reason = row.status.reason if row.status else None
    at = row.created_at.astimezone(zone) if row.created_at else None
    user = row.user or ""
    return (
        (query.user is None or (query.user in user if query.match == "part" else query.user == user))
        and (query.status is None or (row.status is not None and row.status.label == query.status))
        and (query.has_reason is None or bool(reason) == query.has_reason)
        and (query.reason is None or query.reason == reason)
        and (query.begin is None or (at is not None and at.date() >= query.begin))
        and (query.end is None or (at is not None and at.date() <= query.end))
        and (query.hour is None or (at is not None and f"{at.weekday()}-{at.hour:02d}" == query.hour))
    )
