"""Lists of threads: from the live API where it can answer, from the archive for filters, searches and outages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, tzinfo
from functools import partial
from typing import Literal

from django.conf import settings

from threads.archive import thread_info
from threads.archive.search.source import ArchiveSource, StateCount, state_counts
from threads.archive.search.users import SuggestedUser
from threads.archive.statement_timeout import limit_statements
from threads.chatkit import ChatKitError, CursorGone, NotFound, Thread, TooLarge, is_cursor
from threads.sources.query import DEFAULT_LIMIT, ThreadQuery
from threads.sources.window import ThreadSource, Window

from .audit_events import failure_recorded, record_list, record_suggestions
from .circuit_breaker import UpstreamOutage
from .conversations import get_user
from .fallback import ask_live_or_archive, outage_while_empty
from .results import Listing, NeedsArchiveError
from .size import with_size

_DOUBTS: dict[type[ChatKitError], str] = {
    CursorGone: "OpenAI refuses this place in its list",
    TooLarge: "OpenAI's answer is too large to be read",
}

_WITHOUT_SNIPPETS = "Some matches are shown without the text around them, because looking for it took too long."

_MAX_STEPS_BACK = 4
"""Calls for one page whose cursor may have been deleted, each from an earlier thread."""


def list_threads(query: ThreadQuery, zone: tzinfo = UTC) -> Listing:
    """One page of threads. Of a user's list, rows that the upstream does not attribute to that user are left out.

    `zone` sets where days begin. Recorded in the audit log where the list is filtered. Raises `ChatKitError`, and
    `NeedsArchiveError`.
    """
    with limit_statements(), failure_recorded(query):
        found = with_size(_without_other_users(_list(query, zone)), zone)
    record_list(found.query, found)
    return found


def list_same_user(thread_id: str) -> Listing | None:
    """The newest threads of the same user as this thread, itself included; None where the thread has no user. Recorded
    in the audit log. Raises `ChatKitError`."""
    archived_user = thread_info.owner(thread_id) if thread_info.is_available() else None
    user = archived_user or get_user(thread_id)
    if not user:
        return None
    query = ThreadQuery(user=user)
    with limit_statements(), failure_recorded(query, beside=thread_id):
        found = _without_other_users(_list(query, UTC))
    record_list(found.query, found, beside=thread_id)
    return found


def list_for_export(query: ThreadQuery, zone: tzinfo = UTC) -> Listing:
    """One page of a list for an export: as `list_threads`, but with all rows, and counted on the first page alone. The
    export is the audit event. Raises as `list_threads`."""
    # By creation: a thread that is written in while the list is read would change its place.
    return _list(replace(query, sort="created"), zone, counted=not query.cursor)


def list_archive_only(query: ThreadQuery, zone: tzinfo = UTC) -> Listing:
    """One page of the archive's list, with only the threads that are no more upstream. Raises `NotFound`."""
    found = _list_archive(replace(query, sort="created"), zone, counted=False)
    rows = tuple(row for row in found.window.rows if (about := found.about.get(row.id or "")) and about.only_here)
    return replace(found, window=replace(found.window, rows=rows), lacking=None)


def belongs_in_list(row: Thread, query: ThreadQuery) -> bool:
    """Whether a row may be shown in the query's list. In one user's list the upstream has to name exactly that user;
    a row that can't be read at all stays, as a placeholder."""
    return query.exact_user is None or row.raw is None or row.is_of(query.exact_user)


def adjacent_thread(
    thread_id: str, page: ThreadQuery, direction: Literal["previous", "next"], zone: tzinfo = UTC
) -> tuple[str, ThreadQuery] | None:
    """The id of the thread before or after this one in a list, and the page of the list that shows it; None at the end
    of the list. `page` is the page that shows this thread: it stays the same until its edge is passed, so that the way
    back leads to a page that holds the row.

    Recorded in the audit log as the list is. Raises as `list_threads`.
    """
    page = page if page.limit else replace(page, limit=DEFAULT_LIMIT)
    with failure_recorded(page, step=""):
        found = _adjacent(thread_id, page, direction, zone)
    record_list(page, None, step=found[0] if found else "")
    return found


def suggest_users(typed: str) -> list[SuggestedUser]:
    """Users to suggest while a user id is typed, with their numbers of threads. Recorded in the audit log where there
    are any."""
    found = thread_info.suggested_users(typed)
    if found:
        record_suggestions(typed, len(found))
    return found


def similar_users(user: str) -> list[SuggestedUser]:
    """Users whose ids contain this one, or the part before its @. Recorded as `suggest_users`."""
    return suggest_users(user) or suggest_users(user.partition("@")[0].strip())


def is_customer(user: str) -> bool:
    """Whether the archive has a user with exactly this id."""
    return thread_info.is_user(user)


def count(query: ThreadQuery, zone: tzinfo = UTC) -> int | None:
    """The number of archived threads that match, where the stored counters tell; else None."""
    counts = ArchiveSource(zone).counts(query) if thread_info.is_available() else None
    if counts is None:
        return None
    return sum(counts.values()) if query.status is None else counts.get(query.status, 0)


def count_by_status() -> list[StateCount] | None:
    """The numbers of all archived threads, by status and reason; None without an archive."""
    return state_counts() if thread_info.is_available() else None


