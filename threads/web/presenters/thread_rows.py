"""Threads as rows of a table, with what the archive adds to them, masked where the account requires it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

from django.conf import settings
from markupsafe import Markup

from threads import masking
from threads.archive.search.snippets import LEADING_ELLIPSIS, TRAILING_ELLIPSIS, ItemMatch, Sought, marks
from threads.archive.store.tokens import PREVIEW
from threads.archive.thread_info import ThreadInfo
from threads.chatkit import Status, Thread
from threads.lib import times
from threads.rendering.escape import LONGEST, visible
from threads.sources.query import ThreadQuery
from threads.sources.window import Window
from threads.web.links import item_url, list_parameter, thread_url, user_url

from .statuses import WORDS, status_class, status_word

AUTHORS = {"customer": "Customer", "assistant": "Assistant"}
"""Authors of messages, by `ThreadInfo.last_by`."""

_REASONS = ((14, ""), (24, "few"), (40, "some"))
"""Widths of reasons, in small letters, that are shown in one line: in every window, on a phone, and on a large screen.
With each the CSS class of the control that unfolds it where there is less room; "" for none."""

_LEAD = 20
"""Characters before the first match in a snippet: a row shows one line of it."""


_SAID = 140
"""Most characters of the last message in a row."""


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """A thread in the table. `shape` is the CSS class of its status; `reason` is None where none is expected, "" where
    an expected one is missing."""

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
    archive: ArchiveColumns | None = None

    @property
    def fold(self) -> str:
        """The CSS class of the control that unfolds the reason; "" for none."""
        text = (self.status if self.shape == "unknown" else "") + (self.reason or "")
        if "\n" in text:
            return "many"
        width = sum(1 if letter.isascii() and not letter.isupper() else 2 for letter in text[:41])
        return next((name for most, name in _REASONS if width <= most), "many")


@dataclass(frozen=True, slots=True)
class ArchiveColumns:
    """What the archive adds to a row. `opening` is the beginning of the first message, None where the row says as much
    without it. `active` is the time of the last message. `overdue` says when a row was last checked that the sync
    should have checked since, None for others. `title` and `reason` are the row's own with matches marked, None without
    a match. `snippet` is the sentence of a match in the conversation, `snippet_url` the item it is in. `last` is the
    beginning of the last message, `last_by` who wrote it; both are None without a preview, beside a snippet, and where
    the title says the same."""

    opening: str | None
    messages: str | None
    active: str | None
    active_exact: str | None
    active_iso: str | None
    checked: str | None
    overdue: str | None
    deleted: str | None
    title: Markup | None
    reason: Markup | None
    snippet: Markup | None
    snippet_url: str | None
    last: str | None
    last_by: str | None


def rows(
    window: Window[Thread],
    query: ThreadQuery,
    now: datetime,
    zone: tzinfo,
    about: Mapping[str, ThreadInfo] | None = None,
    *,
    archived: bool = False,
    masked: bool = False,
) -> list[ThreadRow]:
    """The rows of a page of threads, with times relative to `now` and in `zone`. `about` is what the archive knows, by
    thread id; `archived` says that the threads themselves come from the archive; `masked` shortens user ids and e-mail
    addresses."""
    encoded_filter, in_list = query.of(None).encoded(), list_parameter(query)
    listed_user = query.user if query.match == "exact" else None
    found = [row(thread, listed_user, encoded_filter, in_list, now, zone) for thread in window.rows]
    if masked:
        about = {
            each.id: _masked_about(about[each.id], each.user)
            for each in found
            if about and each.id and each.id in about
        }
        found = [mask(each) for each in found]
    if not about:
        return found
    return [
        replace(each, archive=archive_columns(each, stored, query.encoded(), now, zone, archived=archived))
        if (stored := about.get(each.id or ""))
        else each
        for each in found
    ]


def row(
    thread: Thread, listed_user: str | None, encoded_filter: str, in_list: str, now: datetime, zone: tzinfo
) -> ThreadRow:
    """One thread. `listed_user` is the user whose list it is in, and gets no link; `encoded_filter` goes into the links
    to other users' lists, `in_list` into the link to the conversation."""
    created, user = thread.created_at, thread.user
    return ThreadRow(
        id=thread.id,
        url=thread_url(thread.id, in_list) if thread.id else None,
        title=thread.title if thread.title is None else thread.title.strip(),
        shape=status_class(thread.status.label if thread.status else None),
        status=status_word(thread.status),
        reason=_reason(thread.status),
        user=user,
        user_url=user_url(user, encoded_filter) if user and user != listed_user else None,
        created=times.exact(created, zone) if created else None,
        created_iso=created.isoformat() if created else None,
        ago=times.relative(created, now) if created else None,
        problems=thread.problems,
    )


