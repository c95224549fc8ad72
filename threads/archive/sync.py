"""Copies every thread and every item, and says so only when it is so.

Two walks. The first goes through the list of threads, oldest first, from where the last one ended; what has arrived
since stands behind that place. The second reads the items of each thread that has not been read to its end, several at
once. Each page is kept together with the place it ends at, in one transaction: whenever the process dies, the next one
goes on from the last page that was kept, and nothing is kept twice. When all is read, the end of the list is asked for
again: only if nothing has arrived there is the archive complete.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from threading import Event
from typing import TypeVar

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from threads.chatkit import (
    MAX_LIMIT,
    ChatKitClient,
    ChatKitError,
    Garbled,
    NotFound,
    NotSignedIn,
    Page,
    RateLimited,
    Retired,
    ScopesMissing,
    Thread,
    ThreadItem,
)

from . import keep
from .budget import Budget
from .lease import Held
from .models import ArchivedThread, Progress

_HOPELESS = (NotSignedIn, ScopesMissing, Retired)
"""Faults that every further call would meet too."""

_RENEWAL = 15.0
"""Seconds after which the lease is renewed while nothing comes."""

_RETRIES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(hours=1), timedelta(hours=6))
"""After how long a thread is asked for again whose items could not be had: after its first failure, its second …"""

ResultT = TypeVar("ResultT")


@dataclass(slots=True)
class Tally:
    """What a run has done so far. `new` threads and items were not there before it."""

    pages: int = 0
    threads_seen: int = 0
    new_threads: int = 0
    new_items: int = 0
    threads_read: int = 0
    failures: int = 0
    refusals: int = 0


class _Missing(Enum):
    """What a 404 for a page of items was about."""

    THREAD = auto()
    PLACE = auto()


Watch = Callable[[Tally], None]


class Sync:
    """One run. Raises `HeldError` where another worker is at it, `LeaseLostError` where one has taken over, and the
    `ChatKitError` that ends the run: the key, the permission, or the endpoint is gone, or the list can't be had."""

    def __init__(
        self,
        client: ChatKitClient,
        *,
        with_items: bool = True,
        side_by_side: int = 4,
        per_minute: float | None = None,
        pauses: Sequence[float] = (0.5, 2, 8),
        watch: Watch = lambda _tally: None,
    ) -> None:
        self._client = client
        self._with_items = with_items
        self._side_by_side = side_by_side
        self._stopped = Event()
        self._budget = Budget(per_minute, sleep=self._stopped.wait)
        self._pauses = pauses
        self._watch = watch
        self.tally = Tally()

    def run(self, *, everything: bool = False) -> None:
        """Copies until there is nothing to copy that can be had now. `everything` asks for each thread again, in place
        of those whose time has come."""
        self._lease = Held("sync")
        progress = _progress()
        self._pool = ThreadPoolExecutor(self._side_by_side, thread_name_prefix="sync")
        try:
            with self._noted(progress):
                self._walk(progress)
                if everything or progress.sweep_started_at is not None:
                    self._sweep(progress)
                while self._with_items and self._read_all(everything=everything) and self._walk(progress):
                    everything = False
                with self._keeping():
                    _settle(progress)
        finally:
            self.stop()
            self._pool.shutdown(cancel_futures=True)
            self._lease.release()

    def stop(self) -> None:
        """Ends every wait, so that the run ends soon. May be called from another thread."""
        self._stopped.set()

    # The threads

    def _walk(self, progress: Progress) -> int:
        """On to the end of the list. Returns how many threads were new."""
        before = self.tally.new_threads
        while True:
            try:
                page = self._one(lambda: self._list(progress.cursor))
            except NotFound:
                self._step_back(progress)
                continue
            with self._keeping():
                new, unreadable = keep.threads(page.rows, timezone.now())
                progress.cursor = page.last_id or progress.cursor
                progress.unreadable += unreadable
                if page.lost or (page.has_more and not new):
                    raise Garbled("the list of threads leads nowhere")
                if not page.has_more:
                    progress.reached_end_at = timezone.now()
                if new:
                    progress.complete_at = None
                progress.save()
            self._done(page, new)
            if not page.has_more:
                return self.tally.new_threads - before

    def _step_back(self, progress: Progress) -> None:
        """The thread that the walk had come to is gone: it goes on from the one before."""
        with self._keeping():
            kept = ArchivedThread.objects.filter(thread_id=progress.cursor).first()
            if kept is not None:
                keep.gone(kept, timezone.now())
            progress.cursor = _before(kept)
            progress.save()

    def _sweep(self, progress: Progress) -> None:
        """Once through the whole list, from its beginning or from where a sweep was left: refreshes each thread, and
        notices which are gone."""
        if progress.sweep_started_at is None:
            progress.sweep_started_at, progress.sweep_cursor = timezone.now(), None
        while True:
            cursor = progress.sweep_cursor
            try:
                page = self._one(lambda: self._list(cursor))  # noqa: B023  # waited for within the round
            except NotFound:
                progress.sweep_cursor = _before(ArchivedThread.objects.filter(thread_id=cursor).first())
                continue
            missing = self._missing(_passed(cursor, page))
            with self._keeping():
                new, _ = keep.threads(page.rows, timezone.now())
                for thread in missing:
                    keep.gone(thread, timezone.now())
                progress.sweep_cursor = page.last_id or cursor
                if not page.has_more:
                    progress.swept_at, progress.sweep_started_at = progress.sweep_started_at, None
                progress.save()
            self._done(page, new)
            if not page.has_more:
                return

    def _missing(self, candidates: list[ArchivedThread]) -> list[ArchivedThread]:
        """Those of the threads that the upstream, asked for each, does not have."""
        return [thread for thread in candidates if not self._one(lambda: self._exists(thread.thread_id))]  # noqa: B023

    def _exists(self, thread_id: str) -> bool:
        try:
            self._asked(lambda: self._client.retrieve_thread(thread_id))
        except NotFound:
            return False
        return True

    def _list(self, cursor: str | None) -> Page[Thread]:
        return self._asked(lambda: self._client.list_threads(order="asc", limit=MAX_LIMIT, after=cursor))

    def _done(self, page: Page[Thread], new: int) -> None:
        self.tally.pages += 1
        self.tally.threads_seen += len(page.rows)
        self.tally.new_threads += new
        self._watch(self.tally)

    # The items

    def _read_all(self, *, everything: bool) -> bool:
        """Every thread that is to be read now. Returns whether there was any."""
        under_way: dict[Future[Page[ThreadItem] | _Missing], ArchivedThread] = {}
        waiting = _due(everything=everything)
        some = False
        while True:
            while len(under_way) < 2 * self._side_by_side and (thread := next(waiting, None)) is not None:
                under_way[self._pool.submit(self._items, thread)] = thread
            if not under_way:
                return some
            some = True
            done, _ = wait(under_way, timeout=_RENEWAL, return_when=FIRST_COMPLETED)
            with self._keeping():
                onward = [thread for each in done if self._keep_items(thread := under_way.pop(each), each)]
            for thread in onward:
                under_way[self._pool.submit(self._items, thread)] = thread
            self._watch(self.tally)

    def _items(self, thread: ArchivedThread) -> Page[ThreadItem] | _Missing:
        """The next page of a thread's items. A 404 may mean the thread, or the item that the reading goes on from."""
        after = thread.last_item_id
        try:
            return self._asked(
                lambda: self._client.list_items(thread.thread_id, order="asc", limit=MAX_LIMIT, after=after)
            )
        except NotFound:
            if not self._exists(thread.thread_id):
                return _Missing.THREAD
            if after is None:
                raise
            return _Missing.PLACE

    def _keep_items(self, thread: ArchivedThread, outcome: Future[Page[ThreadItem] | _Missing]) -> bool:
        """Keeps a page, or why there is none. Returns whether there is more to be asked for."""
        try:
            page = outcome.result()
        except _HOPELESS:
            raise
        except ChatKitError as error:
            pause = _RETRIES[min(thread.failures, len(_RETRIES) - 1)]
            said = error.detail + (f" (request {error.request_id})" if error.request_id else "")
            keep.trouble(thread, said, timezone.now() + pause)
            self.tally.failures += 1
            return False
        if page is _Missing.THREAD:
            keep.gone(thread, timezone.now())
            return False
        if isinstance(page, _Missing):
            keep.anew(thread)
            return True
        new = keep.items(thread, page, timezone.now())
        self.tally.new_items += new
        if page.lost or (page.has_more and not new):
            keep.trouble(thread, "the upstream gives no way to reach the rest of it", timezone.now() + _RETRIES[-1])
            self.tally.failures += 1
            return False
        self.tally.threads_read += not page.has_more
        return page.has_more

    # Asking

    def _one(self, ask: Callable[[], ResultT]) -> ResultT:
        """The outcome of one call, the lease renewed while it takes."""
        outcome = self._pool.submit(ask)
        while not wait([outcome], timeout=_RENEWAL).done:
            self._lease.renew()
        return outcome.result()

    def _asked(self, ask: Callable[[], ResultT]) -> ResultT:
        """Asks within the budget: again and again while the upstream says that it is too often, and a few times where
        it fails in a way that may pass."""
        pauses = iter(self._pauses)
        while True:
            self._budget.take()
            try:
                answer = ask()
            except RateLimited as error:
                self.tally.refusals += 1
                self._budget.refused(error.retry_after)
                if self._stopped.is_set():
                    raise
            except ChatKitError as error:
                pause = next(pauses, None) if error.retryable else None
                if pause is None or self._stopped.wait(pause):
                    raise
            else:
                self._budget.accepted()
                return answer

    @contextmanager
    def _keeping(self) -> Iterator[None]:
        """A transaction that only the holder of the lease can end."""
        with transaction.atomic():
            self._lease.renew()
            yield

    @contextmanager
    def _noted(self, progress: Progress) -> Iterator[None]:
        """What ends the run before its end stands in the report."""
        try:
            yield
        except ChatKitError as error:
            with self._keeping():
                Progress.objects.filter(pk=progress.pk).update(failed_at=timezone.now(), failure=error.detail)
            raise
        Progress.objects.filter(pk=progress.pk).update(failed_at=None, failure=None)


