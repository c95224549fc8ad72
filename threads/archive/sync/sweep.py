"""The sweep: through the whole list again, and what becomes of the threads that it does not show."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from threads.archive import deletions
from threads.archive.deletions import Verdict
from threads.archive.models import ArchivedThread, Progress, current
from threads.archive.store import write
from threads.audit.record import NotRecordedError
from threads.chatkit import Garbled

from .run import Asking
from .thread_list import before, is_known, list_pages, newest_id

log = logging.getLogger(__name__)


class Sweep:
    """The sweep of one run. With `purge` copies of deleted threads are removed."""

    def __init__(self, asking: Asking, *, purge: bool) -> None:
        self._asking, self._purge = asking, purge

    def through(self, progress: Progress, until: datetime | None) -> None:
        """Through the whole list, from its beginning or from where a sweep was left, to its end or until then:
        refreshes each thread that it shows."""
        self._asking.phase("sweep")
        newest = newest_id(self._asking)
        if progress.sweep_started_at is None:
            with self._asking.keeping():
                progress.sweep_started_at, progress.sweep_cursor, progress.sweep_unreadable = timezone.now(), None, 0
                progress.save(update_fields=["sweep_started_at", "sweep_cursor", "sweep_unreadable"])
        progress.refresh_from_db(fields=["sweep_cursor"])
        # A place that was erased since is not known: the sweep begins anew.
        known = ArchivedThread.objects.filter(thread_id=progress.sweep_cursor or "").exists()
        nowhere = ArchivedThread.objects.none()
        for page in list_pages(
            self._asking, progress.sweep_cursor if known else None, lambda place: before(place) if place else nowhere
        ):
            if page.lost:
                raise Garbled("the list of threads leads nowhere")
            with self._asking.keeping():
                new, unreadable = write.threads(page.rows, timezone.now())
                progress.sweep_cursor = page.last_id or progress.sweep_cursor
                progress.sweep_unreadable += unreadable
                progress.save(update_fields=["sweep_cursor", "sweep_unreadable"])
            self._asking.seen(page, new)
            if page.has_more and until is not None and timezone.now() >= until:
                return
        self._swept(progress, newest)

    def _swept(self, progress: Progress, shown: str | None) -> None:
        """The sweep has come to the end of the list, where that can be believed: it has to have met the thread that was
        `shown` as the newest, and the newest one that is kept. Else it begins anew."""
        begun, progress.sweep_started_at = progress.sweep_started_at, None
        newest = current().order_by("-number").first()
        met = newest is None or begun is None or newest.confirmed_at >= begun or self._asking.was_deleted(newest)
        if met and is_known(shown):
            progress.swept_at, progress.unreadable = begun, progress.sweep_unreadable
        with self._asking.keeping():
            progress.save(update_fields=["sweep_started_at", "swept_at", "unreadable"])

    def compare(self, progress: Progress, until: datetime | None) -> None:
        """After a whole sweep: decides on each thread that it did not show, and with `purge` on those that were marked
        a day before. What stays undecided is for the next sweep; what there was no time for, for the next round."""
        swept = progress.swept_at
        if swept is None or progress.compared_at == swept:
            return
        self._asking.phase("compare")
        for thread in _batches(current().filter(confirmed_at__lt=swept)):
            if self._asking.decide(thread).verdict is Verdict.UNDECIDED and not self._asking.evidence.holds():
                break
            if until is not None and timezone.now() >= until:
                return
        if self._purge and not self._purged(swept, until):
            return
        with self._asking.keeping():
            progress.compared_at = swept
            progress.save(update_fields=["compared_at"])

    def _purged(self, swept: datetime, until: datetime | None) -> bool:
        """Removes what two sweeps have not shown, for as long as nothing speaks against it. Returns whether there was
        time for all of it."""
        evidence = self._asking.evidence
        for thread in _batches(deletions.purge_due(swept)):
            if evidence.failed:
                return True
            if not deletions.may_purge(timezone.now()):
                log.warning("No more copies are removed today: %d in 24 hours are enough.", deletions.limit())
                return True
            finding = evidence.of(thread.thread_id, fresh=True)
            try:
                with self._asking.keeping():
                    if finding.verdict is Verdict.DELETED:
                        deletions.purge(thread)
                    else:
                        self._asking.settle(thread, finding)
            except NotRecordedError:
                log.error("A copy was not removed, because that could not be recorded.")  # noqa: TRY400
                return True
            if until is not None and timezone.now() >= until:
                return False
        return True


def _batches(found: QuerySet[ArchivedThread]) -> Iterator[ArchivedThread]:
    """Newest first, a few at a time: what is done with one may take it out of what is looked for. Where neighbours were
    deleted together, each then has one behind it that is still there, or is the newest."""
    left = found.order_by("-number")
    batch = list(left[:100])
    while batch:
        # One that is removed has no number any more.
        last = batch[-1].number
        yield from batch
        batch = list(left.filter(number__lt=last)[:100])
