"""A list of threads on its way into a file, page by page. What has been kept stays, whoever dies meanwhile."""

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
"""Among the parts of a zip: the threads that it is to hold."""

_LEFT_OUT = "Rows are left out of which the API does not say that they are this user's."

_LOST = "There is more, but the API gives no way to reach it."


def asked_for(export: Export) -> ThreadQuery:
    """The list, from its start, in the largest pages that there are."""
    # What the account may ask for was looked at when it asked.
    query, errors = query_forms.read(QueryDict(export.query).dict(), masked=False)
    if query is None:
        raise ValueError(f"an export asks for no list: {errors}")
    return replace(query, limit=MAX_LIMIT)


def page(export: Export) -> None:
    """Brings one page more into the file, and keeps where it goes on. Raises `ChatKitError` and `NeedsArchiveError`,
    `LeaseLostError` where another worker has the export, and `OSError`."""
    zone, gone = times.zone(export.zone), export.phase == "gone"
    place = replace(asked_for(export), after=export.cursor or None)
    found = service.kept_alone(place, zone) if gone else service.handed_over(place, zone)
    window, kind = found.window, _kind(export)
    following = window.last_id if window.has_next else None
    # A zip says of each thread why it is left out, and asks it itself first.
    rows = tuple(row for row in window.rows if export.kind == "zip" or service.is_theirs(row, place))
    data = b"" if export.pages else formats.beginning(kind)
    data += formats.lines(kind, formats.rows(found, rows, timezone.now()))
    offset, done, pages = export.offset, export.done + len(rows), export.pages + 1
    if following is not None and following == export.mark:
        raise Garbled("the pages lead in a circle")
    # What OpenAI has no more of a user is theirs too.
    onward = following is None and export.kind == "zip" and not gone and not found.archived and thread_info.is_on()
    with transaction.atomic():
        # Keeping comes first: it holds the row, so nobody else is at the file.
        export.keep(
            phase="gone" if gone or onward else "listing",
            cursor=following or "",
            mark="" if onward else following or "" if pages & (pages - 1) == 0 else export.mark,
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
    """Where the lines go."""
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
    """How many threads there will be, as far as that was counted."""
    if found.counts is None:
        return None
    chosen = found.query.status
    return sum(found.counts.values()) if chosen is None else found.counts.get(chosen, 0)
