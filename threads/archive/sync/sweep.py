"""Sweep: a full pass over the list of threads, after which threads that it did not show are checked for deletion."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from threads.archive import deletion_evidence, removal
from threads.archive.deletion_evidence import DeletionVerdict
from threads.archive.models import ArchivedThread, Progress, current
from threads.archive.store import write
from threads.audit.record import NotRecordedError
from threads.chatkit import Garbled

from .context import SyncContext
from .thread_list import before, is_known, list_pages, newest_id

log = logging.getLogger(__name__)


class Sweep:
    """The sweep of one run. With `purge`, copies of threads that were deleted upstream are removed."""

    def __init__(self, context: SyncContext, *, purge: bool) -> None:
        self._context, self._purge = context, purge

    def run(self, progress: Progress, until: datetime | None) -> None:
        """Refreshes every thread of the list, from its beginning or from where an earlier portion ended. Ends at the
        end of the list, or after the page during which `until` passes."""
        self._context.set_phase("sweep")
        newest = newest_id(self._context)
        if progress.sweep_started_at is None:
            with self._context.leased_transaction():
                progress.sweep_started_at, progress.sweep_cursor, progress.sweep_unreadable = timezone.now(), None, 0
                progress.save(update_fields=["sweep_started_at", "sweep_cursor", "sweep_unreadable"])
        progress.refresh_from_db(fields=["sweep_cursor"])
        # If the thread at the cursor was erased, the sweep starts over.
        is_archived = ArchivedThread.objects.filter(thread_id=progress.sweep_cursor or "").exists()
        nowhere = ArchivedThread.objects.none()
        for page in list_pages(
            self._context,
            progress.sweep_cursor if is_archived else None,
            lambda place: before(place) if place else nowhere,
        ):
            if page.lost:
                raise Garbled("the list of threads leads nowhere")
            with self._context.leased_transaction():
                new, unreadable = write.store_threads(page.rows, timezone.now())
                progress.sweep_cursor = page.last_id or progress.sweep_cursor
                progress.sweep_unreadable += unreadable
                progress.save(update_fields=["sweep_cursor", "sweep_unreadable"])
            self._context.count_page(page, new)
            if page.has_more and until is not None and timezone.now() >= until:
                return
        self._finish(progress, newest)

    def _finish(self, progress: Progress, newest_listed: str | None) -> None:
        """Notes a complete sweep. It is complete if it has met both the newest thread that the list showed when it
        began and the newest archived one; if not, the list was cut off, and the next sweep starts over."""
        begun, progress.sweep_started_at = progress.sweep_started_at, None
        newest = current().order_by("-number").first()
        met = newest is None or begun is None or newest.checked_at >= begun or self._context.was_deleted(newest)
        if met and is_known(newest_listed):
            progress.swept_at, progress.unreadable = begun, progress.sweep_unreadable
        with self._context.leased_transaction():
            progress.save(update_fields=["sweep_started_at", "swept_at", "unreadable"])

    def check_unlisted(self, progress: Progress, until: datetime | None) -> None:
        """After a complete sweep: checks each thread that it did not show for deletion, and with `purge` removes those
        marked at least a day before. Undecided threads wait for the next sweep, threads left at `until` for the next
        round."""
        swept = progress.swept_at
        if swept is None or progress.compared_at == swept:
            return
        self._context.set_phase("compare")
        for thread in _batches(current().filter(checked_at__lt=swept)):
            finding = self._context.check_deleted(thread)
            if finding.verdict is DeletionVerdict.UNDECIDED and not self._context.evidence.controls_hold():
                break
            if until is not None and timezone.now() >= until:
                return
        if self._purge and not self._purge_unlisted(swept, until):
            return
        with self._context.leased_transaction():
            progress.compared_at = swept
            progress.save(update_fields=["compared_at"])

    def _purge_unlisted(self, swept: datetime, until: datetime | None) -> bool:
        """Removes copies that two sweeps have not shown, until a check is undecided or the daily limit is reached.
        Returns False if `until` has passed with copies left."""
        evidence = self._context.evidence
        for thread in _batches(deletion_evidence.purge_due(swept)):
            if evidence.any_undecided:
                return True
            if not deletion_evidence.may_purge(timezone.now()):
                log.warning(
                    "No more copies are removed today: the limit is %d in 24 hours.", deletion_evidence.daily_limit()
                )
                return True
            finding = evidence.of(thread.thread_id, fresh=True)
            try:
                with self._context.leased_transaction():
                    if finding.verdict is DeletionVerdict.DELETED:
                        removal.purge(thread)
                    else:
                        self._context.store_finding(thread, finding)
            except NotRecordedError:
                log.error("A copy was not removed, because the audit log can't be written.")  # noqa: TRY400
                return True
            if until is not None and timezone.now() >= until:
                return False
        return True


def _batches(threads: QuerySet[ArchivedThread]) -> Iterator[ArchivedThread]:
    """The threads, newest first, 100 at a time, since processing one may take it out of the query. Newest first,
    because a deletion is proven by a thread behind it that is still listed, or by being the newest."""
    left = threads.order_by("-number")
    batch = list(left[:100])
    while batch:
        # Read before the yield: a removed thread has no number any more.
        last = batch[-1].number
        yield from batch
        batch = list(left.filter(number__lt=last)[:100])
