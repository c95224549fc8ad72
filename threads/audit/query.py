"""Finding in the trail. Its order is that of time; rows of the same moment stand in the order they were written in.

Each filter has an index that ends in that order, so that a page is a few steps in an index however long the trail is,
and one that is deep costs what the first does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, tzinfo
from typing import Literal

from django.db.models import Q, QuerySet

from threads.lib.querystring import encoded
from threads.lib.times import bounds

from .models import SPARSE, AuditEvent
from .record import LONGEST_ID, storable

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
_CHUNK = 1000
"""Rows that a download has in memory at once."""

_BY = ("who", "action", "outcome", "thread", "customer", "address", "request_id")


class NoSuchPlaceError(Exception):
    """An address that names a row which is not in the trail, or no more: see `archiving`."""


@dataclass(frozen=True, slots=True)
class TrailQuery:
    """A place in the trail. Text is exact, None for all. `begin` and `end` are the first and the last day, in the
    reader's zone. At most one of `after` and `before` is set: the number of the row just before the page, or just after
    it, in `order`."""

    who: str | None = None
    action: str | None = None
    outcome: str | None = None
    thread: str | None = None
    customer: str | None = None
    address: str | None = None
    request_id: str | None = None
    begin: date | None = None
    end: date | None = None
    order: Literal["asc", "desc"] = "desc"
    limit: int = DEFAULT_LIMIT
    after: int | None = None
    before: int | None = None

    @property
    def filters(self) -> int:
        """How many things it asks for."""
        return sum(getattr(self, name) is not None for name in (*_BY, "begin", "end"))

    def first(self) -> TrailQuery:
        """The same from its start."""
        return replace(self, after=None, before=None)

    def unfiltered(self) -> TrailQuery:
        """Everything, in the same order, from its start."""
        return TrailQuery(order=self.order, limit=self.limit)

    def encoded(self) -> str:
        """The query part of an address: what differs from the default, in a fixed order, percent-encoded."""
        values = {name: getattr(self, name) for name in _BY} | {
            "from": self.begin,
            "to": self.end,
            "order": self.order if self.order != "desc" else None,
            "limit": self.limit if self.limit != DEFAULT_LIMIT else None,
            "after": self.after,
            "before": self.before,
        }
        return encoded(values)


@dataclass(frozen=True, slots=True)
class Found:
    """A page of the trail, in the order that was asked for, and whether there is more on either side."""

    rows: tuple[AuditEvent, ...]
    has_previous: bool
    has_next: bool


def page(query: TrailQuery, zone: tzinfo = UTC) -> Found:
    """One page. Days begin in `zone`. Raises `NoSuchPlaceError`."""
    there = _filtered(query, zone)
    backwards = query.before is not None
    newest_first = (query.order == "desc") != backwards
    place = query.before if backwards else query.after
    beyond = there if place is None else there.filter(_beyond(_at(place), newest_first))
    rows = list(_ordered(beyond, newest_first)[: query.limit + 1])
    more, rows = len(rows) > query.limit, rows[: query.limit]
    behind = False
    if place is not None:
        back = _beyond(rows[0], not newest_first) if rows else _upto(_at(place), not newest_first)
        # In order, though one is enough: PostgreSQL would go through the table for any one.
        behind = bool(_ordered(there.filter(back), not newest_first).values_list("pk")[:1])
    if backwards:
        return Found(tuple(reversed(rows)), has_previous=more, has_next=behind)
    return Found(tuple(rows), has_previous=behind, has_next=more)


def every(query: TrailQuery, zone: tzinfo = UTC) -> Iterator[AuditEvent]:
    """All that a query finds from its start, as it stands now: what is written meanwhile is not waited for. Memory
    holds a thousand rows of it, and no transaction is open between them."""
    newest = AuditEvent.objects.order_by("-id").values_list("id", flat=True).first() or 0
    there = _filtered(query, zone).filter(id__lte=newest)
    newest_first, last = query.order == "desc", None
    while True:
        beyond = there if last is None else there.filter(_beyond(last, newest_first))
        rows = list(_ordered(beyond, newest_first)[:_CHUNK])
        yield from rows
        if len(rows) < _CHUNK:
            return
        last = rows[-1]


def _filtered(query: TrailQuery, zone: tzinfo) -> QuerySet[AuditEvent]:
    there = AuditEvent.objects.all()
    for name in _BY:
        value = storable(getattr(query, name), LONGEST_ID)
        if value is not None:
            there = there.filter(**{name: value})
            # What the index leaves out has to be said, for SQLite to see that it may take it.
            there = there.exclude(**{name: ""}) if name in SPARSE else there
    since, until = bounds(query.begin, query.end, zone)
    if since is not None:
        there = there.filter(at__gte=since)
    return there if until is None else there.filter(at__lt=until)


def _ordered(rows: QuerySet[AuditEvent], newest_first: bool) -> QuerySet[AuditEvent]:
    return rows.order_by("-at", "-id") if newest_first else rows.order_by("at", "id")


def _at(place: int) -> AuditEvent:
    found = AuditEvent.objects.filter(pk=place).only("id", "at").first()
    if found is None:
        raise NoSuchPlaceError
    return found


def _beyond(row: AuditEvent, newest_first: bool) -> Q:
    """What follows on a row. The first condition says nothing new: it is what an index can begin at."""
    if newest_first:
        return Q(at__lte=row.at) & (Q(at__lt=row.at) | Q(id__lt=row.pk))
    return Q(at__gte=row.at) & (Q(at__gt=row.at) | Q(id__gt=row.pk))


def _upto(row: AuditEvent, newest_first: bool) -> Q:
    """The row itself and what follows on it."""
    return _beyond(row, newest_first) | Q(id=row.pk)
