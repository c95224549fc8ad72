"""The audit log's page: its rows, paging links and summary."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import tzinfo
from itertools import groupby

from django.urls import reverse

from threads import masking
from threads.audit import acts
from threads.audit.descriptions import OUTCOMES, SEARCH_WORDS, describe, details
from threads.audit.models import AuditEvent
from threads.audit.query import AuditPage, AuditQuery
from threads.audit.record import Outcome
from threads.lib import times
from threads.web.links import thread_url

_IDS = {"Customer", "Typed"}
"""Facts that are a user id, or a part of one: a masked account sees them shortened."""

_SPELLED = {"File", SEARCH_WORDS}
"""Facts that may hold a user id in another spelling, such as a file name: a masked account does not see them."""


_SHAPES: dict[str, str] = {Outcome.DONE: "", Outcome.GONE: "", Outcome.REFUSED: "bad", Outcome.FAILED: "bad"}
"""The CSS classes of outcomes."""


@dataclass(frozen=True, slots=True)
class EventRow:
    """An act in the table: one event, or two, its start and its result. `iso` and `time` are of the first; `ended` and
    `ended_iso` of the second, "" where there is none, or in the same second. `result` is "" for what was done. A URL is
    None where there is no link. `facts` are further details as names and values."""

    number: int
    day: str
    time: str
    iso: str
    ended: str
    ended_iso: str
    account: str
    account_url: str | None
    address: str
    address_url: str | None
    what: str
    result: str
    shape: str
    thread_id: str
    thread_url: str | None
    read_url: str | None
    user_id: str
    user_url: str | None
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class AuditPager:
    """The links to other pages. A URL is None where there is nothing in that direction."""

    first_url: str | None
    previous_url: str | None
    next_url: str | None


def audit_url(query: AuditQuery) -> str:
    """The address of a page of the audit log."""
    encoded = query.encoded()
    return f"{reverse('audit')}?{encoded}" if encoded else reverse("audit")


def days(
    found: AuditPage, query: AuditQuery, zone: tzinfo, *, may_read: bool, masked: bool = False
) -> list[tuple[str, list[EventRow]]]:
    """The rows of a page by day, with times in `zone`. Each name links to its events, and a thread to its conversation
    as well if the account `may_read`. `masked` shortens user ids and e-mail addresses."""
    started = acts.starts(found.rows)
    of_an_act = {start.pk for start in started.values()}
    rows = [
        _row(event, started.get(event.pk), query, zone, may_read=may_read)
        for event in found.rows
        if event.pk not in of_an_act
    ]
    if masked:
        rows = [_masked(row) for row in rows]
    return [(day, list(group)) for day, group in groupby(rows, key=lambda row: row.day)]


def _masked(row: EventRow) -> EventRow:
    known = (row.user_id,)
    return replace(
        row,
        what=masking.text(row.what, known),
        user_id=row.user_id and masking.mask_id(row.user_id),
        user_url=None,
        facts=tuple(
            (name, masking.mask_id(value) if name in _IDS else masking.text(value, known))
            for name, value in row.facts
            if name not in _SPELLED
        ),
    )


def pager(query: AuditQuery, found: AuditPage) -> AuditPager:
    """The paging links."""
    events, start = found.rows, query.first()
    return AuditPager(
        first_url=audit_url(start) if query.after or query.before else None,
        previous_url=_page_url(query, before=events[0].pk) if found.has_previous and events else None,
        next_url=_page_url(query, after=events[-1].pk) if found.has_next and events else None,
    )


def summary(query: AuditQuery, found: AuditPage, zone: tzinfo) -> str:
    """One sentence on the page's events, for the caption and for screen readers."""
    count = len(found.rows)
    sentence = f"{count} event{'s' if count != 1 else ''}, {'newest' if query.order == 'desc' else 'oldest'} first"
    if found.rows:
        first, last = (times.exact(found.rows[place].at, zone) for place in (0, -1))
        sentence += f", {first}" + (f" to {last}" if last != first else "")
    return sentence + "."


def _page_url(query: AuditQuery, *, after: int | None = None, before: int | None = None) -> str:
    encoded = query.first().encoded()
    place = f"after={after}" if after is not None else f"before={before}"
    return f"{reverse('audit')}?{encoded}&{place}" if encoded else f"{reverse('audit')}?{place}"


def _row(event: AuditEvent, start: AuditEvent | None, query: AuditQuery, zone: tzinfo, *, may_read: bool) -> EventRow:
    def events_of(name: str) -> str | None:
        value = getattr(event, name)
        if not value.strip() or value == getattr(query, name):
            return None
        return audit_url(AuditQuery(**{name: value}, order=query.order, limit=query.limit))

    first = start or event
    day, time = times.day(first.at, zone), _clock(first, zone)
    ended = _clock(event, zone) if times.day(event.at, zone) == day else times.exact_to_seconds(event.at, zone)
    ended = "" if ended == time else ended
    facts = dict.fromkeys([*(details(start) if start else ()), *details(event)])
    return EventRow(
        number=event.pk,
        day=day,
        time=time,
        iso=first.at.isoformat(),
        ended=ended,
        ended_iso=event.at.isoformat() if ended else "",
        account=event.account,
        account_url=events_of("account"),
        address=event.address,
        address_url=events_of("address"),
        what=describe(event),
        result=OUTCOMES.get(event.outcome, event.outcome) if event.outcome != Outcome.DONE else "",
        shape=_SHAPES.get(event.outcome, "unsure"),
        thread_id=event.thread_id,
        thread_url=events_of("thread_id"),
        read_url=thread_url(event.thread_id) if may_read and event.thread_id else None,
        user_id=event.user_id,
        user_url=events_of("user_id"),
        facts=tuple(facts),
    )


def _clock(event: AuditEvent, zone: tzinfo) -> str:
    """The time of day to the second."""
    return times.exact_to_seconds(event.at, zone).rpartition(", ")[2]