def _progress() -> Progress:
    progress, _ = Progress.objects.get_or_create(pk=1, defaults={"started_at": timezone.now()})
    return progress


def _settle(progress: Progress) -> None:
    """Complete, where nothing is left to read: all was read, and after that the end of the list had nothing new."""
    left = ArchivedThread.objects.filter(read_at__isnull=True, gone_at__isnull=True).exists()
    complete = progress.reached_end_at is not None and not left and not progress.unreadable
    progress.complete_at = timezone.now() if complete else None
    progress.save(update_fields=["complete_at"])


def _before(thread: ArchivedThread | None) -> str | None:
    """The id of the last thread before this one that the upstream still has, as far as is known."""
    if thread is None:
        return None
    there = ArchivedThread.objects.filter(gone_at__isnull=True, number__lt=thread.number)
    return there.order_by("-number").values_list("thread_id", flat=True).first()


def _passed(cursor: str | None, page: Page[Thread]) -> list[ArchivedThread]:
    """The kept threads that should stand on this page of a sweep, which began behind `cursor`, and do not."""
    ends = ArchivedThread.objects.filter(thread_id__in=[each for each in (cursor, page.last_id) if each])
    numbers = dict(ends.values_list("thread_id", "number"))
    there = ArchivedThread.objects.filter(gone_at__isnull=True)
    if cursor is not None:
        there = there.filter(number__gt=numbers[cursor])
    if page.has_more:
        # A page that ends with a thread that is not kept yet lies behind all that are.
        there = there.filter(number__lt=numbers[page.last_id]) if page.last_id in numbers else there.none()
    shown = {row.id for row in page.rows}
    return [thread for thread in there if thread.thread_id not in shown]


def _due(*, everything: bool) -> Iterator[ArchivedThread]:
    """The threads whose items are to be asked for now: first those never read to their end, newest first, then those
    whose time has come, or all."""
    now = timezone.now()
    there = ArchivedThread.objects.filter(gone_at__isnull=True)
    ready = there.filter(Q(due_at__isnull=True) | Q(due_at__lte=now))
    yield from _batches(ready.filter(read_at__isnull=True))
    yield from _batches((there if everything else ready).filter(read_at__lt=now))


def _batches(found: QuerySet[ArchivedThread]) -> Iterator[ArchivedThread]:
    """Newest first, a few at a time, so that memory stays flat."""
    left = found.order_by("-number")
    batch = list(left[:200])
    while batch:
        yield from batch
        batch = list(left.filter(number__lt=batch[-1].number)[:200])