def archive_columns(
    row: ThreadRow, about: ThreadInfo, encoded_list: str, now: datetime, zone: tzinfo, *, archived: bool
) -> ArchiveColumns:
    """What the archive adds to a row. `encoded_list` is the encoded query of the list that the row is in."""
    count, hit, active = about.messages, about.hit, about.last_activity_at
    checked = about.checked_at if archived and about.deleted_upstream_at is None else None
    address = thread_url(row.id) if row.id is not None else None
    last = _said(about.last) if about.last != row.title and hit is None else None
    return ArchiveColumns(
        opening=_opening(about.opening) if about.opening != row.title and not (row.title and hit) else None,
        messages=None if count is None else f"{count:,}",
        active=times.short(active, now) if active else None,
        active_exact=times.exact(active, zone) if active else None,
        active_iso=active.isoformat() if active else None,
        checked=times.relative(checked, now) if checked else None,
        overdue=times.relative(checked, now) if checked and now - checked > _overdue_after() else None,
        deleted=times.exact(about.deleted_upstream_at, zone) if about.deleted_upstream_at else None,
        title=_marked(row.title, about.sought),
        reason=_marked(row.reason, about.sought),
        snippet=_with_marks(*_from_match(hit.text, hit.marks)) if hit is not None else None,
        snippet_url=item_url(hit.item_id, address, encoded_list)
        if hit and hit.item_id is not None and address
        else None,
        last=last,
        last_by=AUTHORS.get(about.last_by or "") if last else None,
    )


def mask(row: ThreadRow) -> ThreadRow:
    """The row for a masked account. Its user has no link: the address would hold the id."""
    known = (row.user,) if row.user else ()
    return replace(
        row,
        title=row.title and masking.line(row.title, known),
        status=masking.line(row.status, known),
        reason=row.reason and masking.line(row.reason, known),
        user=row.user and masking.mask_id(row.user),
        user_url=None,
        problems=masking.deep(row.problems, known, masking.MaskingBudget(0)),
    )


def masked_hit(hit: ItemMatch, sought: Sought, known: Sequence[str]) -> ItemMatch:
    """A search match for a masked account. `known` are the user ids to shorten."""
    lead, tail = LEADING_ELLIPSIS if hit.before else "", TRAILING_ELLIPSIS if hit.after else ""
    sentence = hit.text.removeprefix(lead).removesuffix(tail)
    sentence = lead + masking.part(sentence, known, hit.before, hit.after) + tail
    return replace(hit, text=sentence, marks=marks(sentence, sought))


def masked_opening(opening: str | None, known: Sequence[str]) -> str | None:
    """The beginning of a first or last message for a masked account. One of full length may end in half an id, which
    is left out."""
    if opening is None or len(opening) < PREVIEW:
        return opening and masking.part(opening, known)
    return masking.beginning(opening, known) + "…"


def _overdue_after() -> timedelta:
    """Twice the promise, which is `ARCHIVE_RECHECK_HOURS` and the time of one pass over the list."""
    return timedelta(hours=2 * settings.ARCHIVE_RECHECK_HOURS)


def _masked_about(about: ThreadInfo, user: str | None) -> ThreadInfo:
    known = (user,) if user else ()
    hit = masked_hit(about.hit, about.sought, known) if about.hit is not None else None
    opening, last = masked_opening(about.opening, known), masked_opening(about.last, known)
    return replace(about, opening=opening, last=last, hit=hit)


def _said(text: str | None) -> str | None:
    """What a row shows of a message: it has no room for more."""
    return text if text is None or len(text) <= _SAID else f"{text[:_SAID].rstrip()}…"


def _opening(opening: str | None) -> str | None:
    """The stored beginning of a message, with an ellipsis where the message continues."""
    return f"{opening}…" if opening and len(opening) == PREVIEW else opening


def _marked(text: str | None, sought: Sought) -> Markup | None:
    if not text or not sought.units or len(text) > LONGEST:
        return None
    found = marks(text, sought)
    return _with_marks(text, found) if found else None


def _from_match(text: str, found: Sequence[tuple[int, int]]) -> tuple[str, Sequence[tuple[int, int]]]:
    """The text from a word shortly before its first match on, and the matches in it."""
    if not found or found[0][0] <= _LEAD + len(LEADING_ELLIPSIS):
        return text, found
    first = found[0][0]
    start = text.find(" ", first - _LEAD, first) + 1 or first - _LEAD
    by = start - len(LEADING_ELLIPSIS)
    return LEADING_ELLIPSIS + text[start:], [(begin - by, end - by) for begin, end in found]


def _with_marks(text: str, found: Sequence[tuple[int, int]]) -> Markup:
    html, end = Markup(""), 0
    for begin, until in found:
        html += visible(text[end:begin]) + Markup("<mark>{}</mark>").format(visible(text[begin:until]))
        end = until
    return html + visible(text[end:])


def _reason(status: Status | None) -> str | None:
    if status is None or (status.label == "active" and not status.reason):
        return None
    if status.label not in WORDS:
        return status.reason
    return status.reason or ""
