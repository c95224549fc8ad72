"""What a list of threads is asked for: one value, from a form, to an address, to a request upstream."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

from threads.chatkit import Order
from threads.lib.querystring import encoded

Match = Literal["exact", "part"]

DEFAULT_LIMIT = 20
ITEMS = 50
"""Items of a conversation on its first page."""


@dataclass(frozen=True, slots=True)
class ThreadQuery:
    """A place in a list of threads.

    `user` is a user id, or with `match` "part" any part of one; None for all. `status` and `reason` are exact,
    `has_reason` is whether there is one; `q` is what is searched for; `begin` and `end` are the first and the last day,
    in the reader's zone; `hour` is an hour of the week, such as "0-09" for Mondays from nine to ten. At most one of
    `after` and `before` is set: the id of the thread just before the page, or just after it, in `order`. `since` is the
    id of the newest thread when the paging began: what stands before it, newest first, has arrived meanwhile.

    `guess` is whether a `user` that nobody is may be taken for a part of one: it was typed, by somebody who may see
    ids. It belongs to one request, not to the list, and no address has it.
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
    order: Order = "desc"
    limit: int = DEFAULT_LIMIT
    after: str | None = None
    before: str | None = None
    since: str | None = None
    guess: bool = field(default=False, compare=False)

    @property
    def cursor(self) -> str | None:
        return self.after or self.before

    @property
    def exact_user(self) -> str | None:
        """The one user whose threads these are; None where they may be anybody's."""
        return self.user if self.match == "exact" else None

    @property
    def filters(self) -> int:
        """How many things it asks for that the live API cannot filter by."""
        asked = (self.status, self.has_reason, self.reason, self.q, self.hour, self.begin, self.end)
        return sum(each is not None for each in asked) + (self.user is not None and self.match == "part")

    def first(self) -> ThreadQuery:
        """The same list from its start."""
        return replace(self, after=None, before=None, since=None)

    def of(self, user: str | None) -> ThreadQuery:
        """The list of one user, or of all, from its start."""
        return replace(self.first(), user=user, match="exact", guess=False)

    def of_part(self) -> ThreadQuery:
        """The list of all users who have its user in their ids, from its start."""
        return replace(self.first(), match="part", guess=False)

    def unfiltered(self) -> ThreadQuery:
        """All threads, in the same order, from their start."""
        return ThreadQuery(order=self.order, limit=self.limit)

    def beyond(self, *, after: str | None = None, before: str | None = None, since: str | None = None) -> ThreadQuery:
        """Another page of the same list."""
        return replace(self, after=after, before=before, since=since)

    def encoded(self) -> str:
        """The query part of an address: what differs from the default, in a fixed order, percent-encoded."""
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
            "order": self.order if self.order != "desc" else None,
            "limit": self.limit if self.limit != DEFAULT_LIMIT else None,
            "after": self.after,
            "before": self.before,
            "since": self.since,
        }
        return encoded(values)


@dataclass(frozen=True, slots=True)
class ItemQuery:
    """A place in one conversation, oldest first. At most one of `after`, `before` and `at` is set: the id of the item
    just before the page, of the one just after it, or of its first.

    What the page before handed on: `count`, how many items come before this one, None where nobody counted them, and
    `since`, when the last of them was created, in Unix seconds.
    """

    limit: int = ITEMS
    after: str | None = None
    before: str | None = None
    at: str | None = None
    count: int | None = 0
    since: int | None = None

    @property
    def cursor(self) -> str | None:
        return self.after or self.before or self.at

    def encoded(self) -> str:
        """The query part of an address, as in `ThreadQuery`."""
        values = {
            "limit": self.limit if self.limit != ITEMS else None,
            "after": self.after,
            "before": self.before,
            "at": self.at,
            "count": self.count if self.after else None,
            "since": self.since,
        }
        return encoded(values)
