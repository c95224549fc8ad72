"""Deletions upstream: whether OpenAI has deleted a thread that is kept, and what becomes of its copy.

An upstream that is retired, broken in part, or another one answers "no such thread" as well. So absence counts only
with controls: the list answers, other kept threads are found, and the thread is missing from both. A circuit breaker
stops the marking where there are more deletions in a day than is plausible. See docs/adr/0008.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any, TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet, Sum
from django.utils import timezone

from threads.audit.models import AuditEvent
from threads.audit.record import Action, Outcome, must, record
from threads.chatkit import MAX_LIMIT, ChatKitClient, ChatKitError, CursorGone, NotFound, Page, Thread, pages

from .models import ArchivedThread, Progress, State, current
from .store import write

CONTROL_SECONDS = 60.0
"""How long a control holds."""

DAY = timedelta(hours=24)
"""What the circuit breaker counts over, and what lies at least between the two sweeps that a purge takes."""

_FLOOR = 20
"""Deletions in a day that never open the circuit breaker."""

_MOST_OTHERS = 3
"""Other kept threads that are asked for until one is found."""

_MOST_PAGES = 20
"""Pages of a list in which a thread is looked for."""

_LATE = 1000
"""Threads that may have been kept before one that stands before them in the list."""

_FARTHER = [2**each for each in range(11)]
"""How many threads before its place the looking begins."""

log = logging.getLogger(__name__)

AnswerT = TypeVar("AnswerT")


class Verdict(Enum):
    DELETED = auto()
    PRESENT = auto()
    UNDECIDED = auto()
    """The upstream says that there is no such thread, and cannot be believed; or it could not be asked."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`why` is a clause that says why nothing is decided, `error` the failure behind that, if any; `thread` is the
    thread where it is present."""

    verdict: Verdict
    why: str = ""
    error: ChatKitError | None = None
    thread: Thread | None = None


def _directly(call: Callable[[], Any]) -> Any:
    return call()


class Evidence:
    """Decides whether threads are deleted upstream, for sync, pages, exports and erasures alike. `ask` makes a call, in
    whatever way its user makes calls. For one thread of execution at a time."""

    def __init__(self, client: ChatKitClient, ask: Callable[[Callable[[], Any]], Any] = _directly) -> None:
        self._client, self._ask = client, ask
        self.failed = False
        """Whether anything was left undecided: then nothing is purged on this evidence."""
        self.forget()

    def forget(self) -> None:
        """The controls are due again."""
        self._listed: tuple[str, ...] = ()
        self._list_at = self._other_at = -math.inf
        self._other = ""

    def of(self, thread_id: str, user: str | None = None, *, fresh: bool = False) -> Finding:
        """What is so of a thread. `user` is whose it is, for a thread that is not kept; with `fresh` the controls are
        made anew."""
        if fresh:
            self.forget()
        try:
            finding = self._of(thread_id, user)
        except ChatKitError as error:
            finding = Finding(Verdict.UNDECIDED, error.detail, error)
        self.failed = self.failed or finding.verdict is Verdict.UNDECIDED
        return finding

    def list_answers(self) -> bool:
        """Whether the list, asked without a cursor, shows any thread. Raises `ChatKitError`."""
        now = time.monotonic()
        if now - self._list_at >= CONTROL_SECONDS:
            page = self._ask(lambda: self._client.list_threads(limit=20))
            self._listed = tuple(row.id for row in page.rows if row.id)
            self._list_at = now if self._listed else -math.inf
        return bool(self._listed)

    def holds(self) -> bool:
        """Whether the controls held the last time, so that there is use in asking for further threads."""
        return time.monotonic() - min(self._list_at, self._other_at) < CONTROL_SECONDS

    def _of(self, thread_id: str, user: str | None) -> Finding:
        if not self.list_answers():
            return Finding(Verdict.UNDECIDED, "the list shows no thread at all")
        if not self._another_is_found(thread_id):
            return Finding(Verdict.UNDECIDED, "no other kept thread was found by its id")
        found = self._found(thread_id)
        if found is not None:
            return Finding(Verdict.PRESENT, thread=found)
        listed = thread_id in self._listed or self._is_listed(thread_id, user)
        if listed is None:
            return Finding(Verdict.UNDECIDED, "the list could not be looked through for it")
        if listed:
            return Finding(Verdict.UNDECIDED, "the list still shows it")
        return Finding(Verdict.DELETED)

    def _found(self, thread_id: str) -> Thread | None:
        try:
            return self._ask(lambda: self._client.retrieve_thread(thread_id))  # type: ignore[no-any-return]
        except NotFound:
            return None

    def _another_is_found(self, thread_id: str) -> bool:
        if self._other != thread_id and time.monotonic() - self._other_at < CONTROL_SECONDS:
            return True
        for other in self._others(thread_id):
            if self._found(other) is not None:
                self._other, self._other_at = other, time.monotonic()
                return True
        return False

    def _others(self, thread_id: str) -> list[str]:
        """Other threads to ask for: kept ones that the list has just shown, then the newest kept ones."""
        if settings.ARCHIVE == "off":
            return [each for each in self._listed if each != thread_id][:_MOST_OTHERS]
        others = current().exclude(thread_id=thread_id).order_by("-number")
        shown = others.filter(thread_id__in=self._listed)
        found = [*shown.values_list("thread_id", flat=True)[:_MOST_OTHERS]]
        if len(found) < _MOST_OTHERS:
            found += others.exclude(thread_id__in=found).values_list("thread_id", flat=True)[:_MOST_OTHERS]
        return found[:_MOST_OTHERS]

    def _is_listed(self, thread_id: str, user: str | None) -> bool | None:
        """Whether the list shows the thread in its place; None where that could not be seen."""
        kept = ArchivedThread.objects.filter(thread_id=thread_id).first()
        if kept is not None:
            return self._is_in_its_place(kept)
        if user is None:
            return None
        for number, page in enumerate(pages(self._page(user=user))):
            if any(row.id == thread_id for row in page.rows):
                return True
            if not page.has_more:
                return None if page.lost else False
            if number == _MOST_PAGES:
                break
        return None

    def _is_in_its_place(self, kept: ArchivedThread) -> bool | None:
        """The same of a kept thread. What is looked through has to show a kept thread behind it, or, where it is the
        newest, one before it: a list that is cut off or empty there says nothing."""
        others = current().exclude(pk=kept.pk).order_by("-number")
        earlier = others.filter(number__lt=kept.number)
        # One that became visible late has a greater number than its neighbours.
        later = others.filter(number__gt=kept.number - _LATE)
        if kept.created_at is None:
            later = later.filter(number__gt=kept.number)
        else:
            # Threads of one second may stand in any order.
            earlier, later = (
                earlier.filter(created_at__lt=kept.created_at),
                later.filter(created_at__gt=kept.created_at),
            )
        newest = later.values_list("number").first() is None
        # Those before it may have been deleted too: so from further back each time, in the end from the beginning.
        for far in _FARTHER:
            start = earlier.values_list("thread_id", flat=True)[far : far + 1].first()
            with suppress(CursorGone):
                shown = self._is_behind(start, kept, others if newest else later, to_end=newest)
                if shown is not None:
                    return shown
            if start is None:
                return None
        return None

    def _is_behind(
        self, start: str | None, kept: ArchivedThread, proof: QuerySet[ArchivedThread], *, to_end: bool
    ) -> bool | None:
        """Whether the list shows the thread behind a place, up to the first of `proof` or `to_end`; None where it shows
        none of those either."""
        proven = False
        for number, page in enumerate(pages(self._page(), start)):
            ids = [row.id for row in page.rows if row.id]
            if kept.thread_id in ids:
                return True
            proven = proven or proof.filter(thread_id__in=ids).exists()
            if (proven and not to_end) or not page.has_more:
                return False if proven and not page.lost else None
            if number == _MOST_PAGES:
                break
        return None

    def _page(self, user: str | None = None) -> Callable[[str | None], Page[Thread]]:
        def ask(after: str | None) -> Page[Thread]:
            page = lambda: self._client.list_threads(user=user, order="asc", limit=MAX_LIMIT, after=after)  # noqa: E731
            return self._ask(page)  # type: ignore[no-any-return]

        return ask


def step_back(before: Callable[[ArchivedThread | None], QuerySet[ArchivedThread]]) -> Callable[[str], str | None]:
    """Where a walk goes on when its cursor is gone: from a kept thread before it, twice as far back each time, in the
    end from the beginning of the list. `before` gives those before a place, nearest first; the place is None where it
    is not kept."""
    far = 0

    def back(cursor: str) -> str | None:
        nonlocal far
        far = 2 * far or 1
        place = ArchivedThread.objects.filter(thread_id=cursor).first()
        return before(place).values_list("thread_id", flat=True)[far - 1 : far].first()

    return back


# Marking and purging. Every function here that writes runs in a transaction of its caller's.


def withheld() -> QuerySet[ArchivedThread]:
    """Threads that were found to be deleted and are not marked, since the circuit breaker is open. It is open as long
    as there are any."""
    return ArchivedThread.objects.filter(missing_at__isnull=False)


def limit() -> int:
    """How many deletions in 24 hours leave the circuit breaker closed."""
    threads = State.objects.aggregate(sum=Sum("threads"))["sum"] or 0
    return max(_FLOOR, threads // 100, settings.ARCHIVE_DELETIONS_PER_DAY)


def mark(thread: ArchivedThread, now: datetime) -> None:
    """The thread was found to be deleted upstream: it is marked, or withheld by the circuit breaker."""
    if not write.is_there(thread):
        return
    if not withheld().exists():
        if ArchivedThread.objects.filter(gone_at__gt=_counted_from(now)).count() < limit():
            write.gone(thread, now)
            return
        log.error(
            "More than %d threads were deleted at OpenAI within 24 hours. No more are marked or removed until an "
            "administrator has looked at them, on the archive's page.",
            limit(),
        )
        record(Action.ARCHIVE, Outcome.REFUSED, detail={"deletions": "circuit breaker opened", "limit": limit()})
    ArchivedThread.objects.filter(pk=thread.pk, missing_at__isnull=True).update(missing_at=now)


def may_purge(now: datetime) -> bool:
    """Whether the circuit breaker lets one more copy be removed."""
    purged = AuditEvent.objects.filter(action=Action.PURGE, at__gt=_counted_from(now)).count()
    return not withheld().exists() and purged < limit()


def purge_due(begun: datetime) -> QuerySet[ArchivedThread]:
    """Marked threads that two sweeps have not shown: this one, begun at that time, and one begun 24 hours before or
    earlier. Notes those that this one is the first not to show."""
    marked = ArchivedThread.objects.filter(gone_at__isnull=False, former_at__isnull=True, confirmed_at__lt=begun)
    marked.filter(unlisted_at__isnull=True).update(unlisted_at=begun)
    return marked.filter(unlisted_at__lte=begun - DAY)


def waiting() -> int:
    """How many copies may be removed by now, and are kept since the circuit breaker lets no more go in a day."""
    return ArchivedThread.objects.filter(
        gone_at__isnull=False, former_at__isnull=True, unlisted_at__lte=timezone.now() - 2 * DAY
    ).count()


def purge(thread: ArchivedThread) -> None:
    """Removes the copy, and records that. Raises `NotRecordedError`: then the copy must stay."""
    if not write.is_there(thread):
        return
    must(
        Action.PURGE, Outcome.DONE, thread=thread.thread_id, customer=thread.user or "", detail={"items": thread.items}
    )
    write.purge(thread)


@dataclass(frozen=True, slots=True)
class Breaker:
    """`withheld` threads are not marked, the first of them since `since`; `limit` is in 24 hours."""

    withheld: int
    since: datetime
    limit: int


def breaker() -> Breaker | None:
    """How the circuit breaker is open; None where it is closed."""
    first = withheld().order_by("missing_at").values_list("missing_at", flat=True).first()
    return None if first is None else Breaker(withheld().count(), first, limit())


def accept(until: datetime) -> int:
    """Marks what was withheld up to that time, as an administrator has accepted. Returns how many threads. Raises
    `NotRecordedError`."""
    with transaction.atomic():
        accepted = withheld().filter(missing_at__lte=until)
        ids = list(accepted.order_by("number").values_list("thread_id", flat=True))
        if ids:
            must(Action.ARCHIVE, Outcome.DONE, detail={"deletions": "accepted", "count": len(ids), "threads": ids})
            # A time before that of the acceptance: what is accepted does not count for the next ones.
            accepted.update(gone_at=F("missing_at"), missing_at=None, trouble=None)
            Progress.objects.update(accepted_at=timezone.now())
    return len(ids)


def _counted_from(now: datetime) -> datetime:
    accepted = Progress.objects.filter(pk=1).values_list("accepted_at", flat=True).first()
    return max(filter(None, [now - DAY, accepted]))
