"""Runs a sync: copies every thread and item into the archive, and keeps them up to date.

A run has these passes:
- the walk reads the list of threads, oldest first, from 15 minutes before the place where the last walk ended, since
  threads of one second may stand in any order, and one may become visible late;
- the newest threads are refreshed in each round, and the sweep refreshes the whole list in portions, since the API has
  no way to ask for changes;
- the items are read of each thread that was not read to its end, or may have new ones.

Each page is stored in one transaction with the cursor it ends at. If the process dies, the next run resumes behind the
last stored page, and nothing is stored twice. A thread that the list does not show is marked as deleted upstream only
on evidence: see `threads.archive.deletion_evidence`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.utils import timezone

from threads.archive.deletion_evidence import DeletionVerdict
from threads.archive.models import ArchivedThread, Progress, current
from threads.archive.store import write
from threads.chatkit import MAX_LIMIT, ChatKitClient, ChatKitError, CursorGone, Garbled, Page, Retired, Thread, pages

from . import sync_requests
from .context import RETRY_PAUSES, SyncContext, SyncStoppedError, SyncTally, Watch
from .item_reader import ItemReader, RoundResult
from .run_audit import recorded
from .sweep import Sweep
from .thread_list import NOT_OURS, archived_ids, before, is_known, list_page, list_pages, newest_id

__all__ = ["Sync", "SyncTally"]

_RECENT = timedelta(days=1)
"""Age up to which threads are refreshed in each round."""

OVERLAP = timedelta(minutes=15)
"""How far before the end of the last walk the next one begins."""

_BEGINNING = datetime.min.replace(tzinfo=UTC) + OVERLAP

_MAX_ROUNDS = 10
"""Rounds in which a periodic run reads what has arrived meanwhile; the rest is left to the next run."""


class Sync:
    """One run of the sync.

    `with_items` reads conversations too, `side_by_side` of them at once. `per_minute` limits the requests, `pauses` are
    the seconds before each retry of a call. `watch` is called with the counts after each stored page.

    With `every`, the run goes in rounds of that length, so that new threads are stored soon while a long reading or a
    sweep is under way; None for one round of any length. Each round refreshes up to `recent_pages` pages of the newest
    threads. Threads that were deleted upstream are marked; with `purge` their copies are removed after a second sweep,
    at least a day later, has not shown them either.
    """

    def __init__(
        self,
        client: ChatKitClient,
        *,
        with_items: bool = True,
        side_by_side: int = 4,
        per_minute: float | None = None,
        pauses: Sequence[float] = RETRY_PAUSES,
        watch: Watch = lambda _tally: None,
        every: timedelta | None = None,
        recent_pages: int = 0,
        purge: bool = False,
    ) -> None:
        self._context = SyncContext(
            client, side_by_side=side_by_side, per_minute=per_minute, pauses=pauses, watch=watch
        )
        self._sweep = Sweep(self._context, purge=purge)
        self._with_items = with_items
        self._every = every
        self._recent_pages = recent_pages
        self.tally = self._context.tally

    def run(self, *, everything: bool = False, recheck: timedelta | None = None) -> None:
        """Syncs until nothing is due, or until `stop` is called.

        `everything` reads each thread again, not only those that are due. A sweep begins if the last one began longer
        than `recheck` ago, or continues: to its end without `every`, else for half a round.

        Raises `LeaseHeldError` if another worker holds the lease, `LeaseLostError` if one has taken over, and a
        `ChatKitError` that ends the run: one of `PERMANENT_ERRORS`, or the list can't be read.
        """
        # A sync request is for everything that is archived here, so a run without items fulfils it only where items
        # are not archived.
        answers = everything and (self._with_items or settings.ARCHIVE != "full")
        self._context.begin(everything=everything, answers=answers)
        progress, _ = Progress.objects.get_or_create(pk=1, defaults={"started_at": timezone.now()})
        try:
            with (
                recorded(self.tally, everything=everything, failing=progress.failure),
                self._storing_failure(progress, answers),
            ):
                self._rounds(progress, everything=everything, recheck=recheck)
                if answers:
                    with self._context.leased_transaction():
                        sync_requests.mark_finished()
        except SyncStoppedError:
            pass
        finally:
            self._context.end()

    def stop(self) -> None:
        """Ends every wait, so that the run ends soon. May be called from another thread or a signal handler."""
        self._context.stop()

    def _rounds(self, progress: Progress, *, everything: bool, recheck: timedelta | None) -> None:
        self._count_uncounted()
        reader = ItemReader(self._context, everything=everything)
        self._walk(progress)
        begun, rounds_left = None, _MAX_ROUNDS
        while True:
            if begun is None or self._every is None or timezone.now() >= begun + self._every:
                begun = timezone.now()
                self._refresh_recent()
                if everything or progress.sweep_started_at or (recheck and _is_sweep_due(progress, recheck)):
                    # A run for everything sweeps to the end; a periodic sweep must not delay new threads.
                    portion = None if everything or self._every is None else begun + self._every / 2
                    self._sweep.run(progress, portion)
                    everything = False
                self._sweep.check_unlisted(progress, None if self._every is None else begun + self._every / 2)
            if not self._with_items:
                break
            self._context.set_phase("read")
            # However long the rest took, half a round is for reading.
            until = None if self._every is None else max(begun + self._every, timezone.now() + self._every / 2)
            result = reader.read_round(until)
            if result is RoundResult.NOTHING_DUE:
                break
            new = self._walk(progress)
            if result is RoundResult.ALL_READ:
                rounds_left -= 1
                if not new or (self._every is not None and not rounds_left):
                    break
        self._context.set_phase("ended")

    def _count_uncounted(self) -> None:
        """Counts and indexes threads that an older version stored."""
        left = True
        while left:
            with self._context.leased_transaction():
                left = write.count_uncounted() > 0

    def _walk(self, progress: Progress) -> int:
        """Stores new threads, to the end of the list. Returns how many."""
        self._context.set_phase("walk")
        new_before = self.tally.new_threads
        last = _last_walked(progress)
        start = _overlap_start(last) if last else None
        newest = newest_id(self._context)
        seen: set[str] = set()
        unreadable = 0
        for number, page in enumerate(list_pages(self._context, start, before)):
            seen |= archived_ids(page)
            if last is not None and number == 0 and page.rows and not seen and not self._context.was_deleted(last):
                raise Garbled(NOT_OURS)
            with self._context.leased_transaction():
                new, more = write.store_threads(page.rows, timezone.now())
                unreadable += more
                progress.cursor = page.last_id or progress.cursor
                # Walks overlap and meet the same rows again: only a sweep counts each row once.
                progress.unreadable = max(progress.unreadable, unreadable)
                if page.lost:
                    raise Garbled("the list of threads leads nowhere")
                progress.save(update_fields=["cursor", "unreadable"])
            self._context.count_page(page, new)
        # The list may have been cut off, even on the first page.
        ended = last is None or last.thread_id in seen or self._context.was_deleted(last)
        if ended and is_known(newest):
            with self._context.leased_transaction():
                progress.reached_end_at = timezone.now()
                progress.save(update_fields=["reached_end_at"])
        return self.tally.new_threads - new_before

    def _refresh_recent(self) -> None:
        """Refreshes the newest archived threads, for `recent_pages` pages or down to `_RECENT`, and checks those that
        the list should show and does not."""
        since, above = timezone.now() - _RECENT, None
        newest_first = pages(lambda after: self._context.wait_for(lambda: list_page(self._context, after, "desc")))
        for _ in range(self._recent_pages):
            self._context.set_phase("recent")
            try:
                page = next(newest_first, None)
            except CursorGone:  # the last thread of the page before was deleted; the next round starts over
                return
            if page is None:
                return
            archived = ArchivedThread.objects.in_bulk([row.id for row in page.rows if row.id], field_name="thread_id")
            numbers = [thread.number for thread in archived.values()]
            unlisted = _unlisted(page, min(numbers), above) if numbers else []
            with self._context.leased_transaction():
                # Threads that are new since the walk are left to the next walk, which stores them in order.
                write.store_threads([row for row in reversed(page.rows) if row.id in archived], timezone.now())
            for thread in unlisted:
                finding = self._context.check_deleted(thread)
                if finding.verdict is DeletionVerdict.UNDECIDED and not self._context.evidence.controls_hold():
                    break
            self._context.count_page(page, 0)
            oldest = min((row.created_at for row in page.rows if row.created_at), default=since)
            if oldest <= since:
                return
            above = min(numbers, default=above)

    @contextmanager
    def _storing_failure(self, progress: Progress, answers: bool) -> Iterator[None]:
        """Stores the error that ends the run, or clears the last one. A failed run closes the sync request too, if it
        `answers` one."""
        try:
            yield
        except ChatKitError as error:
            with self._context.leased_transaction():
                store_failure(error)
                if answers:
                    sync_requests.mark_finished()
            raise
        with self._context.leased_transaction():
            Progress.objects.filter(pk=progress.pk).update(failed_at=None, failure=None)


def store_failure(error: ChatKitError) -> None:
    """Stores for the report why a run ended early or did not begin."""
    Progress.objects.update_or_create(
        pk=1,
        defaults={"failed_at": timezone.now(), "failure": failure_reason(error)},
        create_defaults={"started_at": timezone.now(), "failed_at": timezone.now(), "failure": failure_reason(error)},
    )


def failure_reason(error: ChatKitError) -> str:
    """The reason why a run ended early, as a clause without a full stop."""
    detail = error.detail.rstrip(".")
    return f"OpenAI no longer offers this ({detail})" if isinstance(error, Retired) else detail


def _is_sweep_due(progress: Progress, recheck: timedelta) -> bool:
    """Whether the last sweep, or before the first one the first walk, began longer than `recheck` ago."""
    return timezone.now() - (progress.swept_at or progress.started_at) > recheck


def _last_walked(progress: Progress) -> ArchivedThread | None:
    """The thread at the cursor of the last walk, or the newest one if that is not archived any more."""
    progress.refresh_from_db(fields=["cursor"])
    if progress.cursor is None:
        return None
    at = current().filter(thread_id=progress.cursor).first()
    return at or current().order_by("-number").first()


def _overlap_start(last: ArchivedThread) -> str | None:
    """The cursor at which a walk begins: `OVERLAP` before the last walked thread; None for the beginning of the
    list."""
    earlier = before(last)
    if last.created_at is not None and last.created_at > _BEGINNING:
        earlier = earlier.filter(created_at__lt=last.created_at - OVERLAP)
    return earlier.values_list("thread_id", flat=True).first()


def _unlisted(page: Page[Thread], low: int, high: int | None) -> list[ArchivedThread]:
    """Archived threads numbered above `low` and below `high` that this page of the newest threads should show, and does
    not."""
    there = current().filter(number__gt=low).exclude(thread_id__in=[row.id for row in page.rows if row.id])
    if high is not None:
        there = there.filter(number__lt=high)
    times = [row.created_at for row in page.rows if row.created_at]
    if times:
        there = there.filter(created_at__gt=min(times))
    return list(there.order_by("-number")[:MAX_LIMIT])
