"""Everything a template needs, so that it has nothing to work out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from markupsafe import Markup

from threads import masking
from threads.archive.search.snippets import LEAD, TAIL, Hit, marks
from threads.archive.thread_info import About
from threads.chatkit import MAX_LIMIT, Status, Thread, is_cursor
from threads.lib import times as when
from threads.rendering.escape import LONGEST, visible
from threads.sources.query import ThreadQuery
from threads.sources.window import Window
from threads.web.links import address, at, from_list, thread_url, user_url

LIMITS = (20, 50, MAX_LIMIT)
"""The page sizes that the form offers; an address may name any."""

OPENING = 200
"""Characters of a first message that the archive keeps for a row."""

_KNOWN = {"active": "Active", "locked": "Locked", "closed": "Closed"}


@dataclass(frozen=True, slots=True)
class Row:
    """A thread in the table. `shape` names the class of its status, which has the icon; `reason` is None where none is
    due, "" where it is missing."""

    id: str | None
    url: str | None
    title: str | None
    shape: str
    status: str
    reason: str | None
    user: str | None
    user_url: str | None
    created: str | None
    created_iso: str | None
    ago: str | None
    problems: tuple[str, ...]
    known: Known | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What the archive adds to a row. `opening` is the beginning of the first message, None where the row tells as much
    without it; `title` and `reason` are the row's own with the matches marked, None where none is in them; `hit` is the
    sentence of the match in the conversation, `hit_url` the item it is in."""

    opening: str | None
    messages: str | None
    active: str | None
    confirmed: str | None
    gone: str | None
    title: Markup | None
    reason: Markup | None
    hit: Markup | None
    hit_url: str | None


@dataclass(frozen=True, slots=True)
class Choice:
    """A status to filter by; `count` is None where it was not counted."""

    value: str
    name: str
    count: int | None


@dataclass(frozen=True, slots=True)
class Pager:
    """Where one can go from a page. An address is None where there is nothing in that direction."""

    first_url: str | None
    previous_url: str | None
    next_url: str | None
    newer_arrived: bool
    at_start: str
    at_end: str


def rows(
    window: Window[Thread],
    query: ThreadQuery,
    now: datetime,
    zone: tzinfo,
    about: Mapping[str, About] | None = None,
    *,
    archived: bool = False,
    masked: bool = False,
) -> list[Row]:
    """The threads of a window, as they are at `now` in the reader's `zone`, with what the archive knows of them;
    `archived` where it is the archive that they come from, `masked` for a reader who may not see who they are of."""
    same_filter, here = query.of(None).encoded(), from_list(query)
    filtered = query.user if query.match == "exact" else None
    made = [row(thread, filtered, same_filter, here, now, zone) for thread in window.rows]
    if masked:
        about = {
            each.id: _masked_about(about[each.id], each.user) for each in made if about and each.id and each.id in about
        }
        made = [mask(each) for each in made]
    if not about:
        return made
    return [
        replace(each, known=known(each, there, query.encoded(), now, zone, archived=archived))
        if (there := about.get(each.id or ""))
        else each
        for each in made
    ]


def known(row: Row, about: About, here: str, now: datetime, zone: tzinfo, *, archived: bool) -> Known:
    """What the archive adds to a row. `here` is the encoded query of the list that it stands in."""
    count, hit = about.messages, about.hit
    address = thread_url(row.id) if row.id is not None else None
    _, url = at(hit.item_id, address, here) if hit and hit.item_id is not None and address else (None, None)
    return Known(
        opening=_beginning(about.opening) if about.opening != row.title and not (row.title and hit) else None,
        messages=None if count is None else f"{count:,} message{'s' if count != 1 else ''}",
        active=when.relative(about.last_activity_at, now) if about.last_activity_at else None,
        confirmed=when.relative(about.confirmed_at, now) if archived and about.gone_at is None else None,
        gone=when.exact(about.gone_at, zone) if about.gone_at else None,
        title=_marked(row.title, about.units),
        reason=_marked(row.reason, about.units),
        hit=_sentence(hit) if hit is not None else None,
        hit_url=url,
    )


def _beginning(opening: str | None) -> str | None:
    """What is kept of a first message, with a sign where more follows."""
    return f"{opening}…" if opening and len(opening) == OPENING else opening


def choices(counts: Mapping[str, int] | None, chosen: str | None) -> list[Choice]:
    """The statuses that can be filtered by: those that are known, those that were seen, and the one that is chosen."""
    names = [*_KNOWN, *(each for each in counts or {} if each and each not in _KNOWN)]
    if chosen and chosen not in names:
        names.append(chosen)
    return [Choice(each, _KNOWN.get(each, each), None if counts is None else counts.get(each, 0)) for each in names]


def _marked(text: str | None, units: Sequence[str]) -> Markup | None:
    if not text or not units or len(text) > LONGEST:
        return None
    found = marks(text, units)
    return _with_marks(text, found) if found else None


def _sentence(hit: Hit) -> Markup:
    return _with_marks(hit.text, hit.marks)


def _with_marks(text: str, found: Sequence[tuple[int, int]]) -> Markup:
    made, end = Markup(""), 0
    for begin, until in found:
        made += visible(text[end:begin]) + Markup("<mark>{}</mark>").format(visible(text[begin:until]))
        end = until
    return made + visible(text[end:])


