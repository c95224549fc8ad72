"""Reads the items of each thread whose time has come, several threads at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from datetime import datetime, timedelta
from enum import Enum, auto
from itertools import chain

from django.db.models import Q, QuerySet
from django.utils import timezone

from threads.chatkit import (
    MAX_LIMIT,
    ChatKitError,
    NotFound,
    NotSignedIn,
    Page,
    Retired,
    ScopesMissing,
    ThreadItem,
)

from . import keep
from .asking import RENEWAL, Asking
from .models import ArchivedItem, ArchivedThread

_HOPELESS = (NotSignedIn, ScopesMissing, Retired)
"""Faults that every further call would meet too."""

_RETRIES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(hours=1), timedelta(hours=6))
"""After how long a thread is asked for again whose items could not be had: after its first failure, its second …"""


class _Missing(Enum):
    """What a 404 for a page of items was about."""

    THREAD = auto()
    PLACE = auto()


class Outcome(Enum):
    """How far a round of reading came."""

    NOTHING_DUE = auto()
    ALL_READ = auto()
    CUT_SHORT = auto()


_Pages = dict[Future[Page[ThreadItem] | _Missing], ArchivedThread]


class Reading:
    """The reading of one run. With `everything`, also of threads whose time has not come."""

    def __init__(self, asking: Asking, *, everything: bool) -> None:
        self._asking = asking
        self._everything = everything
        self._began = timezone.now()
        self._reached: int | None = None
        """The number of the last thread that was taken because everything is to be read: newest first."""

    def round(self, until: datetime | None) -> Outcome:
        """Reads what is due. After `until` no more threads are begun, and those that are due stay so."""
        under_way: _Pages = {}
        waiting = self._due()
        some = late = False
        while True:
            while not late and len(under_way) < 2 * self._asking.side_by_side:
                thread = next(waiting, None)
                if thread is None:
                    break
                self._submit(under_way, thread)
                late = until is not None and timezone.now() >= until
            if not under_way:
                break
            some = True
            done, _ = wait(under_way, timeout=RENEWAL, return_when=FIRST_COMPLETED)
            with self._asking.keeping():
                onward = [thread for each in done if self._keep(thread := under_way.pop(each), each)]
            for thread in onward:
                if not (late and _will_be_found(thread)):
                    self._submit(under_way, thread)
            self._asking.done()
        if late:
            return Outcome.CUT_SHORT
        self._everything = False
        return Outcome.ALL_READ if some else Outcome.NOTHING_DUE

    def _due(self) -> Iterator[ArchivedThread]:
        """First those never read to their end, newest first, then those whose time has come, or all."""
        now = timezone.now()
        there = ArchivedThread.objects.filter(gone_at__isnull=True)
        ready = there.filter(Q(due_at__isnull=True) | Q(due_at__lte=now))
        again = self._all(there) if self._everything else _batches(ready.filter(read_at__lt=now))
        return chain(_batches(ready.filter(read_at__isnull=True)), again)

    def _all(self, there: QuerySet[ArchivedThread]) -> Iterator[ArchivedThread]:
        """All that this run has not read yet: a round goes on where the one before was cut short."""
        left = there.filter(read_at__lt=self._began)
        for thread in _batches(left if self._reached is None else left.filter(number__lt=self._reached)):
            self._reached = thread.number
            yield thread

    def _submit(self, under_way: _Pages, thread: ArchivedThread) -> None:
        under_way[self._asking.pool.submit(self._page, thread)] = thread

    def _page(self, thread: ArchivedThread) -> Page[ThreadItem] | _Missing:
        """The next page of a thread's items. A 404 may mean the thread, or the item that the reading goes on from."""
        after = thread.last_item_id
        ask = self._asking
        try:
            return ask.asked(lambda: ask.client.list_items(thread.thread_id, order="asc", limit=MAX_LIMIT, after=after))
        except NotFound:
            if not ask.exists(thread.thread_id):
                return _Missing.THREAD
            if after is None:
                raise
            return _Missing.PLACE

    def _keep(self, thread: ArchivedThread, outcome: Future[Page[ThreadItem] | _Missing]) -> bool:
        """Keeps a page, or why there is none. Returns whether there is more to be asked for."""
        tally = self._asking.tally
        if not keep.is_there(thread):  # it was erased meanwhile
            return False
        try:
            page = outcome.result()
        except _HOPELESS:
            raise
        except ChatKitError as error:
            pause = _RETRIES[min(thread.failures, len(_RETRIES) - 1)]
            said = error.detail + (f" (request {error.request_id})" if error.request_id else "")
            keep.trouble(thread, said, timezone.now() + pause)
            tally.failures += 1
            return False
        if page is _Missing.THREAD:
            self._asking.gone(thread)
            return False
        if isinstance(page, _Missing):
            keep.anew(thread)
            return True
        after = thread.last_item_id
        new = keep.items(thread, page, timezone.now())
        tally.new_items += new
        if page.lost or (page.has_more and not new and not _leads_on(thread, after, page.last_id)):
            keep.trouble(thread, "the upstream gives no way to reach the rest of it", timezone.now() + _RETRIES[-1])
            tally.failures += 1
            return False
        tally.threads_read += not page.has_more
        return page.has_more


def _leads_on(thread: ArchivedThread, after: str | None, last: str | None) -> bool:
    """Whether a page without a new item leads further: somebody who reads along may have kept them before."""
    places = dict(ArchivedItem.objects.filter(thread=thread, item_id__in=[after, last]).values_list("item_id", "place"))
    return last in places and places[last] > places.get(after, -1)


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
