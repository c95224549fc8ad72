"""Queries on the audit log, in the order of time and, for the same moment, of writing.

Keyset pagination: each filter has an index that ends in that order, so a page costs a few steps in an index, however
long the log is and however deep the page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, tzinfo
from typing import Literal

from django.db.models import Q, QuerySet

from threads.lib.querystring import encode_query
from threads.lib.times import day_bounds

from .models import SPARSE, AuditEvent
from .record import MAX_ID, storable

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
_CHUNK = 1000
"""Rows that a download holds in memory."""

PARAMETERS = {
    "account": "account", "action": "action", "outcome": "outcome", "thread_id": "thread", "user_id": "customer",
    "address": "address", "request_id": "request_id",
}  # fmt: skip
"""The filters, and their names in the query string."""


class NoSuchEventError(Exception):
    """The row in `after` or `before` does not exist, or was archived: see `archiving`."""


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Filters and a page of the audit log. Texts match exactly, None matches all. `begin` and `end` are the first and
    the last day, in the reader's time zone. At most one of `after` and `before` is set: the id of the row just before
    the page, or just after it, in `order`."""

    account: str | None = None
    action: str | None = None
    outcome: str | None = None
    thread_id: str | None = None
    user_id: str | None = None
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
        """The number of active filters."""
        return sum(getattr(self, name) is not None for name in (*PARAMETERS, "begin", "end"))

    def first(self) -> AuditQuery:
        """The same query, from its first page."""
        return replace(self, after=None, before=None)

    def unfiltered(self) -> AuditQuery:
        """The query without filters, in the same order, from its first page."""
        return AuditQuery(order=self.order, limit=self.limit)

    def encoded(self) -> str:
        """The query string: values that differ from the default, in a fixed order, percent-encoded."""
        values = {parameter: getattr(self, name) for name, parameter in PARAMETERS.items()} | {
            "from": self.begin,
            "to": self.end,
            "order": self.order if self.order != "desc" else None,
            "limit": self.limit if self.limit != DEFAULT_LIMIT else None,
            "after": self.after,
            "before": self.before,
        }
        return encode_query(values)


@dataclass(frozen=True, slots=True)
class AuditPage:
    """A page of events in the order of the query, and whether there are more on either side."""

    rows: tuple[AuditEvent, ...]
    has_previous: bool
    has_next: bool


def page(query: AuditQuery, zone: tzinfo = UTC) -> AuditPage:
    """The page of a query, with days in `zone`. Raises `NoSuchEventError`."""
    events = _filtered(query, zone)
    backwards = query.before is not None
    newest_first = (query.order == "desc") != backwards
    place = query.before if backwards else query.after
    beyond = events if place is None else events.filter(_beyond(_at(place), newest_first))
    rows = list(_ordered(beyond, newest_first)[: query.limit + 1])
    more, rows = len(rows) > query.limit, rows[: query.limit]
    behind = False
    if place is not None:
        back = _beyond(rows[0], not newest_first) if rows else _upto(_at(place), not newest_first)
        # Ordered, though one row is enough: else PostgreSQL scans the table.
        behind = bool(_ordered(events.filter(back), not newest_first).values_list("pk")[:1])
    if backwards:
        return AuditPage(tuple(reversed(rows)), has_previous=more, has_next=behind)
    return AuditPage(tuple(rows), has_previous=behind, has_next=more)


def all_events(query: AuditQuery, zone: tzinfo = UTC) -> Iterator[AuditEvent]:
    """All events of a query that exist now, from its first page. Holds a thousand rows in memory, and no transaction
    open between them."""
    newest = AuditEvent.objects.order_by("-id").values_list("id", flat=True).first() or 0
    events = _filtered(query, zone).filter(id__lte=newest)
    newest_first, last = query.order == "desc", None
    while True:
        beyond = events if last is None else events.filter(_beyond(last, newest_first))
        rows = list(_ordered(beyond, newest_first)[:_CHUNK])
        yield from rows
        if len(rows) < _CHUNK:
            return
        last = rows[-1]


def _filtered(query: AuditQuery, zone: tzinfo) -> QuerySet[AuditEvent]:
    events = AuditEvent.objects.all()
    for name in PARAMETERS:
        value = storable(getattr(query, name), MAX_ID)
        if value is not None:
            events = events.filter(**{name: value})
            # Repeats the condition of the partial index, without which SQLite does not use it.
            events = events.exclude(**{name: ""}) if name in SPARSE else events
    since, until = day_bounds(query.begin, query.end, zone)
    if since is not None:
        events = events.filter(at__gte=since)
    return events if until is None else events.filter(at__lt=until)


def _ordered(rows: QuerySet[AuditEvent], newest_first: bool) -> QuerySet[AuditEvent]:
    return rows.order_by("-at", "-id") if newest_first else rows.order_by("at", "id")


def _at(place: int) -> AuditEvent:
    found = AuditEvent.objects.filter(pk=place).only("id", "at").first()
    if found is None:
        raise NoSuchEventError
    return found


def _beyond(row: AuditEvent, newest_first: bool) -> Q:
    """The rows behind a row. The first condition is redundant: it lets an index seek."""
    if newest_first:
        return Q(at__lte=row.at) & (Q(at__lt=row.at) | Q(id__lt=row.pk))
    return Q(at__gte=row.at) & (Q(at__gt=row.at) | Q(id__gt=row.pk))


def _upto(row: AuditEvent, newest_first: bool) -> Q:
    """The row and the rows behind it."""
    return _beyond(row, newest_first) | Q(id=row.pk)
