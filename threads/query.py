"""What a list of threads is asked for: one value, from a form, to an address, to a request upstream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from .chatkit import Order

DEFAULT_LIMIT = 20
ITEMS = 50
"""Items of a conversation on its first page."""


@dataclass(frozen=True, slots=True)
class ThreadQuery:
    """A place in a list of threads.

    `user` is an exact user id, or None for all. At most one of `after` and `before` is set: the id of the thread
    just before the page, or just after it, in `order`. `since` is the id of the newest thread when the paging began:
    what stands before it, newest first, has arrived meanwhile.
    """

    user: str | None = None
    order: Order = "desc"
    limit: int = DEFAULT_LIMIT
    after: str | None = None
    before: str | None = None
    since: str | None = None

    @property
    def cursor(self) -> str | None:
        return self.after or self.before

    def first(self) -> ThreadQuery:
        """The same list from its start."""
        return replace(self, after=None, before=None, since=None)

    def of(self, user: str | None) -> ThreadQuery:
        """The list of one user, or of all, from its start."""
        return replace(self.first(), user=user)

    def beyond(self, *, after: str | None = None, before: str | None = None, since: str | None = None) -> ThreadQuery:
        """Another page of the same list."""
        return replace(self, after=after, before=before, since=since)

    def encoded(self) -> str:
        """The query part of an address: what differs from the default, in a fixed order, percent-encoded."""
        values = {
            "user": self.user,
            "order": self.order if self.order != "desc" else None,
            "limit": self.limit if self.limit != DEFAULT_LIMIT else None,
            "after": self.after,
            "before": self.before,
            "since": self.since,
        }
        return _encoded(values)


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
        return _encoded(values)


def _encoded(values: Mapping[str, object]) -> str:
    """Those that are not None, percent-encoded, in their order."""
    return urlencode({name: value for name, value in values.items() if value is not None})
