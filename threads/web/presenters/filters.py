"""The filters of a list as chips: what each says, and the address without it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from threads.lib import times
from threads.sources.query import ThreadQuery
from threads.web.links import list_url

from .statuses import WORDS

WITHIN = {"today": "Today", "7d": "Last 7 days", "30d": "Last 30 days"}
"""The days of the last message to filter by, which stay relative in an address."""


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in use. `name` is that of its field; `label` may be ""; `url` leads to the list without it."""

    name: str
    label: str
    value: str
    query: ThreadQuery
    """The list without this filter."""

    @property
    def url(self) -> str:
        """The address without the filter."""
        return list_url(self.query)

    @property
    def words(self) -> str:
        """The filter in words, such as "Status Locked"."""
        return f"{self.label} {self.value}".strip()


def chips(query: ThreadQuery) -> list[Chip]:
    """The filters of a query that are in use, in the order of the page; the customer first."""
    found: list[Chip] = []

    def add(name: str, label: str, value: str, without: ThreadQuery) -> None:
        found.append(Chip(name, label, value, without))

    if query.user is not None:
        label = "Customer:" if query.match == "exact" else "Customer contains"
        add("user", label, query.user, query.of(None))
    if query.q is not None:
        add("q", "Words", query.q, query.without("q"))
    if query.status is not None:
        add("status", "Status", WORDS.get(query.status, query.status), query.without("status"))
    if query.begin or query.end:
        add("created", "Created", _days(query), query.without("begin", "end"))
    if query.within is not None:
        add("in", "Last message", WITHIN[query.within].lower(), query.without("within"))
    if query.hour is not None:
        add("hour", "Created", times.hour_of_week(query.hour), query.without("hour"))
    if query.has_reason is not None:
        value = "Reason given" if query.has_reason else "No reason given"
        add("has_reason", "", value, query.without("has_reason"))
    if query.reason is not None:
        add("reason", "Reason", query.reason, query.without("reason"))
    return found


def _days(query: ThreadQuery) -> str:
    if query.begin and query.end and query.begin != query.end:
        return f"{_day(query.begin)} to {_day(query.end)}"
    if query.begin:
        return f"{'on' if query.end else 'from'} {_day(query.begin)}"
    return f"until {_day(query.end)}" if query.end else ""


def _day(day: date) -> str:
    return f"{day.day} {day:%b} {day.year}"
