"""Sizes of lists: how many threads a list has on all its pages, and which of them a page begins with."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, tzinfo

from threads.archive import thread_info
from threads.archive.search.source import ArchiveSource, BoundedCount
from threads.archive.statement_timeout import QueryTimeout

from .results import Listing


def with_size(found: Listing, zone: tzinfo = UTC) -> Listing:
    """The listing with its `total` and `position`, as far as they are known. A count that takes too long is left
    out."""
    query, window = found.query, found.window
    is_first = query.cursor is None
    position = 1 if is_first and window.rows else None
    if is_first and query.limit and not window.has_next and not window.lost:
        return replace(found, total=len(window.rows), total_is_minimum=bool(window.gaps), position=position)
    if not thread_info.is_available() or not thread_info.is_whole_list():
        return replace(found, position=position)
    with suppress(QueryTimeout):
        total = _total(found, zone)
        found = replace(found, total=total.number, total_is_minimum=total.more)
        if position is None:
            before = _count_before(found, zone)
            position = None if before is None else before + 1
    return replace(found, position=position)


def _total(found: Listing, zone: tzinfo) -> BoundedCount:
    query = found.query
    if not found.archived:
        return thread_info.count_current(query.user)
    if found.counts is not None:
        counts = found.counts
        return BoundedCount(sum(counts.values()) if query.status is None else counts.get(query.status, 0))
    return ArchiveSource(zone).count(query)


def _count_before(found: Listing, zone: tzinfo) -> int | None:
    if found.archived:
        return ArchiveSource(zone).count_before(found.query, found.window)
    first = found.window.rows[0].id if found.window.rows else None
    return thread_info.count_current_before(first, found.query) if first else None
