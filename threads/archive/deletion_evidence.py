"""Decides whether a thread was deleted upstream, and what may happen to its copy; `removal` then does it.

A retired, partly broken or different upstream answers "no such thread" too. So a 404 counts only with controls: the
list answers, another archived thread is found by its id, and the list does not show the thread either. A circuit
breaker stops the marking if there are more deletions in 24 hours than is plausible. See docs/adr/0008.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet, Sum
from django.utils import timezone

from threads.audit.models import AuditEvent
from threads.audit.record import Action, Outcome, record_or_raise
from threads.chatkit import MAX_LIMIT, ChatKitClient, ChatKitError, CursorGone, NotFound, Page, Thread, pages

from .models import ArchivedThread, Progress, ThreadState, current

CONTROL_SECONDS = 60.0
"""Seconds for which a control that succeeded stays valid."""

DAY = timedelta(hours=24)
"""The window of the circuit breaker, and the least time between the two sweeps before a purge."""

_MIN_DAILY_LIMIT = 20
"""Deletions in 24 hours that never open the circuit breaker."""

_MAX_CONTROL_THREADS = 3
"""Other archived threads that are requested until one is found."""

_MAX_PAGES = 20
"""Pages of a list that are searched for a thread."""

_MAX_LATE_THREADS = 1000
"""A thread that became visible late may be numbered up to this much higher than its neighbours in the list."""

_START_DISTANCES = [2**exponent for exponent in range(11)]
"""How many threads before the place of a thread the search of the list begins: one attempt after the other."""


class DeletionVerdict(Enum):
    """Whether a thread is deleted upstream."""

    DELETED = auto()
    PRESENT = auto()
    UNDECIDED = auto()
    """The upstream answers 404 and a control has failed, or a call has failed."""


@dataclass(frozen=True, slots=True)
class DeletionFinding:
    """The result of a check: `thread` if it is present; if undecided, `why` as a clause, and the `error` of a failed
    call, if any."""

    verdict: DeletionVerdict
    why: str = ""
    error: ChatKitError | None = None
    thread: Thread | None = None


def _directly(call: Callable[[], Any]) -> Any:
    return call()


class DeletionChecker:
    """Checks whether threads are deleted upstream, for sync, pages, exports and erasures alike. `ask` makes a call, for
    example with retries. Not safe for concurrent use."""

    def __init__(self, client: ChatKitClient, ask: Callable[[Callable[[], Any]], Any] = _directly) -> None:
        self._client, self._ask = client, ask
        self.any_undecided = False
        """Whether any check was undecided: then nothing is purged on this evidence."""
        self._reset_controls()

    def _reset_controls(self) -> None:
        self._listed: tuple[str, ...] = ()
        self._list_at = self._other_at = -math.inf
        self._other = ""

    def of(self, thread_id: str, user: str | None = None, *, fresh: bool = False) -> DeletionFinding:
        """Checks one thread. `user` is its owner, needed for a thread that is not archived. With `fresh` the controls
        are repeated even if they are still valid. A `ChatKitError` makes the finding undecided."""
        if fresh:
            self._reset_controls()
        try:
            finding = self._of(thread_id, user)
        except ChatKitError as error:
            finding = DeletionFinding(DeletionVerdict.UNDECIDED, error.detail, error)
        self.any_undecided = self.any_undecided or finding.verdict is DeletionVerdict.UNDECIDED
        return finding

    def list_answers(self) -> bool:
        """Control: whether the list, without a cursor, shows any thread. Raises `ChatKitError`."""
        now = time.monotonic()
        if now - self._list_at >= CONTROL_SECONDS:
            page = self._ask(lambda: self._client.list_threads(limit=20))
            self._listed = tuple(row.id for row in page.rows if row.id)
            self._list_at = now if self._listed else -math.inf
        return bool(self._listed)

    def controls_hold(self) -> bool:
        """Whether both controls succeeded within `CONTROL_SECONDS`; if not, further checks are of no use."""
        return time.monotonic() - min(self._list_at, self._other_at) < CONTROL_SECONDS

    def _of(self, thread_id: str, user: str | None) -> DeletionFinding:
        if not self.list_answers():
            return DeletionFinding(DeletionVerdict.UNDECIDED, "the list shows no thread at all")
        if not self._finds_another(thread_id):
            return DeletionFinding(DeletionVerdict.UNDECIDED, "no other kept thread was found by its id")
        thread = self._retrieve(thread_id)
        if thread is not None:
            return DeletionFinding(DeletionVerdict.PRESENT, thread=thread)
        listed = thread_id in self._listed or self._is_listed(thread_id, user)
        if listed is None:
            return DeletionFinding(DeletionVerdict.UNDECIDED, "the list could not be looked through for it")
        if listed:
            return DeletionFinding(DeletionVerdict.UNDECIDED, "the list still shows it")
        return DeletionFinding(DeletionVerdict.DELETED)

    def _retrieve(self, thread_id: str) -> Thread | None:
        try:
            return self._ask(lambda: self._client.retrieve_thread(thread_id))  # type: ignore[no-any-return]
        except NotFound:
            return None

    def _finds_another(self, thread_id: str) -> bool:
        """Control: whether another thread is found by its id."""
        if self._other != thread_id and time.monotonic() - self._other_at < CONTROL_SECONDS:
            return True
        for other in self._others(thread_id):
            if self._retrieve(other) is not None:
                self._other, self._other_at = other, time.monotonic()
                return True
        return False

    def _others(self, thread_id: str) -> list[str]:
        """Threads for the control: archived ones that the list has just shown, then the newest archived ones."""
        if settings.ARCHIVE == "off":
            return [listed for listed in self._listed if listed != thread_id][:_MAX_CONTROL_THREADS]
        others = current().exclude(thread_id=thread_id).order_by("-number")
        shown = others.filter(thread_id__in=self._listed)
        found = [*shown.values_list("thread_id", flat=True)[:_MAX_CONTROL_THREADS]]
        if len(found) < _MAX_CONTROL_THREADS:
            found += others.exclude(thread_id__in=found).values_list("thread_id", flat=True)[:_MAX_CONTROL_THREADS]
        return found[:_MAX_CONTROL_THREADS]

    def _is_listed(self, thread_id: str, user: str | None) -> bool | None:
        """Whether the list shows the thread; None if the list could not be searched."""
        archived = ArchivedThread.objects.filter(thread_id=thread_id).first()
        if archived is not None:
            return self._is_archived_listed(archived)
        if user is None:
            return None
        for number, page in enumerate(pages(self._page(user=user))):
            if any(row.id == thread_id for row in page.rows):
                return True
            if not page.has_more:
                return None if page.lost else False
            if number == _MAX_PAGES:
                break
        return None

    def _is_archived_listed(self, archived: ArchivedThread) -> bool | None:
        """Whether the list shows an archived thread in its place. The searched part of the list has to show an archived
        thread behind it, or, for the newest one, before it: if not, the list is cut off there and proves nothing."""
        others = current().exclude(pk=archived.pk).order_by("-number")
        earlier = others.filter(number__lt=archived.number)
        # A thread that became visible late has a greater number than its neighbours.
        later = others.filter(number__gt=archived.number - _MAX_LATE_THREADS)
        if archived.created_at is None:
            later = later.filter(number__gt=archived.number)
        else:
            # Threads of one second may stand in any order.
            earlier, later = (
                earlier.filter(created_at__lt=archived.created_at),
                later.filter(created_at__gt=archived.created_at),
            )
        newest = later.values_list("number").first() is None
        # Threads before it may be deleted too: start from further back each time, finally from the beginning.
        for distance in _START_DISTANCES:
            start = earlier.values_list("thread_id", flat=True)[distance : distance + 1].first()
            with suppress(CursorGone):
                listed = self._is_listed_after(start, archived, others if newest else later, to_end=newest)
                if listed is not None:
                    return listed
            if start is None:
                return None
        return None

    def _is_listed_after(
        self, start: str | None, archived: ArchivedThread, proof: QuerySet[ArchivedThread], *, to_end: bool
    ) -> bool | None:
        """Whether the list shows the thread after the cursor `start`, up to the first thread of `proof`, or with
        `to_end` to the end; None if it shows no thread of `proof`."""
        proven = False
        for number, page in enumerate(pages(self._page(), start)):
            ids = [row.id for row in page.rows if row.id]
            if archived.thread_id in ids:
                return True
            proven = proven or proof.filter(thread_id__in=ids).exists()
            if (proven and not to_end) or not page.has_more:
                return False if proven and not page.lost else None
            if number == _MAX_PAGES:
                break
        return None

    def _page(self, user: str | None = None) -> Callable[[str | None], Page[Thread]]:
        def ask(after: str | None) -> Page[Thread]:
            page = lambda: self._client.list_threads(user=user, order="asc", limit=MAX_LIMIT, after=after)  # noqa: E731
            return self._ask(page)  # type: ignore[no-any-return]

        return ask


def withheld() -> QuerySet[ArchivedThread]:
    """Threads that are deleted upstream and not marked, since the circuit breaker is open. It is open while there are
    any."""
    return ArchivedThread.objects.filter(withheld_at__isnull=False)


def daily_limit() -> int:
    """How many deletions in 24 hours the circuit breaker allows: 20, or 1% of the threads, or
    ARCHIVE_DELETIONS_PER_DAY, whichever is most."""
    threads = ThreadState.objects.aggregate(sum=Sum("threads"))["sum"] or 0
    return max(_MIN_DAILY_LIMIT, threads // 100, settings.ARCHIVE_DELETIONS_PER_DAY)


def may_mark(now: datetime) -> bool:
    """Whether the circuit breaker, while closed, lets one more thread be marked as deleted."""
    return ArchivedThread.objects.filter(deleted_upstream_at__gt=_window_start(now)).count() < daily_limit()


def may_purge(now: datetime) -> bool:
    """Whether the circuit breaker lets one more copy be removed."""
    purged = AuditEvent.objects.filter(action=Action.PURGE, at__gt=_window_start(now)).count()
    return not withheld().exists() and purged < daily_limit()


def purge_due(begun: datetime) -> QuerySet[ArchivedThread]:
    """Marked threads whose copies may be removed: neither the sweep that began at `begun` nor one that began at least
    24 hours before has shown them. Notes `begun` for threads that this sweep is the first not to show, so it must run
    in the run that holds the lease."""
    marked = ArchivedThread.objects.filter(
        deleted_upstream_at__isnull=False, former_at__isnull=True, checked_at__lt=begun
    )
    marked.filter(unlisted_at__isnull=True).update(unlisted_at=begun)
    return marked.filter(unlisted_at__lte=begun - DAY)


def count_waiting_for_purge() -> int:
    """How many copies are due to be removed and still there, because the daily limit is reached."""
    return ArchivedThread.objects.filter(
        deleted_upstream_at__isnull=False, former_at__isnull=True, unlisted_at__lte=timezone.now() - 2 * DAY
    ).count()


@dataclass(frozen=True, slots=True)
class OpenBreaker:
    """The open circuit breaker: the number of `withheld` threads, the time `since` when the first one is withheld, and
    the `limit` in 24 hours."""

    withheld: int
    since: datetime
    limit: int


def open_breaker() -> OpenBreaker | None:
    """The circuit breaker if it is open; None if it is closed."""
    first = withheld().order_by("withheld_at").values_list("withheld_at", flat=True).first()
    return None if first is None else OpenBreaker(withheld().count(), first, daily_limit())


def accept_withheld(until: datetime) -> int:
    """Closes the circuit breaker for an administrator: marks the threads withheld up to `until`, and does not count
    them towards the limit. Returns how many. Raises `NotRecordedError`."""
    with transaction.atomic():
        accepted = withheld().filter(withheld_at__lte=until)
        ids = list(accepted.order_by("number").values_list("thread_id", flat=True))
        if ids:
            record_or_raise(
                Action.ARCHIVE, Outcome.DONE, detail={"deletions": "accepted", "count": len(ids), "threads": ids}
            )
            # They are marked with an earlier time than `accepted_at`, from which the limit counts.
            accepted.update(deleted_upstream_at=F("withheld_at"), withheld_at=None, sync_error=None)
            Progress.objects.update(accepted_at=timezone.now())
    return len(ids)


def _window_start(now: datetime) -> datetime:
    """The time from which deletions count: 24 hours ago, or when an administrator last accepted some."""
    accepted = Progress.objects.filter(pk=1).values_list("accepted_at", flat=True).first()
    return max(filter(None, [now - DAY, accepted]))
