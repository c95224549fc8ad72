"""Context of one sync run: calls to the upstream with retries, transactions under the lease, and progress.

Retries have three layers, each for failures that outlast the one before:
1. `threads.chatkit.transport` sends a GET again within one call, by the policy in `threads.chatkit.retry`;
2. `SyncContext.with_retries` here repeats a call after `RETRY_PAUSES`, and after a 429 for as long as it takes;
3. `threads.archive.sync.item_reader` lets a later run read a failed thread again, after its `_THREAD_RETRY_DELAYS`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from threading import Event
from typing import TypeVar

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from threads.archive import removal
from threads.archive.deletion_evidence import DeletionChecker, DeletionFinding, DeletionVerdict
from threads.archive.models import ArchivedThread, SyncRun
from threads.archive.store import sqlite_wal, tombstones, word_index, write
from threads.chatkit import (
    PERMANENT_ERRORS,
    ChatKitClient,
    ChatKitError,
    Page,
    RateLimited,
    Thread,
)

from . import sync_requests
from .lease import ArchiveLease
from .rate_limit import RateLimiter
from .throughput import Throughput

RETRY_PAUSES = (0.5, 2.0, 8.0)
"""Seconds before each retry of a call that failed in a way that may pass; after the last one the error is raised."""

LEASE_RENEWAL_SECONDS = 15.0
"""How often the lease is renewed during a call that takes long."""

log = logging.getLogger(__name__)

_PROGRESS_SECONDS = 1.0
"""Seconds between two updates of the `SyncRun` row."""

ResultT = TypeVar("ResultT")


class SyncStoppedError(Exception):
    """The run was asked to stop. Everything stored so far stays."""


@dataclass(slots=True)
class SyncTally:
    """Counts of one run so far. `new` threads and items were not archived before; `threads_read` conversations were
    read to the end; `failures` are threads that could not be read, `refusals` replies with status 429."""

    pages: int = 0
    threads_seen: int = 0
    new_threads: int = 0
    new_items: int = 0
    threads_read: int = 0
    failures: int = 0
    refusals: int = 0


Watch = Callable[[SyncTally], None]
"""Called after each stored page, to show progress."""


class SyncContext:
    """What the passes of one run share: client, thread pool, rate limit, lease, counts and deletion checks.

    `pauses` are the seconds before each retry; see `with_retries`."""

    def __init__(
        self,
        client: ChatKitClient,
        *,
        side_by_side: int,
        per_minute: float | None,
        pauses: Sequence[float],
        watch: Watch,
    ) -> None:
        self.client = client
        self.evidence = DeletionChecker(client, lambda call: self.wait_for(lambda: self.with_retries(call)))
        self.side_by_side = side_by_side
        self.tally = SyncTally()
        self._stopped = Event()
        self._rate_limiter = RateLimiter(per_minute, sleep=self._stopped.wait)
        self._turns = sqlite_wal.WritePauses(self._stopped.wait)
        self._pauses = pauses
        self._watch = watch

    def begin(self, *, everything: bool, answers: bool) -> None:
        """Takes the lease and starts the `SyncRun` row. With `answers` the run fulfils the open sync request. Raises
        `LeaseHeldError`."""
        self._lease = ArchiveLease("sync")
        self.pool = ThreadPoolExecutor(self.side_by_side, thread_name_prefix="sync")
        now = timezone.now()
        unused = {name: 0 for name in asdict(self.tally) if name != "pages"}
        started = {"started_at": now, "updated_at": now, "finished_at": None, "phase": "walk", "phase_at": now}
        about = {"holder": self._lease.holder, "phase_done": 0, "everything": everything}
        with transaction.atomic():
            self._lease.renew()
            SyncRun.objects.update_or_create(pk=1, defaults=unused | started | about)
            if answers:
                sync_requests.mark_started()
        self._phase, self._throughput, self._saved_at = "walk", Throughput(now, 0), time.monotonic()

    def end(self) -> None:
        """Stops the pool, ends the `SyncRun` row and releases the lease."""
        self.stop()
        self.pool.shutdown(cancel_futures=True)
        # If another worker has taken over, the row is that worker's.
        SyncRun.objects.filter(pk=1, holder=self._lease.holder).update(finished_at=Now(), **self._progress())
        self._lease.release()

    def stop(self) -> None:
        """Ends every wait, so that the run ends soon. May be called from another thread or a signal handler."""
        self._stopped.set()

    # Calls

    def wait_for(self, call: Callable[[], ResultT]) -> ResultT:
        """The result of a call made in the pool. Renews the lease meanwhile."""
        outcome = self.pool.submit(call)
        while not wait([outcome], timeout=LEASE_RENEWAL_SECONDS).done:
            self._lease.renew()
            self._save_progress()
        return outcome.result()

    def with_retries(self, call: Callable[[], ResultT]) -> ResultT:
        """The result of a call, made within the rate limit. Retries after a 429 without an end, and after other
        retryable errors once for each of `pauses`. Raises `SyncStoppedError`, and the last `ChatKitError`."""
        pauses = iter(self._pauses)
        while True:
            self._rate_limiter.acquire()
            if self._stopped.is_set():
                raise SyncStoppedError
            try:
                answer = call()
            except RateLimited as error:
                self.tally.refusals += 1
                self._rate_limiter.back_off(error.retry_after)
            except ChatKitError as error:
                pause = next(pauses, None) if error.retryable else None
                if pause is None:
                    raise
                self._stopped.wait(pause)
            else:
                self._rate_limiter.reset_backoff()
                return answer

    # Storing

    @contextmanager
    def leased_transaction(self) -> Iterator[None]:
        """A transaction that commits only while this run holds the lease. Raises `LeaseLostError`."""
        began = time.monotonic()
        with transaction.atomic():
            self._lease.renew()
            tombstones.lock_for_storing()
            with word_index.words_at_end():
                yield
            self._save_progress()
        self._turns.took(time.monotonic() - began)

    def store_finding(self, thread: ArchivedThread, finding: DeletionFinding) -> None:
        """Marks a thread that was found to be deleted; refreshes one that is still there."""
        if finding.verdict is DeletionVerdict.DELETED:
            removal.mark_deleted(thread, timezone.now())
        elif finding.thread is not None and write.is_archived(thread):
            write.refresh_threads([(thread, finding.thread)], timezone.now())

    def check_deleted(self, thread: ArchivedThread) -> DeletionFinding:
        """Checks whether a thread that the list did not show is deleted, and stores the finding. Makes calls, so it
        must run outside any transaction. Raises one of `PERMANENT_ERRORS`."""
        finding = self.evidence.of(thread.thread_id)
        if isinstance(finding.error, PERMANENT_ERRORS):
            raise finding.error
        with self.leased_transaction():
            self.store_finding(thread, finding)
        return finding

    def was_deleted(self, last: ArchivedThread) -> bool:
        """Whether the newest archived thread, which the list did not show, is deleted; if not, the list was cut off."""
        if not ArchivedThread.objects.filter(pk=last.pk).exists():  # erased meanwhile
            return True
        finding = self.check_deleted(last)
        if finding.verdict is not DeletionVerdict.DELETED:
            log.warning("The list of threads ends before the newest archived thread, so it is treated as incomplete.")
        return finding.verdict is DeletionVerdict.DELETED

    # Progress

    def count_page(self, page: Page[Thread], new: int) -> None:
        """Counts a stored page of the list, with `new` threads."""
        self.tally.pages += 1
        self.tally.threads_seen += len(page.rows)
        self.tally.new_threads += new
        self.notify()

    def set_phase(self, name: str) -> None:
        """Sets the phase of the run: one of `threads.archive.sync.status.PHASES`."""
        if name != self._phase:
            self._phase, self._saved_at = name, time.monotonic()
            self._throughput = Throughput(timezone.now(), self._phase_count())
            SyncRun.objects.filter(pk=1, holder=self._lease.holder).update(phase=name, **self._progress())

    def notify(self) -> None:
        """Passes the counts to the watcher of the run."""
        self._watch(self.tally)

    def _save_progress(self) -> None:
        if time.monotonic() - self._saved_at >= _PROGRESS_SECONDS:
            self._saved_at = time.monotonic()
            SyncRun.objects.filter(pk=1, holder=self._lease.holder).update(**self._progress())

    def _progress(self) -> dict[str, object]:
        counted = asdict(self.tally)
        del counted["pages"]
        now = timezone.now()
        start, done = self._throughput.window(now, self._phase_count())
        return counted | {"updated_at": now, "phase_at": start, "phase_done": done}

    def _phase_count(self) -> int:
        return self.tally.threads_read if self._phase == "read" else self.tally.threads_seen
