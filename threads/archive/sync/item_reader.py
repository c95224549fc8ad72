"""Reads the items of every thread that is due, several threads at once.

A thread that was never read to its end is read on from its last archived item. Of one that was, only the newest item is
requested: the cheapest call that tells whether there are new ones.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from datetime import datetime, timedelta
from enum import Enum, auto
from itertools import chain

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from threads.archive.deletion_evidence import DeletionFinding, DeletionVerdict
from threads.archive.models import ArchivedThread, current
from threads.archive.store import write
from threads.archive.store.sqlite_wal import BUSY
from threads.chatkit import MAX_LIMIT, PERMANENT_ERRORS, ChatKitError, CursorGone, NotFound, Page, ThreadItem

from .context import LEASE_RENEWAL_SECONDS, SyncContext

_THREAD_RETRY_DELAYS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(hours=1), timedelta(hours=6))
"""How long after its first, second … failure in a row a thread is due again; the last delay repeats. The third layer of
retries, for a thread whose calls have failed with all retries of `SyncContext.with_retries`."""

_RECENT = timedelta(days=1)
"""Due threads with activity in this time are read before other due threads."""


class _Missing(Enum):
    """What the upstream does not have, after a 404 or 400 for a page of items."""

    THREAD = auto()
    CURSOR = auto()


class RoundResult(Enum):
    """How far a round of reading got."""

    NOTHING_DUE = auto()
    ALL_READ = auto()
    CUT_SHORT = auto()


_Reply = Page[ThreadItem] | _Missing
_Ask = Callable[[ArchivedThread], _Reply]
_Replies = dict[Future[_Reply], tuple[ArchivedThread, _Ask]]


class ItemReader:
    """Reads the conversations of one run: those that are due, or with `everything` all of them. Dicts and sets are by
    the number of the thread."""

    def __init__(self, context: SyncContext, *, everything: bool) -> None:
        self._context = context
        self._everything = everything
        self._began = timezone.now()
        self._reached: int | None = None
        """The number of the last thread that was taken for `everything`, newest first."""
        self._restarted: set[int] = set()
        """Threads that this run reads again from their first item."""
        self._passed: dict[int, set[str]] = {}
        """The cursors that this run has passed in each conversation that it has not read to its end."""
        self._wanted: dict[int, Page[ThreadItem]] = {}
        """The newest item of each conversation that is read on, which one of its pages has to show."""
        self._missing: list[ArchivedThread] = []
        """Threads answered with 404, to be checked for deletion."""

    def read_round(self, until: datetime | None) -> RoundResult:
        """Reads due threads. After `until` no further thread is begun; the rest stays due. Raises one of
        `PERMANENT_ERRORS`, `SyncStoppedError` and `LeaseLostError`."""
        under_way: _Replies = {}
        waiting = self._due()
        some = late = False
        while True:
            while not late and len(under_way) < 2 * self._context.side_by_side:
                thread = next(waiting, None)
                if thread is None:
                    break
                self._submit(under_way, thread, self._page if thread.read_at is None else self._newest)
                late = until is not None and timezone.now() >= until
            if not under_way:
                break
            some = True
            done, _ = wait(under_way, timeout=LEASE_RENEWAL_SECONDS, return_when=FIRST_COMPLETED)
            unfinished = self._store_all([(reply, *under_way.pop(reply)) for reply in done])
            self._check_missing()
            for thread in unfinished:
                if not (late and _is_due(thread)):
                    self._submit(under_way, thread, self._page)
            self._context.notify()
        if late:
            return RoundResult.CUT_SHORT
        self._everything = False
        return RoundResult.ALL_READ if some else RoundResult.NOTHING_DUE

    def _store_all(self, replies: list[tuple[Future[_Reply], ArchivedThread, _Ask]]) -> list[ArchivedThread]:
        """Stores replies, in short transactions. Returns the threads that have a next page."""
        unfinished = []
        while replies:
            with self._context.leased_transaction():
                until = time.monotonic() + BUSY
                while replies:
                    reply, thread, ask = replies.pop(0)
                    if self._store(reply, thread, ask):
                        unfinished.append(thread)
                    if time.monotonic() >= until:
                        break
        return unfinished

    def _due(self) -> Iterator[ArchivedThread]:
        """Due threads: first those never read to their end, newest first; then those with recent activity; then the
        others, those due longest first. With `everything` all threads."""
        now = timezone.now()
        there = current()
        unread = there.filter(read_at__isnull=True).filter(Q(due_at__isnull=True) | Q(due_at__lte=now))
        if self._everything:
            return chain(_batches(unread), self._all(there))
        read = there.filter(read_at__lt=now)
        due = read.filter(due_at__lte=now)
        lately = due.filter(last_activity_at__gt=now - _RECENT)
        others = due.filter(Q(last_activity_at=None) | Q(last_activity_at__lte=now - _RECENT))
        # Their `due_at` may come from a longer ARCHIVE_RECHECK_ITEMS_HOURS.
        latest = now - timedelta(hours=settings.ARCHIVE_RECHECK_ITEMS_HOURS)
        overdue = there.filter(read_at__lt=latest, due_at__gt=now, sync_error__isnull=True)
        return chain(
            _batches(unread),
            _batches(read.filter(due_at__isnull=True)),
            _ordered(lately, "due_at"),
            _ordered(others, "due_at"),
            _ordered(overdue, "read_at"),
        )

    def _all(self, there: QuerySet[ArchivedThread]) -> Iterator[ArchivedThread]:
        """All threads that this run has not read yet: a round resumes where the one before was cut short."""
        left = there.filter(read_at__lt=self._began)
        for thread in _batches(left if self._reached is None else left.filter(number__lt=self._reached)):
            self._reached = thread.number
            yield thread

    def _submit(self, under_way: _Replies, thread: ArchivedThread, ask: _Ask) -> None:
        under_way[self._context.pool.submit(ask, thread)] = thread, ask

    def _newest(self, thread: ArchivedThread) -> _Reply:
        """The newest item of a thread."""
        client = self._context.client
        try:
            return self._context.with_retries(lambda: client.list_items(thread.thread_id, order="desc", limit=1))
        except NotFound:
            return _Missing.THREAD

    def _page(self, thread: ArchivedThread) -> _Reply:
        """The next page of a thread's items. A 404 may be about the thread or about its last archived item."""
        client, after = self._context.client, thread.last_item_id
        try:
            return self._context.with_retries(
                lambda: client.list_items(thread.thread_id, order="asc", limit=MAX_LIMIT, after=after)
            )
        except CursorGone:
            reply = self._newest(thread)
            return reply if reply is _Missing.THREAD else _Missing.CURSOR
        except NotFound:
            return _Missing.THREAD

    def _store(self, reply: Future[_Reply], thread: ArchivedThread, ask: _Ask) -> bool:
        """Stores a page, or why there is none. Returns whether the next page has to be requested."""
        if not write.is_archived(thread):  # it was erased meanwhile
            return False
        try:
            page = reply.result()
        except PERMANENT_ERRORS:
            raise
        except ChatKitError as error:
            self._failed(thread, error.detail + (f" (request {error.request_id})" if error.request_id else ""))
            return False
        if page is _Missing.THREAD:
            self._missing.append(thread)
            return False
        if isinstance(page, _Missing):
            return self._start_over(thread, "the upstream refuses the place that it gave itself")
        if thread.items and not page.rows and (ask == self._newest or thread.last_item_id is None):
            # An empty list does not count as read.
            self._failed(thread, "the upstream shows none of its items, of which some are kept")
            return False
        if ask == self._newest:
            if write.is_newest_archived(thread, page):
                write.mark_up_to_date(thread, timezone.now())
                self._context.tally.threads_read += 1
                return False
            self._wanted[thread.number] = page
            return True
        return self._store_page(thread, page)

    def _store_page(self, thread: ArchivedThread, page: Page[ThreadItem]) -> bool:
        """Stores a page of items. Returns whether the next one has to be requested."""
        passed, before = self._passed.setdefault(thread.number, set()), thread.read_at
        self._context.tally.new_items += write.store_items(thread, page, timezone.now())
        if page.lost or (page.has_more and page.last_id in passed):
            self._failed(thread, "the upstream gives no way to reach the rest of it", _THREAD_RETRY_DELAYS[-1])
            return False
        if page.has_more:
            passed.add(page.last_id or "")
            return True
        del self._passed[thread.number]
        wanted = self._wanted.pop(thread.number, None)
        if wanted is not None and not write.is_newest_archived(thread, wanted):
            write.mark_incomplete(thread, before)
            self._wanted[thread.number] = wanted
            return self._start_over(thread, "the upstream shows a newest item that is on none of its pages")
        self._context.tally.threads_read += 1
        return False

    def _start_over(self, thread: ArchivedThread, why: str) -> bool:
        """Reads the thread again from its first item, once in a run; the second time it has failed."""
        self._passed.pop(thread.number, None)
        if thread.number in self._restarted:
            self._failed(thread, why)
            return False
        self._restarted.add(thread.number)
        write.restart_items(thread)
        return True

    def _failed(self, thread: ArchivedThread, why: str, pause: timedelta | None = None) -> None:
        pause = pause or _THREAD_RETRY_DELAYS[min(thread.failures, len(_THREAD_RETRY_DELAYS) - 1)]
        write.store_failure(thread, why, timezone.now() + pause)
        self._context.tally.failures += 1

    def _check_missing(self) -> None:
        """Checks threads answered with 404 for deletion. Makes calls, so it must run outside any transaction."""
        # Newest first, as after a sweep: see `threads.archive.sync.sweep._batches`.
        missing, self._missing = sorted(self._missing, key=lambda thread: -thread.number), []
        for thread in missing:
            finding = self._context.evidence.of(thread.thread_id)
            if isinstance(finding.error, PERMANENT_ERRORS):
                raise finding.error
            with self._context.leased_transaction():
                self._context.store_finding(thread, finding)
                if finding.verdict is not DeletionVerdict.DELETED and write.is_archived(thread):
                    self._failed(thread, _not_deleted(finding))


