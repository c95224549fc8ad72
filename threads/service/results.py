"""Results of the service: one page of threads, and one conversation, each with the source that answered."""

from __future__ import annotations

from dataclasses import dataclass, field

from threads.archive.thread_info import SearchGaps, ThreadInfo
from threads.chatkit import ChatKitError, Thread, ThreadItem
from threads.sources.query import ThreadQuery
from threads.sources.window import Window

from .circuit_breaker import UpstreamOutage


class NeedsArchiveError(Exception):
    """Only the archive could answer this query, and it is switched off."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of threads."""

    query: ThreadQuery
    window: Window[Thread]
    archived: bool = False
    """Whether the page comes from the archive."""
    outage: UpstreamOutage | None = None
    """Why the archive answered, where the live API should have."""
    about: dict[str, ThreadInfo] = field(default_factory=dict)
    """The archive's annotations of the rows, by thread id."""
    counts: dict[str, int] | None = None
    """Threads per status under the query's other filters; None where they are not counted."""
    lacking: SearchGaps | None = None
    """What the archive has not read or indexed yet, where it answered or counted; None where it is complete."""
    total: int | None = None
    """The threads on all pages of the list; None where they were not counted or the archive is not complete."""
    total_is_minimum: bool = False
    """Whether there are, or may be, more threads than `total`."""
    position: int | None = None
    """The place of the first row in the whole list, from 1; None where it is not known."""
    doubt: str = ""
    """Why the archive answered although the live API did: a clause for the page, "" where the live list is shown."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One thread and one page of its items."""

    thread: Thread
    items: Window[ThreadItem] | None
    """None where the items could not be read; `fault` says why."""
    fault: ChatKitError | None = None
    outage: UpstreamOutage | None = None
    """Why the archive answered, where the upstream failed."""
    about: ThreadInfo | None = None
    """The archive's annotations of the thread; None where it is not archived."""
    archived: bool = False
    """Whether the items come from the archive."""
    doubt: str = ""
    """Why the upstream's "not found" is not taken as a deletion; "" where the question did not come up."""
