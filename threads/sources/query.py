"""Queries for a page of threads or of items: the same value in a form, in a URL and in a request to a source."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

from threads.chatkit import Order
from threads.lib.querystring import encode_query

Match = Literal["exact", "part"]
"""Whether `user` is a whole user id or a part of one."""

Sort = Literal["created", "best", "latest"]
"""What a list is sorted by: creation, in the API's order; best match; or latest activity."""

Within = Literal["today", "7d", "30d"]
"""Days up to now, in the reader's time zone: today, or so many days with today as the last one."""

WITHIN_DAYS: dict[Within, int] = {"today": 1, "7d": 7, "30d": 30}

DEFAULT_LIMIT = 20
"""Threads per page."""

DEFAULT_ITEM_LIMIT = 50
"""Items per page of a conversation."""


@dataclass(frozen=True, slots=True)
class ThreadQuery:
    """A page of a list of threads: filters, order and cursor. None means no filter.

    - `user`: a user id, or a part of one where `match` is "part".
    - `status`, `reason`: exact. `has_reason`: whether there is a reason.
    - `q`: the search, as typed.
    - `hour`: an hour of the week, such as "0-09" for Mondays from 9 to 10.
    - `begin`, `end`: first and last day of creation, in the reader's time zone.
    - `within`: days of the last activity. It stays relative in the address, so that a saved view stays true.
    - `sort`: None for the default, see `default_sort`. `order` is the direction of a sort by creation, or by latest
      activity, for which "desc" is the latest first; threads without activity are last in both orders.
    - `after`, `before`: cursor, the id of the thread just before or just after the page, in `order`. At most one is
      set. In a list by last activity it may also be a `threads.archive.search.activity.Place`.
    - `since`: the id of the newest thread when paging began. Threads newer than it have arrived since.
    """

    user: str | None = None
    match: Match = "exact"
    status: str | None = None
    has_reason: bool | None = None
    reason: str | None = None
    q: str | None = None
    hour: str | None = None
    begin: date | None = None
    end: date | None = None
    within: Within | None = None
    order: Order = "desc"
    sort: Sort | None = None
    limit: int = DEFAULT_LIMIT
    after: str | None = None
    before: str | None = None
    since: str | None = None

    @property
    def cursor(self) -> str | None:
        """The thread id that the page is next to; None for the first page."""
        return self.after or self.before

    @property
    def default_sort(self) -> Sort:
        """Best match for a search, unless it asks for the oldest threads first; else creation."""
        return "best" if self.q is not None and self.order == "desc" else "created"

    @property
    def sorted_by(self) -> Sort:
        """What the list is sorted by."""
        return self.sort or self.default_sort

    @property
    def exact_user(self) -> str | None:
        """The user id, where the list is of exactly one user; else None."""
        return self.user if self.match == "exact" else None

    @property
    def filters(self) -> int:
        """The number of filters that the live API does not have; above 0 only the archive can answer."""
        values = (self.status, self.has_reason, self.reason, self.q, self.hour, self.begin, self.end, self.within)
        others = (self.user is not None and self.match == "part", self.sort == "latest")
        return sum(value is not None for value in values) + sum(others)

    def first(self) -> ThreadQuery:
        """The first page of the same list."""
        return replace(self, after=None, before=None, since=None)

    def of(self, user: str | None) -> ThreadQuery:
        """The first page of the list of one user, or of all users."""
        return replace(self.first(), user=user, match="exact")

    def of_part(self) -> ThreadQuery:
        """The first page of the list of all users with `user` as a part of their ids."""
        return replace(self.first(), match="part")

    def of_status(self, status: str | None) -> ThreadQuery:
        """The first page of the threads of the list with this status, or of any status."""
        return replace(self.first(), status=status)

    def without(self, *filters: str) -> ThreadQuery:
        """The first page of the list without these filters, by the names of their fields."""
        gone: dict[str, Any] = dict.fromkeys(filters)
        return replace(self.first(), **gone)

    def unfiltered(self) -> ThreadQuery:
        """The first page of all threads, in the same order."""
        return ThreadQuery(order=self.order, limit=self.limit)

    def ordered(self, order: Order, sort: Sort = "created") -> ThreadQuery:
        """The first page of the same list in this order."""
        found = replace(self.first(), order=order, sort=sort)
        return replace(found, sort=None) if sort == found.default_sort else found

    def sized(self, limit: int) -> ThreadQuery:
        """The first page of the same list with this many threads."""
        return replace(self.first(), limit=limit)

    def beyond(self, *, after: str | None = None, before: str | None = None, since: str | None = None) -> ThreadQuery:
        """The page of the same list at another cursor."""
        return replace(self, after=after, before=before, since=since)

    def encoded(self) -> str:
        """The query string: values other than the default, in a fixed order, percent-encoded."""
        values = {
            "user": self.user,
            "match": self.match if self.user is not None and self.match != "exact" else None,
            "status": self.status,
            "has_reason": None if self.has_reason is None else "yes" if self.has_reason else "no",
            "reason": self.reason,
            "q": self.q,
            "hour": self.hour,
            "from": self.begin,
            "to": self.end,
            "in": self.within,
            "sort": self.sort if self.sort != self.default_sort else None,
            "order": self.order if self.order != "desc" else None,
            "limit": self.limit if self.limit != DEFAULT_LIMIT else None,
            "after": self.after,
            "before": self.before,
            "since": self.since,
        }
        return encode_query(values)


@dataclass(frozen=True, slots=True)
class ItemQuery:
    """A page of a thread's items. Without a cursor it is the latest page, or with `from_beginning` the first. The rows
    of a page are always oldest first.

    - `after`, `before`, `at`: cursor, the id of the item just before the page, just after it, or of an item on it that
      has up to `context` items before it. At most one is set.
    - `count`: number of items passed on from the page that led here: those before this page for `after`, those after
      it for `before`. None where it is not known.
    - `since`: creation time of the item at `after` or `before`, in Unix seconds, passed on likewise.
    """

    limit: int = DEFAULT_ITEM_LIMIT
    from_beginning: bool = False
    after: str | None = None
    before: str | None = None
    at: str | None = None
    count: int | None = 0
    since: int | None = None

    @property
    def cursor(self) -> str | None:
        """The item id that the page is next to or contains; None for the first and the latest page."""
        return self.after or self.before or self.at

    @property
    def context(self) -> int:
        """The most items that come before the one at `at`."""
        return self.limit // 5

    @property
    def is_latest(self) -> bool:
        """Whether the page is the latest one, which ends with the newest item."""
        return self.cursor is None and not self.from_beginning

    def encoded(self) -> str:
        """The query string, as in `ThreadQuery`."""
        values = {
            "limit": self.limit if self.limit != DEFAULT_ITEM_LIMIT else None,
            "from": "beginning" if self.from_beginning else None,
            "after": self.after,
            "before": self.before,
            "at": self.at,
            "count": self.count if self.after or self.before else None,
            "since": self.since,
        }
        return encode_query(values)
