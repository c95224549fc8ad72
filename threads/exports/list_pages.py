"""Writes a list of threads into a file, page by page. A stored page survives the death of the worker.

Each call reads one page from the stored cursor, since another process may write the next one: so the iterator of
pages in `chatkit` has no place here, and circles are detected by a stored mark (Brent's algorithm).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from django.db import transaction
from django.http import QueryDict
from django.utils import timezone

from threads import service
from threads.archive import thread_info
from threads.chatkit import MAX_LIMIT, Garbled
from threads.lib import times
from threads.sources import query_forms
from threads.sources.query import ThreadQuery

from . import formats, storage
from .models import Export

LIST = "list.jsonl"
"""The part of a zip that lists its threads."""

_LEFT_OUT = "Rows are left out of which the API does not say that they are this user's."

_LOST = "There is more, but the API gives no way to reach it."


def list_query(export: Export) -> ThreadQuery:
    """The exported list, from its start, in pages of the largest size.

    By creation, whatever the page was sorted by: an export goes on from a stored cursor, perhaps much later, and a
    ranking changes meanwhile and has a limited length, so rows would be lost or doubled."""
    # Whether the account may filter so was checked when it ordered the export.
    query, errors = query_forms.parse_thread_query(QueryDict(export.query).dict(), masked=False)
    if query is None:
        raise ValueError(f"an export asks for no list: {errors}")
    return replace(query, limit=MAX_LIMIT, sort="created")


def page(export: Export) -> None:
    """Appends the next page to the file, and stores the cursor. Raises `ChatKitError`, `NeedsArchiveError`,
    `LeaseLostError` and `OSError`."""
    zone, gone = times.zone_by_name(export.zone), export.phase == "gone"
    place = replace(list_query(export), after=export.cursor or None)
    found = service.list_archive_only(place, zone) if gone else service.list_for_export(place, zone)
    window, kind = found.window, _kind(export)
    following = window.last_id if window.has_next else None
    # A zip retrieves each thread, and gives the reason where it leaves one out.
    rows = tuple(row for row in window.rows if export.kind == "zip" or service.belongs_in_list(row, place))
    data = b"" if export.pages else formats.beginning(kind)
    data += formats.lines(kind, formats.rows(found, rows, timezone.now()))
    offset, done, pages = export.offset, export.done + len(rows), export.pages + 1
    if following is not None and following == export.circle_mark:
        raise Garbled("the pages lead in a circle")
    # Threads of the user that are deleted upstream belong to the export too.
    onward = (
        following is None and export.kind == "zip" and not gone and not found.archived and thread_info.is_available()
    )
    with transaction.atomic():
        # First, since it locks the row: no other worker writes the file meanwhile.
        export.renew(
            phase="gone" if gone or onward else "listing",
            cursor=following or "",
            circle_mark="" if onward else following or "" if pages & (pages - 1) == 0 else export.circle_mark,
            pages=pages,
            offset=offset + len(data),
            done=done,
            total=export.total if export.pages else _total(found),
            listed=following is None and not onward,
            reason=_lacking(found, left_out=len(rows) < len(window.rows)) or export.reason,
            trouble_at=None,
        )
        storage.append(file(export), offset, data)


def file(export: Export) -> Path:
    """The file that the lines are written to."""
    return storage.work(export.pk) / LIST if export.kind == "zip" else storage.path(export.pk)


def _kind(export: Export) -> str:
    return "jsonl" if export.kind == "zip" else export.kind


def _lacking(found: service.Listing, *, left_out: bool) -> str:
    if left_out:
        return _LEFT_OUT
    if found.window.lost or (found.window.has_next and found.window.last_id is None):
        return _LOST
    if found.window.gaps:
        return " ".join(found.window.gaps)
    lacking = found.lacking if found.archived else None
    if lacking is not None and lacking.kept is not None:
        return (
            f"These come from the archive, which is still being filled: it has {lacking.kept:,} threads so far, "
            "so there may be more."
        )
    if lacking is not None and lacking.unread and found.query.q:
        return (
            f"The archive has not read {lacking.unread:,} thread{'s' if lacking.unread != 1 else ''} to the last item "
            "yet, so there may be more matches."
        )
    if lacking is not None and found.query.q:
        return lacking.unindexed
    return ""


def _total(found: service.Listing) -> int | None:
    """The number of threads in the list, None where they were not counted."""
    if found.counts is None:
        return None
    chosen = found.query.status
    return sum(found.counts.values()) if chosen is None else found.counts.get(chosen, 0)
