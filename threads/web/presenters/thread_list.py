"""The list of threads beside its rows: paging links, status filter, notices, summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from django.conf import settings

from threads.archive.thread_info import SearchGaps
from threads.chatkit import MAX_LIMIT, Order, Thread, is_cursor
from threads.lib import times
from threads.sources.query import Sort, ThreadQuery
from threads.sources.window import Window
from threads.web.links import list_url

from .statuses import ICONS, WORDS, status_class

PAGE_SIZES = (20, 50, MAX_LIMIT)
"""The page sizes that the menu offers; an address may name any."""


@dataclass(frozen=True, slots=True)
class StatusChoice:
    """A status to filter by; `count` is None where it was not counted."""

    value: str
    name: str
    count: int | None


@dataclass(frozen=True, slots=True)
class Pager:
    """The links to other pages. A URL is None where there is nothing in that direction."""

    first_url: str | None
    previous_url: str | None
    next_url: str | None
    newer_arrived: bool
    at_start: str
    at_end: str


@dataclass(frozen=True, slots=True)
class StatusCount:
    """How many threads of a customer have a status, with the list of these."""

    word: str
    shape: str
    icon: str
    count: int
    url: str


@dataclass(frozen=True, slots=True)
class Customer:
    """The strip above the list of one customer: threads by status, and the creation of the first."""

    counts: tuple[StatusCount, ...]
    first_seen: str | None
    first_seen_exact: str | None


def customer(query: ThreadQuery, counts: Mapping[str, int], first_seen: datetime | None, zone: tzinfo) -> Customer:
    """The strip for the list of one customer, from the archive's counts by status."""
    names = [name for name in (*WORDS, *(each for each in counts if each not in WORDS)) if counts.get(name)]
    return Customer(
        counts=tuple(
            StatusCount(
                word=WORDS[name].lower() if name in WORDS else name,
                shape=status_class(name),
                icon=ICONS[status_class(name)],
                count=counts[name],
                url=list_url(replace(query.of(query.user), status=name)),
            )
            for name in names
        ),
        first_seen=times.day(first_seen, zone) if first_seen else None,
        first_seen_exact=times.exact(first_seen, zone) if first_seen else None,
    )


def extent(found_rows: int, position: int | None, total: int | None, *, minimum: bool, more: bool) -> str:
    """Which rows of the whole list a page has, such as "1–25 of 4,981", "26–50 of more than 10,000"; as much of it as
    is known, "" for nothing. `more` tells whether the list goes on after the page."""
    last = None if position is None else position + found_rows - 1
    # The live list may have threads that the archive has not seen yet.
    least = None if last is None else last + more
    if total is not None and least is not None and not minimum:
        total = max(total, least)
    known = total is not None and not (minimum and least is not None and least > total)
    of = f"{'more than ' if minimum else ''}{total:,}" if known else ""
    if position is None or not found_rows:
        return of
    rows = f"{position:,}–{last:,}" if found_rows > 1 else f"{position:,}"
    return f"{rows} of {of}" if of else rows


def status_choices(counts: Mapping[str, int] | None, chosen: str | None) -> list[StatusChoice]:
    """The statuses to filter by: the documented ones, those counted in the archive, and the chosen one."""
    names = [*WORDS, *(name for name in counts or {} if name and name not in WORDS)]
    if chosen and chosen not in names:
        names.append(chosen)
    return [
        StatusChoice(name, WORDS.get(name, name), None if counts is None else counts.get(name, 0)) for name in names
    ]


def page_sizes(limit: int) -> list[int]:
    """The page sizes to choose from, the current one included."""
    return sorted({*PAGE_SIZES, limit})


def orders(query: ThreadQuery, *, archive: bool) -> list[tuple[str, str, bool]]:
    """The orders of the menu: name, address, and whether the list is in this order. Those by activity and by match need
    the archive, the latter words to search for."""
    offered: list[tuple[str, Order, Sort]] = [("Newest", "desc", "created"), ("Oldest", "asc", "created")]
    if archive:
        offered.append(("Latest activity", "desc", "latest"))
        if query.q is not None:
            offered.insert(0, ("Best match", "desc", "best"))
    if query.sorted_by == "latest" and query.order == "asc":
        offered.append(("Latest activity last", "asc", "latest"))
    now = (query.order, query.sorted_by)
    return [(name, list_url(query.ordered(order, sort)), now == (order, sort)) for name, order, sort in offered]


