"""How a run asks, keeps and tells: within a budget, several at once, under its lease, and until it is stopped."""

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

from threads.archive import deletions
from threads.archive.deletions import Evidence, Finding, Verdict
from threads.archive.models import ArchivedThread, Run
from threads.archive.store import sqlite_wal, tombstones, word_index, write
from threads.chatkit import ChatKitClient, ChatKitError, NotSignedIn, Page, RateLimited, Retired, ScopesMissing, Thread

from . import requests as asked
from .lease import Held
from .pace import Pace
from .rate_limit import Budget

RENEWAL = 15.0
"""Seconds after which the lease is renewed while nothing comes."""

HOPELESS = (NotSignedIn, ScopesMissing, Retired)
"""Faults that every further call would meet too."""

log = logging.getLogger(__name__)

_TOLD_EVERY = 1.0
"""Seconds between two writings of how the run goes."""

ResultT = TypeVar("ResultT")


class StoppedError(Exception):
    """The run was told to end. What was kept is kept."""


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


Watch = Callable[[Tally], None]


class Asking:
    """What the walk through the threads and the reading of their items share in one run."""

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
        self.evidence = Evidence(client, lambda call: self.one(lambda: self.asked(call)))
        self.side_by_side = side_by_side
        self.tally = Tally()
        self._stopped = Event()
        self._budget = Budget(per_minute, sleep=self._stopped.wait)
        self._turns = sqlite_wal.Turns(self._stopped.wait)
        self._pauses = pauses
        self._watch = watch

    def begin(self, *, everything: bool, answers: bool) -> None:
        """Takes the lease. The run `answers` what somebody has asked for, or is another. Raises `HeldError`."""
        self._lease = Held("sync")
        self.pool = ThreadPoolExecutor(self.side_by_side, thread_name_prefix="sync")
        now = timezone.now()
        unused = {name: 0 for name in asdict(self.tally) if name != "pages"}
        started = {"started_at": now, "updated_at": now, "ended_at": None, "phase": "walk", "phase_at": now}
        about = {"holder": self._lease.holder, "phase_done": 0, "everything": everything}
        with transaction.atomic():
            self._lease.renew()
            Run.objects.update_or_create(pk=1, defaults=unused | started | about)
            if answers:
                asked.begun()
        self._phase, self._pace, self._told = "walk", Pace(now, 0), time.monotonic()

    def end(self) -> None:
        self.stop()
        self.pool.shutdown(cancel_futures=True)
        # Who has taken over writes there now.
        Run.objects.filter(pk=1, holder=self._lease.holder).update(ended_at=Now(), **self._done())
        self._lease.release()

    def stop(self) -> None:
        """Ends every wait, so that the run ends soon. May be called from another thread, or for a signal."""
        self._stopped.set()

    # Asking

    def one(self, ask: Callable[[], ResultT]) -> ResultT:
        """The outcome of one call, the lease renewed while it takes."""
        outcome = self.pool.submit(ask)
        while not wait([outcome], timeout=RENEWAL).done:
            self._lease.renew()
            self._tell()
        return outcome.result()

    def asked(self, ask: Callable[[], ResultT]) -> ResultT:
        """Asks within the budget: again and again while the upstream says that it is too often, and a few times where
        it fails in a way that may pass. Raises `StoppedError`."""
        pauses = iter(self._pauses)
        while True:
            self._budget.take()
            if self._stopped.is_set():
                raise StoppedError
            try:
                answer = ask()
            except RateLimited as error:
                self.tally.refusals += 1
                self._budget.refused(error.retry_after)
            except ChatKitError as error:
                pause = next(pauses, None) if error.retryable else None
                if pause is None:
                    raise
                self._stopped.wait(pause)
            else:
                self._budget.accepted()
                return answer

    # Keeping

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """A transaction that only the holder of the lease can end."""
        began = time.monotonic()
        with transaction.atomic():
            self._lease.renew()
            tombstones.storing()
            with word_index.words_last():
                yield
            self._tell()
        self._turns.took(time.monotonic() - began)

    def settle(self, thread: ArchivedThread, finding: Finding) -> None:
        """Keeps what was found of a thread that the upstream had not shown."""
        if finding.verdict is Verdict.DELETED:
            deletions.mark(thread, timezone.now())
        elif finding.thread is not None and write.is_there(thread):
            write.refresh([(thread, finding.thread)], timezone.now())

    def decide(self, thread: ArchivedThread) -> Finding:
        """Whether a thread is deleted that the list should have shown, and keeps that. Asks, so it is for outside of
        any transaction. Raises the `ChatKitError` that every further call would meet too."""
        finding = self.evidence.of(thread.thread_id)
        if isinstance(finding.error, HOPELESS):
            raise finding.error
        with self.keeping():
            self.settle(thread, finding)
        return finding

    def was_deleted(self, last: ArchivedThread) -> bool:
        """Whether a list was right to end without the thread that stood last in it: else that was not its end."""
        if not ArchivedThread.objects.filter(pk=last.pk).exists():  # erased meanwhile
            return True
        finding = self.decide(last)
        if finding.verdict is not Verdict.DELETED:
            log.warning("The list of threads ended before the newest one that is kept; this is not taken for its end.")
        return finding.verdict is Verdict.DELETED

    # Telling

    def seen(self, page: Page[Thread], new: int) -> None:
        """A page of the list was kept."""
        self.tally.pages += 1
        self.tally.threads_seen += len(page.rows)
        self.tally.new_threads += new
        self.done()

    def phase(self, name: str) -> None:
        """What the run does now."""
        if name != self._phase:
            self._phase, self._told = name, time.monotonic()
            self._pace = Pace(timezone.now(), self._count())
            Run.objects.filter(pk=1, holder=self._lease.holder).update(phase=name, **self._done())

    def done(self) -> None:
        """Something was kept."""
        self._watch(self.tally)

    def _tell(self) -> None:
        if time.monotonic() - self._told >= _TOLD_EVERY:
            self._told = time.monotonic()
            Run.objects.filter(pk=1, holder=self._lease.holder).update(**self._done())

    def _done(self) -> dict[str, object]:
        counted = asdict(self.tally)
        del counted["pages"]
        now = timezone.now()
        since, done = self._pace.since(now, self._count())
        return counted | {"updated_at": now, "phase_at": since, "phase_done": done}

    def _count(self) -> int:
        return self.tally.threads_read if self._phase == "read" else self.tally.threads_seen
