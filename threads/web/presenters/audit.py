"""The trail for its page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import tzinfo

from django.urls import reverse

from threads import masking
from threads.audit.descriptions import OUTCOMES, WORDS, facts, what
from threads.audit.models import AuditEvent
from threads.audit.query import Found, TrailQuery
from threads.audit.record import Outcome
from threads.lib import times
from threads.web.links import thread_url

from .thread_list import Pager

_IDS = {"User", "Typed"}
"""Facts that are a user id, or a part of one."""

_SPELLED = {"File", WORDS}
"""Facts that may be made of a user id, spelled otherwise."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the trail. An address is None where there is nothing to lead to. `facts` are names and values of what
    else there is to say."""

    number: int
    at: str
    iso: str
    who: str
    who_url: str | None
    address: str
    address_url: str | None
    what: str
    outcome: str
    shape: str
    thread: str
    thread_url: str | None
    read_url: str | None
    customer: str
    customer_url: str | None
    facts: tuple[tuple[str, str], ...]


def address(query: TrailQuery) -> str:
    """The dashboard's own address of a place in the trail."""
    encoded = query.encoded()
    return f"{reverse('audit')}?{encoded}" if encoded else reverse("audit")


def lines(found: Found, query: TrailQuery, zone: tzinfo, *, may_read: bool, masked: bool = False) -> list[Line]:
    """The rows of a page, in the reader's zone. Each name in them leads to what the trail has of it, and a thread, for
    those who `may_read`, to its conversation. `masked` for a reader who may not see user ids whole."""
    made = [_line(event, query, zone, may_read=may_read) for event in found.rows]
    return [_masked(each) for each in made] if masked else made


def _masked(line: Line) -> Line:
    known = (line.customer,)
    return replace(
        line,
        what=masking.text(line.what, known),
        customer=line.customer and masking.short(line.customer),
        customer_url=None,
        facts=tuple(
            (name, masking.short(value) if name in _IDS else masking.text(value, known))
            for name, value in line.facts
            if name not in _SPELLED
        ),
    )


def pager(query: TrailQuery, found: Found) -> Pager:
    """The links of a page."""
    rows, start = found.rows, query.first()
    newest_first = query.order == "desc"
    return Pager(
        first_url=address(start) if query.after or query.before else None,
        previous_url=_beside(query, before=rows[0].pk) if found.has_previous and rows else None,
        next_url=_beside(query, after=rows[-1].pk) if found.has_next and rows else None,
        newer_arrived=False,
        at_start="Newest events" if newest_first else "Oldest events",
        at_end="End of the trail",
    )


def summary(query: TrailQuery, found: Found, zone: tzinfo) -> str:
    """One sentence on what the page holds, for the caption and for a screen reader."""
    count = len(found.rows)
    said = f"{count} event{'s' if count != 1 else ''}, {'newest' if query.order == 'desc' else 'oldest'} first"
    if found.rows:
        first, last = (times.exact(found.rows[place].at, zone) for place in (0, -1))
        said += f", {first}" + (f" to {last}" if last != first else "")
    return said + "."


def _beside(query: TrailQuery, *, after: int | None = None, before: int | None = None) -> str:
    encoded = query.first().encoded()
    place = f"after={after}" if after is not None else f"before={before}"
    return f"{reverse('audit')}?{encoded}&{place}" if encoded else f"{reverse('audit')}?{place}"


def _line(event: AuditEvent, query: TrailQuery, zone: tzinfo, *, may_read: bool) -> Line:
    def of(name: str) -> str | None:
        value = getattr(event, name)
        if not value.strip() or value == getattr(query, name):
            return None
        return address(TrailQuery(**{name: value}, order=query.order, limit=query.limit))

    return Line(
        number=event.pk,
        at=times.exact_to_seconds(event.at, zone),
        iso=event.at.isoformat(),
        who=event.who,
        who_url=of("who"),
        address=event.address,
        address_url=of("address"),
        what=what(event),
        outcome=OUTCOMES.get(event.outcome, event.outcome),
        shape=_SHAPES.get(event.outcome, "unsure"),
        thread=event.thread,
        thread_url=of("thread"),
        read_url=thread_url(event.thread) if may_read and event.thread else None,
        customer=event.customer,
        customer_url=of("customer"),
        facts=tuple(facts(event)),
    )


_SHAPES: dict[str, str] = {Outcome.DONE: "done", Outcome.GONE: "done", Outcome.REFUSED: "bad", Outcome.FAILED: "bad"}