def pager(query: ThreadQuery, window: Window[Thread]) -> Pager:
    """The paging links. Pages that start from the newest thread carry its id as `since`, so that the way back
    recognises the first page, and the threads that have arrived before it."""
    newest_first, by_activity = query.order == "desc" and not window.ranked, query.sort == "latest"
    since = query.since
    if newest_first and query.cursor is None:
        since = window.first_id
    first, last = _cursor_at(window.first_id, window.rows), _cursor_at(window.last_id, window.rows[::-1])
    previous = query.beyond(before=first, since=since) if window.has_previous and first else None
    following = query.beyond(after=last, since=since) if window.has_next and last else None
    # A list by activity has places as cursors, not ids.
    newest = (window.first_id if by_activity else window.rows[0].id) if window.rows else None
    at_newest = since is not None and newest == since
    return Pager(
        first_url=list_url(query.first()) if query.cursor else None,
        previous_url=list_url(previous) if previous else None,
        next_url=list_url(following) if following else None,
        newer_arrived=newest_first and at_newest and previous is not None,
        at_start="Best matches" if window.ranked else _STARTS[by_activity, newest_first],
        at_end="End of the list",
    )


def notices(query: ThreadQuery, window: Window[Thread], pages: Pager) -> list[str]:
    """Sentences above the table about the page as a whole."""
    sentences = list(window.notes)
    if query.limit and window.has_next and not pages.next_url:
        sentences.append("There is more than this, but no address leads on from here.")
    if pages.newer_arrived:
        sentences.append(_NEWER[query.sort == "latest"])
    if query.order == "desc" and query.before is not None and query.before == query.since and window.rows:
        sentences.append(_ARRIVED[query.sort == "latest"])
    return sentences


def syncing(lacking: SearchGaps | None) -> list[str]:
    """Sentences on what is still being synced, and so may be missing from a list or from its counts."""
    if lacking is None:
        return []
    sentences = []
    if lacking.kept is not None:
        so_far = f"{lacking.kept:,} thread{'s' if lacking.kept != 1 else ''} so far"
        state = "The archive was never filled to its end" if settings.ARCHIVE_ONLY else "Still syncing threads"
        sentences.append(f"{state}: {so_far}, so there may be more than is shown or counted here.")
    if lacking.unread:
        done, of_all = lacking.threads - lacking.unread, f"{lacking.threads:,} thread{'s' * (lacking.threads != 1)}"
        if settings.ARCHIVE_ONLY:
            state, until = f"Messages were synced for {done:,} of {of_all}.", "A search looks"
        else:
            left = times.time_left(lacking.seconds_left)
            state, until = f"Still syncing messages: {done:,} of {of_all}, {left} left.", "Until then a search looks"
        sentences.append(f"{state} {until} through all titles and reasons, but not yet through all messages.")
    if lacking.unindexed:
        sentences.append(lacking.unindexed)
    return sentences


def summary(query: ThreadQuery, window: Window[Thread], zone: tzinfo) -> str:
    """One sentence on the page's rows, for the caption and for screen readers."""
    if not query.limit:
        return "No rows asked for."
    count = len(window.rows)
    sentence = f"{count} thread{'s' if count != 1 else ''}"
    if query.user:
        user = query.user if query.user.strip() else "a user whose id is blank"
        sentence += f" of {user}" if query.match == "exact" else f" of users with “{query.user}” in their id"
    if query.sort == "latest":
        return sentence + (", latest activity first." if query.order == "desc" else ", latest activity last.")
    if window.ranked:
        return sentence + ", best match first."
    sentence += ", newest first" if query.order == "desc" else ", oldest first"
    created = [thread.created_at for thread in window.rows if thread.created_at]
    if created:
        first, last = times.exact(created[0], zone), times.exact(created[-1], zone)
        sentence += f", created {first}" + (f" to {last}" if last != first else "")
    return sentence + "."


_STARTS = {
    (False, True): "Newest threads",
    (False, False): "Oldest threads",
    (True, True): "Latest activity",
    (True, False): "Oldest activity",
}
_NEWER = {
    False: "Newer threads have arrived since you opened the list.",
    True: "Messages have arrived in other threads since you opened the list.",
}
_ARRIVED = {
    False: "These threads arrived since you opened the list.",
    True: "Messages have arrived in these threads since you opened the list.",
}


def _cursor_at(edge: str | None, rows: Sequence[Thread]) -> str | None:
    """The id at an edge of the page. The API takes none with control characters as a cursor; then it is the nearest row
    whose id has none, and the rows between come again on the next page."""
    if edge is None or is_cursor(edge):
        return edge
    return next((row.id for row in rows if row.id and is_cursor(row.id)), None)
