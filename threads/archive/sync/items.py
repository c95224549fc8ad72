"""Reads the items of each thread whose time has come, several threads at once.

A thread that was never read to its end is read on from the last item that is kept. One that was is asked for its newest
item alone: the cheapest question that tells whether there is more to read.
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

from threads.archive.deletions import Finding, Verdict
from threads.archive.models import ArchivedThread, current
from threads.archive.store import write
from threads.archive.store.sqlite_wal import BUSY
from threads.chatkit import MAX_LIMIT, ChatKitError, CursorGone, NotFound, Page, ThreadItem

from .run import HOPELESS, RENEWAL, Asking

_RETRIES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(hours=1), timedelta(hours=6))
"""After how long a thread is asked for again whose items could not be had: after its first failure, its second …"""

_RECENT = timedelta(days=1)
"""Threads in which somebody wrote so lately are asked before the others whose time has come."""


class _Missing(Enum):
    """What a 404 or 400 for a page of items was about."""

    THREAD = auto()
    PLACE = auto()


class Outcome(Enum):
    """How far a round of reading came."""

    NOTHING_DUE = auto()
    ALL_READ = auto()
    CUT_SHORT = auto()


_Reply = Page[ThreadItem] | _Missing
_Ask = Callable[[ArchivedThread], _Reply]
_Replies = dict[Future[_Reply], tuple[ArchivedThread, _Ask]]


class Reading:
    """The reading of one run. With `everything`, also of threads whose time has not come."""

    def __init__(self, asking: Asking, *, everything: bool) -> None:
        self._asking = asking
        self._everything = everything
        self._began = timezone.now()
        self._reached: int | None = None
        """The number of the last thread that was taken because everything is to be read: newest first."""
        self._restarted: set[int] = set()
        """Threads that this run reads again from their first item."""
        self._passed: dict[int, set[str]] = {}
        """The places that this run has come to in each conversation that it has not read to its end."""
        self._wanted: dict[int, Page[ThreadItem]] = {}
        """The newest item of a conversation, which is to be met when it is read on."""
        self._missing: list[ArchivedThread] = []
        """Threads that the upstream says it does not have, to be decided on."""

    def round(self, until: datetime | None) -> Outcome:
        """Reads what is due. After `until` no more threads are begun, and those that are due stay so."""
        under_way: _Replies = {}
        waiting = self._due()
        some = late = False
        while True:
            while not late and len(under_way) < 2 * self._asking.side_by_side:
                thread = next(waiting, None)
                if thread is None:
                    break
                self._submit(under_way, thread, self._page if thread.read_at is None else self._newest)
                late = until is not None and timezone.now() >= until
            if not under_way:
                break
            some = True
            done, _ = wait(under_way, timeout=RENEWAL, return_when=FIRST_COMPLETED)
            onward = self._keep_all([(each, *under_way.pop(each)) for each in done])
            self._decide()
            for thread in onward:
                if not (late and _will_be_found(thread)):
                    self._submit(under_way, thread, self._page)
            self._asking.done()
        if late:
            return Outcome.CUT_SHORT
        self._everything = False
        return Outcome.ALL_READ if some else Outcome.NOTHING_DUE

    def _keep_all(self, taken: list[tuple[Future[_Reply], ArchivedThread, _Ask]]) -> list[ArchivedThread]:
        """Keeps what has come, in short transactions. Returns the threads that a page is to be asked for of."""
        onward = []
        while taken:
            with self._asking.keeping():
                until = time.monotonic() + BUSY
                while taken:
                    reply, thread, ask = taken.pop(0)
                    if self._keep(reply, thread, ask):
                        onward.append(thread)
                    if time.monotonic() >= until:
                        break
        return onward

    def _due(self) -> Iterator[ArchivedThread]:
        """First those never read to their end, newest first; then those in which somebody wrote lately; then the others
        whose time has come, those first that have waited longest. Or all."""
        now = timezone.now()
        there = current()
        unread = there.filter(read_at__isnull=True).filter(Q(due_at__isnull=True) | Q(due_at__lte=now))
        if self._everything:
            return chain(_batches(unread), self._all(there))
        read = there.filter(read_at__lt=now)
        due = read.filter(due_at__lte=now)
        lately = due.filter(last_activity_at__gt=now - _RECENT)
        others = due.filter(Q(last_activity_at=None) | Q(last_activity_at__lte=now - _RECENT))
        # Where the period was longer when they were last asked, their time has come all the same.
        latest = now - timedelta(hours=settings.ARCHIVE_RECHECK_ITEMS_HOURS)
        overdue = there.filter(read_at__lt=latest, due_at__gt=now, trouble__isnull=True)
        return chain(
            _batches(unread),
            _batches(read.filter(due_at__isnull=True)),
            _in_turn(lately, "due_at"),
            _in_turn(others, "due_at"),
            _in_turn(overdue, "read_at"),
        )

    def _all(self, there: QuerySet[ArchivedThread]) -> Iterator[ArchivedThread]:
        """All that this run has not read yet: a round goes on where the one before was cut short."""
        left = there.filter(read_at__lt=self._began)
        for thread in _batches(left if self._reached is None else left.filter(number__lt=self._reached)):
            self._reached = thread.number
            yield thread

    def _submit(self, under_way: _Replies, thread: ArchivedThread, ask: _Ask) -> None:
        under_way[self._asking.pool.submit(ask, thread)] = thread, ask

    def _newest(self, thread: ArchivedThread) -> _Reply:
        """The newest item of a thread alone."""
        ask = self._asking
        try:
            return ask.asked(lambda: ask.client.list_items(thread.thread_id, order="desc", limit=1))
        except NotFound:
            return _Missing.THREAD

    def _page(self, thread: ArchivedThread) -> _Reply:
        """The next page of a thread's items. A 404 may mean the thread, or the item that the reading goes on from."""
        after = thread.last_item_id
        ask = self._asking
        try:
            return ask.asked(lambda: ask.client.list_items(thread.thread_id, order="asc", limit=MAX_LIMIT, after=after))
        except CursorGone:
            reply = self._newest(thread)
            return reply if reply is _Missing.THREAD else _Missing.PLACE
        except NotFound:
            return _Missing.THREAD

    def _keep(self, reply: Future[_Reply], thread: ArchivedThread, ask: _Ask) -> bool:
        """Keeps a page, or why there is none. Returns whether a page is to be asked for."""
        if not write.is_there(thread):  # it was erased meanwhile
            return False
        try:
            page = reply.result()
        except HOPELESS:
            raise
        except ChatKitError as error:
            self._failed(thread, error.detail + (f" (request {error.request_id})" if error.request_id else ""))
            return False
        if page is _Missing.THREAD:
            self._missing.append(thread)
            return False
        if isinstance(page, _Missing):
            return self._again(thread, "the upstream refuses the place that it gave itself")
        if thread.items and not page.rows and (ask == self._newest or thread.last_item_id is None):
            # An empty list completes nothing.
            self._failed(thread, "the upstream shows none of its items, of which some are kept")
            return False
        if ask == self._newest:
            if write.is_last_kept(thread, page):
                write.last_kept(thread, timezone.now())
                self._asking.tally.threads_read += 1
                return False
            self._wanted[thread.number] = page
            return True
        return self._kept(thread, page)

    def _kept(self, thread: ArchivedThread, page: Page[ThreadItem]) -> bool:
        """Keeps a page of items. Returns whether a further one is to be asked for."""
        passed, before = self._passed.setdefault(thread.number, set()), thread.read_at
        self._asking.tally.new_items += write.items(thread, page, timezone.now())
        if page.lost or (page.has_more and page.last_id in passed):
            self._failed(thread, "the upstream gives no way to reach the rest of it", _RETRIES[-1])
            return False
        if page.has_more:
            passed.add(page.last_id or "")
            return True
        del self._passed[thread.number]
        wanted = self._wanted.pop(thread.number, None)
        if wanted is not None and not write.is_last_kept(thread, wanted):
            write.unchecked(thread, before)
            self._wanted[thread.number] = wanted
            return self._again(thread, "the upstream shows a newest item that is on none of its pages")
        self._asking.tally.threads_read += 1
        return False

    def _again(self, thread: ArchivedThread, why: str) -> bool:
        """Has the thread read again from its first item, once in a run."""
        self._passed.pop(thread.number, None)
        if thread.number in self._restarted:
            self._failed(thread, why)
            return False
        self._restarted.add(thread.number)
        write.restart(thread)
        return True

    def _failed(self, thread: ArchivedThread, why: str, pause: timedelta | None = None) -> None:
        pause = pause or _RETRIES[min(thread.failures, len(_RETRIES) - 1)]
        write.trouble(thread, why, timezone.now() + pause)
        self._asking.tally.failures += 1

    def _decide(self) -> None:
        """Whether the threads that were answered with 404 are deleted. Outside of any transaction: it asks."""
        # Newest first, as after a sweep.
        missing, self._missing = sorted(self._missing, key=lambda thread: -thread.number), []
        for thread in missing:
            finding = self._asking.evidence.of(thread.thread_id)
            if isinstance(finding.error, HOPELESS):
                raise finding.error
            with self._asking.keeping():
                self._asking.settle(thread, finding)
                if finding.verdict is not Verdict.DELETED and write.is_there(thread):
                    self._failed(thread, _unread(finding))


def _unread(finding: Finding) -> str:
    if finding.verdict is Verdict.PRESENT:
        return "the upstream has the thread, and answers 404 for its items"
    return f"the upstream answers 404 for it, which is not believed: {finding.why}"


def _will_be_found(thread: ArchivedThread) -> bool:
    """Whether the next round goes on with it by itself, from the last page that was kept."""
    return thread.read_at is None or thread.due_at is None or thread.due_at <= timezone.now()


def _batches(found: QuerySet[ArchivedThread]) -> Iterator[ArchivedThread]:
    """Newest first, a few at a time, so that memory stays flat."""
    left = found.order_by("-number")
    batch = list(left[:200])
    while batch:
        yield from batch
        batch = list(left.filter(number__lt=batch[-1].number)[:200])


def _in_turn(found: QuerySet[ArchivedThread], by: str) -> Iterator[ArchivedThread]:
    """The same, in the order of a time."""
    left = found.order_by(by, "number")
    batch = list(left[:200])
    while batch:
        yield from batch
        time, number = getattr(batch[-1], by), batch[-1].number
        batch = list(left.filter(Q(**{f"{by}__gt": time}) | Q(**{by: time}, number__gt=number))[:200])