def _list(query: ThreadQuery, zone: tzinfo, *, counted: bool = True) -> Listing:
    if query.filters or settings.ARCHIVE_ONLY:
        if settings.ARCHIVE == "off":
            raise NeedsArchiveError
        if outage := outage_while_empty():
            raise outage.error
        return _list_archive(query, zone, counted=counted)
    try:
        window, outage = _page(query, zone)
    except (CursorGone, TooLarge) as error:
        if not thread_info.is_available() or not thread_info.is_archived_cursor(query.cursor):
            raise
        return replace(_list_archive(query, zone, counted=counted), doubt=_DOUBTS[type(error)])
    if outage is not None:
        return _list_archive(query, zone, outage, counted=counted)
    if query.limit and not query.cursor and not window.rows and thread_info.is_available():
        archived = _list_in_place_of_empty(query, zone, counted=counted)
        if archived is not None:
            return archived
    about = thread_info.by_id(_ids(window)) if thread_info.is_available() else {}
    counts = ArchiveSource(zone).counts(query) if counted and thread_info.is_available() else None
    lacking = thread_info.search_gaps() if counts is not None else None
    return Listing(query, window, about=about, counts=counts, lacking=lacking)


def _page(query: ThreadQuery, zone: tzinfo) -> tuple[Window[Thread], UpstreamOutage | None]:
    """A page of the live list, or of the archive's in an outage. Where the cursor's thread was deleted, the page starts
    from the archived thread before it. Raises `CursorGone` where no earlier thread helps."""
    for step in range(_MAX_STEPS_BACK):
        stepped = query if step == 0 else thread_info.earlier_query(query, step)
        if stepped is None:
            break
        try:
            return ask_live_or_archive(partial(_list_threads, query=stepped), zone)
        except CursorGone as error:
            gone = error
    raise gone


def _list_threads(source: ThreadSource, query: ThreadQuery) -> Window[Thread]:
    return source.list_threads(query)


def _list_archive(
    query: ThreadQuery, zone: tzinfo, outage: UpstreamOutage | None = None, *, counted: bool = True
) -> Listing:
    source = ArchiveSource(zone)
    window = source.list_threads(query)
    about = thread_info.by_id(_ids(window), query.q)
    if any(each.unlooked for each in about.values()):
        window = replace(window, notes=(*window.notes, _WITHOUT_SNIPPETS))
    return Listing(
        query,
        window,
        archived=True,
        outage=outage,
        about=about,
        counts=source.counts(query) if counted else None,
        lacking=thread_info.search_gaps(),
    )


def _list_in_place_of_empty(query: ThreadQuery, zone: tzinfo, *, counted: bool) -> Listing | None:
    """The archive's list where the live list is empty; None where the archive has none of these threads either."""
    archived = _list_archive(query, zone, counted=counted)
    if any(not about.only_here for about in archived.about.values()):
        return replace(archived, doubt="OpenAI's list shows none of these threads")
    return None


def _without_other_users(found: Listing) -> Listing:
    """Leaves out rows of other users, however the upstream applied the filter, and adds a note that says so."""
    window = found.window
    rows = tuple(row for row in window.rows if belongs_in_list(row, found.query))
    if len(rows) == len(window.rows):
        return found
    notes = (*window.notes, _left_out(len(window.rows) - len(rows)))
    return replace(found, window=replace(window, rows=rows, notes=notes))


def _left_out(rows: int) -> str:
    many = rows != 1
    return (
        f"{rows:,} row{'s' if many else ''} of this user's list {'are' if many else 'is'} left out: the API does not "
        f"say that {'they are' if many else 'it is'} this user's."
    )


def _adjacent(
    thread_id: str, page: ThreadQuery, direction: Literal["previous", "next"], zone: tzinfo
) -> tuple[str, ThreadQuery] | None:
    on_page = _listed_ids(page, zone)
    onward = direction == "next"
    if thread_id in on_page:
        place = on_page.index(thread_id) + (1 if onward else -1)
        if 0 <= place < len(on_page):
            return on_page[place], page
    if not is_cursor(thread_id):
        return None
    since = page.since or (on_page[0] if on_page and page.cursor is None and page.order == "desc" else None)
    further = page.beyond(since=since, **{"after" if onward else "before": thread_id})
    ids = _listed_ids(further, zone)
    return (ids[0 if onward else -1], further) if ids else None


def _listed_ids(query: ThreadQuery, zone: tzinfo) -> list[str]:
    """The ids on a page of a list, without those of other users. Where the page's cursor is refused, the archive
    answers."""
    if query.filters or settings.ARCHIVE_ONLY:
        if settings.ARCHIVE == "off":
            raise NeedsArchiveError
        rows = _archived_rows(query, zone)
    else:
        try:
            rows = _page(query, zone)[0].rows
        except CursorGone:
            if not thread_info.is_available():
                raise
            rows = _archived_rows(query, zone)
    return [row.id for row in rows if row.id and belongs_in_list(row, query)]


def _archived_rows(query: ThreadQuery, zone: tzinfo) -> tuple[Thread, ...]:
    with limit_statements():
        try:
            return ArchiveSource(zone).list_threads(query).rows
        except NotFound:
            if not thread_info.is_archived_cursor(query.cursor):
                raise
            return ()  # a thread that has left a ranking has no neighbours in it


def _ids(window: Window[Thread]) -> list[str]:
    return [row.id for row in window.rows if row.id]