def row(thread: Thread, filtered: str | None, same_filter: str, here: str, now: datetime, zone: tzinfo) -> Row:
    """One thread. `filtered` is the user whose list it stands in; `same_filter` and `here` belong into the addresses of
    other lists, and of the conversation."""
    created, user = thread.created_at, thread.user
    return Row(
        id=thread.id,
        url=thread_url(thread.id, here) if thread.id else None,
        title=thread.title if thread.title is None else thread.title.strip(),
        shape=_shape(thread.status),
        status=_label(thread.status),
        reason=_reason(thread.status),
        user=user,
        user_url=user_url(user, same_filter) if user and user != filtered else None,
        created=when.exact(created, zone) if created else None,
        created_iso=created.isoformat() if created else None,
        ago=when.relative(created, now) if created else None,
        problems=thread.problems,
    )


def mask(row: Row) -> Row:
    """A row for a reader who may not see who its thread is of. Its user leads nowhere: the address would say it."""
    known = (row.user,) if row.user else ()
    return replace(
        row,
        title=row.title and masking.line(row.title, known),
        status=masking.line(row.status, known),
        reason=row.reason and masking.line(row.reason, known),
        user=row.user and masking.short(row.user),
        user_url=None,
        problems=masking.deep(row.problems, known, masking.Budget(0)),
    )


def _masked_about(about: About, user: str | None) -> About:
    known = (user,) if user else ()
    hit = masked_hit(about.hit, about.units, known) if about.hit is not None else None
    return replace(about, opening=masked_opening(about.opening, known), hit=hit)


def masked_hit(hit: Hit, units: Sequence[str], known: Sequence[str]) -> Hit:
    """A match for a reader who may not see who its thread is of."""
    lead, tail = LEAD if hit.before else "", TAIL if hit.after else ""
    said = hit.text.removeprefix(lead).removesuffix(tail)
    said = lead + masking.part(said, known, hit.before, hit.after) + tail
    return replace(hit, text=said, marks=marks(said, units))


def masked_opening(opening: str | None, known: Sequence[str]) -> str | None:
    """The beginning of a first message for a reader who may not see who its thread is of. Where more follows, an id may
    have been cut in two, and is left out."""
    if opening is None or len(opening) < OPENING:
        return opening and masking.part(opening, known)
    return masking.beginning(opening, known) + "…"


def pager(query: ThreadQuery, window: Window[Thread]) -> Pager:
    """The links of a page. Whoever starts at the newest thread takes its id along, as `since`: so the way back knows
    that page again, and what has come before it since."""
    newest_first = query.order == "desc"
    since = query.since
    if newest_first and query.cursor is None:
        since = window.first_id
    first, last = _place_at(window.first_id, window.rows), _place_at(window.last_id, window.rows[::-1])
    previous = query.beyond(before=first, since=since) if window.has_previous and first else None
    following = query.beyond(after=last, since=since) if window.has_next and last else None
    at_newest = bool(window.rows) and since is not None and window.rows[0].id == since
    return Pager(
        first_url=address(query.first()) if query.cursor else None,
        previous_url=address(previous) if previous else None,
        next_url=address(following) if following else None,
        newer_arrived=newest_first and at_newest and previous is not None,
        at_start="Newest threads" if newest_first else "Oldest threads",
        at_end="End of the list",
    )


def _place_at(edge: str | None, rows: Sequence[Thread]) -> str | None:
    """The end of a page as an address can name it: where its id has control characters, the nearest row whose id has
    none. What lies between comes again on the next page."""
    if edge is None or is_cursor(edge):
        return edge
    return next((row.id for row in rows if row.id and is_cursor(row.id)), None)


def notices(query: ThreadQuery, window: Window[Thread], pages: Pager) -> list[str]:
    """Sentences above the table about the page as a whole."""
    said = list(window.notes)
    if query.limit and window.has_next and not pages.next_url:
        said.append("There is more than this, but no address leads on from here.")
    if pages.newer_arrived:
        said.append("Newer threads have arrived since you opened the list.")
    if query.order == "desc" and query.before is not None and query.before == query.since and window.rows:
        said.append("These threads arrived since you opened the list.")
    return said


def summary(query: ThreadQuery, window: Window[Thread], zone: tzinfo) -> str:
    """One sentence on what the page holds, for the caption and for a screen reader."""
    if not query.limit:
        return "No rows asked for."
    count = len(window.rows)
    said = f"{count} thread{'s' if count != 1 else ''}"
    if query.user:
        whose = query.user if query.user.strip() else "a user whose id is blank"
        said += f" of {whose}" if query.match == "exact" else f" of users with “{query.user}” in their id"
    said += ", newest first" if query.order == "desc" else ", oldest first"
    times = [thread.created_at for thread in window.rows if thread.created_at]
    if times:
        first, last = when.exact(times[0], zone), when.exact(times[-1], zone)
        said += f", created {first}" + (f" to {last}" if last != first else "")
    return said + "."


def limit_choices(limit: int) -> list[int]:
    return sorted({*LIMITS, limit})


def _shape(status: Status | None) -> str:
    return status.label if status and status.label in _KNOWN else "unknown"


def _label(status: Status | None) -> str:
    return _KNOWN.get(status.label, status.label) if status else "Not given"


def _reason(status: Status | None) -> str | None:
    if status is None or (status.label == "active" and not status.reason):
        return None
    if status.label not in _KNOWN:
        return status.reason
    return status.reason or ""
