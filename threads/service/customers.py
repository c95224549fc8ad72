"""What is known of one customer: their threads in figures."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from threads.archive import thread_info
from threads.archive.search.source import ArchiveSource
from threads.archive.search.users import activity_period
from threads.archive.statement_timeout import QueryTimeout, limit_statements, statement_timeout
from threads.sources.query import ThreadQuery


@dataclass(frozen=True, slots=True)
class CustomerTotals:
    """The archived threads of a customer. `by_status` has the number of threads by status, as the upstream writes it.
    `first_seen_at` is when their first thread was created, `last_active_at` the time of the last item in any of them;
    None where it is not known or took too long."""

    by_status: Mapping[str, int]
    first_seen_at: datetime | None
    last_active_at: datetime | None

    @property
    def threads(self) -> int:
        """The number of threads."""
        return sum(self.by_status.values())


def customer_totals(user: str, zone: tzinfo = UTC) -> CustomerTotals | None:
    """The totals of the customer with exactly this id; None without threads in the archive. They hold no more than the
    counts beside the list of this customer, which masked accounts see too, and are part of that list's event."""
    if not thread_info.is_available():
        return None
    by_status = ArchiveSource(zone).counts(ThreadQuery(user=user)) or {}
    if not any(by_status.values()):
        return None
    first, last = None, None
    with limit_statements(), suppress(QueryTimeout), statement_timeout():
        first, last = activity_period(user)
    return CustomerTotals(by_status, first, last)