def _not_deleted(finding: DeletionFinding) -> str:
    """Why the items could not be read of a thread that is not known to be deleted."""
    if finding.verdict is DeletionVerdict.PRESENT:
        return "the upstream has the thread, and answers 404 for its items"
    return f"the upstream answers 404 for it, which is not believed: {finding.why}"


def _is_due(thread: ArchivedThread) -> bool:
    """Whether the next round reads the thread on, from its last stored page."""
    return thread.read_at is None or thread.due_at is None or thread.due_at <= timezone.now()


def _batches(threads: QuerySet[ArchivedThread]) -> Iterator[ArchivedThread]:
    """The threads, newest first, 200 at a time to bound memory."""
    left = threads.order_by("-number")
    batch = list(left[:200])
    while batch:
        yield from batch
        batch = list(left.filter(number__lt=batch[-1].number)[:200])


def _ordered(threads: QuerySet[ArchivedThread], by: str) -> Iterator[ArchivedThread]:
    """The threads in the order of a time column, 200 at a time."""
    left = threads.order_by(by, "number")
    batch = list(left[:200])
    while batch:
        yield from batch
        time, number = getattr(batch[-1], by), batch[-1].number
        batch = list(left.filter(Q(**{f"{by}__gt": time}) | Q(**{by: time}, number__gt=number))[:200])
