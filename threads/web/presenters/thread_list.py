"""The list of threads beside its rows: paging links, status filter, notices, summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from threads.chatkit import MAX_LIMIT, Thread, is_cursor
from threads.lib import times
from threads.sources.query import ThreadQuery
from threads.sources.window import Window
from threads.web.links import list_url

from .statuses import WORDS

PAGE_SIZES = (20, 50, MAX_LIMIT)
"""The page sizes that the form offers; an address may name any."""


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


def pager(query: ThreadQuery, window: Window[Thread]) -> Pager:
    """The paging links. Pages that start from the newest thread carry its id as `since`, so that the way back
    recognises the first page, and the threads that have arrived before it."""
    newest_first = query.order == "desc" and not window.ranked
    since = query.since
    if newest_first and query.cursor is None:
        since = window.first_id
    first, last = _cursor_at(window.first_id, window.rows), _cursor_at(window.last_id, window.rows[::-1])
    previous = query.beyond(before=first, since=since) if window.has_previous and first else None
    following = query.beyond(after=last, since=since) if window.has_next and last else None
    at_newest = bool(window.rows) and since is not None and window.rows[0].id == since
    return Pager(
        first_url=list_url(query.first()) if query.cursor else None,
        previous_url=list_url(previous) if previous else None,
        next_url=list_url(following) if following else None,
        newer_arrived=newest_first and at_newest and previous is not None,
        at_start="Best matches" if window.ranked else "Newest threads" if newest_first else "Oldest threads",
        at_end="End of the list",
    )


def notices(query: ThreadQuery, window: Window[Thread], pages: Pager) -> list[str]:
    """Sentences above the table about the page as a whole."""
    sentences = list(window.notes)
    if query.limit and window.has_next and not pages.next_url:
        sentences.append("There is more than this, but no address leads on from here.")
    if pages.newer_arrived:
        sentences.append("Newer threads have arrived since you opened the list.")
    if query.order == "desc" and query.before is not None and query.before == query.since and window.rows:
        sentences.append("These threads arrived since you opened the list.")
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
    if window.ranked:
        return sentence + ", best match first."
    sentence += ", newest first" if query.order == "desc" else ", oldest first"
    created = [thread.created_at for thread in window.rows if thread.created_at]
    if created:
        first, last = times.exact(created[0], zone), times.exact(created[-1], zone)
        sentence += f", created {first}" + (f" to {last}" if last != first else "")
    return sentence + "."


def _cursor_at(edge: str | None, rows: Sequence[Thread]) -> str | None:
    """The id at an edge of the page. The API takes none with control characters as a cursor; then it is the nearest row
    whose id has none, and the rows between come again on the next page."""
    if edge is None or is_cursor(edge):
        return edge
    return next((row.id for row in rows if row.id and is_cursor(row.id)), None)
