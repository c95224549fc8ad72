"""Copies every thread and every item, and keeps them up.

The walk goes through the list of threads, oldest first, from a little before where the last one ended: threads of one
second may stand in any order, and one may become visible late. The reading takes the items of each thread that has not
been read to its end, or may have more. Each page is kept together with the place it ends at, in one transaction:
whenever the process dies, the next one goes on from the last page that was kept, and nothing is kept twice.

What has changed, the API cannot be asked. So the newest threads are asked for in each round, and a sweep goes through
the whole list in portions. A thread that it does not show is deleted upstream only on evidence: see `deletions`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from threads.audit.record import NotRecordedError
from threads.chatkit import (
    MAX_LIMIT,
    ChatKitClient,
    ChatKitError,
    CursorGone,
    Garbled,
    Order,
    Page,
    Retired,
    Thread,
    pages,
)

from . import deletions, keep
from .asking import Asking, StoppedError, Tally, Watch
from .deletions import Finding, Verdict, step_back
from .models import ArchivedThread, Progress, current
from .reading import HOPELESS, Outcome, Reading
from .recorded import recorded

__all__ = ["Sync", "Tally"]

log = logging.getLogger(__name__)

_RECENT = timedelta(days=1)
"""How old a thread may be to be looked at in each round."""

OVERLAP = timedelta(minutes=15)
"""How far before its last place a walk begins again."""

_NOT_OURS = "the list shows none of the threads that are kept, so it may be another project's"

_MOST_ROUNDS = 10
"""How often a run that another follows reads what has arrived while it read; the rest is for the other."""


class Sync:
    """One run. Raises `HeldError` where another worker is at it, `LeaseLostError` where one has taken over, and the
    `ChatKitError` that ends the run: the key, the permission, or the endpoint is gone, or the list can't be had.

    It goes in rounds of `every`, so that neither a long reading nor a sweep keeps what arrives waiting; None for one
    round as long as it takes. In each, up to `recent_pages` of the newest threads are looked at again. What is deleted
    upstream is marked; with `purge` it is removed here after a second sweep, a day later at least, has not shown it.
    """

    def __init__(
        self,
        client: ChatKitClient,
        *,
        with_items: bool = True,
        side_by_side: int = 4,
        per_minute: float | None = None,
        pauses: Sequence[float] = (0.5, 2, 8),
        watch: Watch = lambda _tally: None,
        every: timedelta | None = None,
        recent_pages: int = 0,
        purge: bool = False,
    ) -> None:
        self._asking = Asking(client, side_by_side=side_by_side, per_minute=per_minute, pauses=pauses, watch=watch)
        self._purge = purge
        self._with_items = with_items
        self._every = every
        self._recent_pages = recent_pages
        self.tally = self._asking.tally

    def run(self, *, everything: bool = False, recheck: timedelta | None = None) -> None:
        """Copies until there is nothing to copy that can be had now, or until it is stopped. `everything` asks for each
        thread again, in place of those whose time has come. A sweep begins where the last one began longer ago than
        `recheck`; one that is under way goes on: to its end without `every`, else for half of that time."""
        self._asking.begin(everything=everything)
        progress, _ = Progress.objects.get_or_create(pk=1, defaults={"started_at": timezone.now()})
        try:
            with recorded(self.tally, everything=everything, failing=progress.failure), self._noted(progress):
                self._rounds(progress, everything=everything, recheck=recheck)
        except StoppedError:
            pass
        finally:
            self._asking.end()

    def stop(self) -> None:
        """Ends every wait, so that the run ends soon. May be called from another thread, or for a signal."""
        self._asking.stop()

    def _rounds(self, progress: Progress, *, everything: bool, recheck: timedelta | None) -> None:
        self._count()
        reading = Reading(self._asking, everything=everything)
        self._walk(progress)
        begun, left = None, _MOST_ROUNDS
        while True:
            if begun is None or self._every is None or timezone.now() >= begun + self._every:
                begun = timezone.now()
                self._recent()
                if everything or progress.sweep_started_at or (recheck and _is_stale(progress, recheck)):
                    # Who asked for everything waits for it; the sweep of each day must not keep arrivals waiting.
                    portion = None if everything or self._every is None else begun + self._every / 2
                    self._sweep(progress, portion)
                    everything = False
                self._compare(progress, None if self._every is None else begun + self._every / 2)
            if not self._with_items:
                break
            self._asking.phase("read")
            # However long the rest took, half of the time is for reading.
            until = None if self._every is None else max(begun + self._every, timezone.now() + self._every / 2)
            outcome = reading.round(until)
            if outcome is Outcome.NOTHING_DUE:
                break
            new = self._walk(progress)
            if outcome is Outcome.ALL_READ:
                left -= 1
                if not new or (self._every is not None and not left):
                    break
        self._asking.phase("ended")

    def _count(self) -> None:
        """What an older version kept is counted and indexed first."""
        left = True
        while left:
            with self._asking.keeping():
                left = keep.count_uncounted() > 0

    # The threads

    def _walk(self, progress: Progress) -> int:
        """On to the end of the list, from a little before the place that the last walk came to. Returns how many
        threads were new."""
        self._asking.phase("walk")
        found = self.tally.new_threads
        last = _last(progress)
        start = _overlapping(last) if last else None
        seen: set[str] = set()
        unreadable = 0
        for number, page in enumerate(self._pages(start, _before)):
            seen |= _known(page)
            if last is not None and number == 0 and page.rows and not seen and not self._is_deleted(last):
                raise Garbled(_NOT_OURS)
            with self._asking.keeping():
                new, more = keep.threads(page.rows, timezone.now())
                unreadable += more
                progress.cursor = page.last_id or progress.cursor
                # Walks overlap, and meet the same rows again: only a sweep counts each once.
                progress.unreadable = max(progress.unreadable, unreadable)
                if page.lost:
                    raise Garbled("the list of threads leads nowhere")
                progress.save(update_fields=["cursor", "unreadable"])
            self._seen(page, new)
        if last is None or last.thread_id in seen or self._is_deleted(last):
            with self._asking.keeping():
                progress.reached_end_at = timezone.now()
                progress.save(update_fields=["reached_end_at"])
        return self.tally.new_threads - found

    def _is_deleted(self, last: ArchivedThread) -> bool:
        """Whether a list was right to end without the thread that stood last in it: else that was not its end."""
        if not ArchivedThread.objects.filter(pk=last.pk).exists():  # erased meanwhile
            return True
        finding = self._decide(last)
        if finding.verdict is not Verdict.DELETED:
            log.warning("The list of threads ended before the newest one that is kept; this is not taken for its end.")
        return finding.verdict is Verdict.DELETED

    def _decide(self, thread: ArchivedThread) -> Finding:
        """Whether a thread is deleted that the list should have shown, and keeps that. Raises the `ChatKitError` that
        every further call would meet too."""
        finding = self._asking.evidence.of(thread.thread_id)
        if isinstance(finding.error, HOPELESS):
            raise finding.error
        with self._asking.keeping():
            self._asking.settle(thread, finding)
        return finding

    def _sweep(self, progress: Progress, until: datetime | None) -> None:
        """Through the whole list, from its beginning or from where a sweep was left, to its end or until then:
        refreshes each thread that it shows."""
        self._asking.phase("sweep")
        if progress.sweep_started_at is None:
            with self._asking.keeping():
                progress.sweep_started_at, progress.sweep_cursor, progress.sweep_unreadable = timezone.now(), None, 0
                progress.save(update_fields=["sweep_started_at", "sweep_cursor", "sweep_unreadable"])
        progress.refresh_from_db(fields=["sweep_cursor"])
        # A place that was erased since is not known: the sweep begins anew.
        known = ArchivedThread.objects.filter(thread_id=progress.sweep_cursor or "").exists()
        nowhere = ArchivedThread.objects.none()
        for page in self._pages(
            progress.sweep_cursor if known else None, lambda place: _before(place) if place else nowhere
        ):
            if page.lost:
                raise Garbled("the list of threads leads nowhere")
            with self._asking.keeping():
                new, unreadable = keep.threads(page.rows, timezone.now())
                progress.sweep_cursor = page.last_id or progress.sweep_cursor
                progress.sweep_unreadable += unreadable
                progress.save(update_fields=["sweep_cursor", "sweep_unreadable"])
            self._seen(page, new)
            if page.has_more and until is not None and timezone.now() >= until:
                return
        self._swept(progress)

    def _swept(self, progress: Progress) -> None:
        """The sweep has come to the end of the list, where that can be believed. Else it begins anew."""
        begun, progress.sweep_started_at = progress.sweep_started_at, None
        newest = current().order_by("-number").first()
        if newest is None or begun is None or newest.confirmed_at >= begun or self._is_deleted(newest):
            progress.swept_at, progress.unreadable = begun, progress.sweep_unreadable
        with self._asking.keeping():
            progress.save(update_fields=["sweep_started_at", "swept_at", "unreadable"])

    def _compare(self, progress: Progress, until: datetime | None) -> None:
        """After a whole sweep: decides on each thread that it did not show, and with `purge` on those that were marked
        a day before. What stays undecided is for the next sweep; what there was no time for, for the next round."""
        swept = progress.swept_at
        if swept is None or progress.compared_at == swept:
            return
        self._asking.phase("compare")
        for thread in _batches(current().filter(confirmed_at__lt=swept)):
            if self._decide(thread).verdict is Verdict.UNDECIDED and not self._asking.evidence.holds():
                break
            if until is not None and timezone.now() >= until:
                return
        if self._purge and not self._purged(swept, until):
            return
        progress.compared_at = swept
        progress.save(update_fields=["compared_at"])

    def _purged(self, swept: datetime, until: datetime | None) -> bool:
        """Removes what two sweeps have not shown, for as long as nothing speaks against it. Returns whether there was
        time for all of it."""
        evidence = self._asking.evidence
        for thread in _batches(deletions.purge_due(swept)):
            if evidence.failed or not deletions.may_purge(timezone.now()):
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

    def _recent(self) -> None:
        """The newest threads as they are now: those that are kept, down to the first that is too old or too far."""
        since, above = timezone.now() - _RECENT, None
        found = pages(lambda after: self._asking.one(lambda: self._list(after, "desc")))
        for _ in range(self._recent_pages):
            self._asking.phase("recent")
            try:
                page = next(found, None)
            except CursorGone:  # the end of the page before is gone since; the next round begins anew
                return
            if page is None:
                return
            known = ArchivedThread.objects.in_bulk([row.id for row in page.rows if row.id], field_name="thread_id")
            numbers = [each.number for each in known.values()]
            missing = _unshown(page, min(numbers), above) if numbers else []
            with self._asking.keeping():
                # What has arrived since the walk is for the next one to keep, in order.
                keep.threads([row for row in reversed(page.rows) if row.id in known], timezone.now())
            for thread in missing:
                if self._decide(thread).verdict is Verdict.UNDECIDED and not self._asking.evidence.holds():
                    break
            self._seen(page, 0)
            oldest = min((row.created_at for row in page.rows if row.created_at), default=since)
            if oldest <= since:
                return
            above = min(numbers, default=above)

    def _pages(
        self, start: str | None, before: Callable[[ArchivedThread | None], QuerySet[ArchivedThread]]
    ) -> Iterator[Page[Thread]]:
        """Page after page, oldest first; `before` is for a cursor that is gone, as in `step_back`. Raises `Garbled`
        where the list is not that of the threads that are kept."""
        back = step_back(before)

        def checked(cursor: str) -> str | None:
            # An endpoint that is no more refuses every cursor. This raises what says so.
            self._asking.evidence.list_answers()
            return back(cursor)

        def ask(after: str | None) -> Page[Thread]:
            page = self._asking.one(lambda: self._list(after))
            if after is None and current().exists() and not _known(page):
                raise Garbled(_NOT_OURS)
            return page

        return pages(ask, start, step_back=checked)

    def _list(self, cursor: str | None, order: Order = "asc") -> Page[Thread]:
        ask: Callable[[], Page[Thread]] = lambda: self._asking.client.list_threads(  # noqa: E731
            order=order, limit=MAX_LIMIT, after=cursor
        )
        return self._asking.asked(ask)

    def _seen(self, page: Page[Thread], new: int) -> None:
        self.tally.pages += 1
        self.tally.threads_seen += len(page.rows)
        self.tally.new_threads += new
        self._asking.done()

    @contextmanager
    def _noted(self, progress: Progress) -> Iterator[None]:
        """What ends the run before its end stands in the report."""
        try:
            yield
        except ChatKitError as error:
            with self._asking.keeping():
                sync_failed(error)
            raise
        Progress.objects.filter(pk=progress.pk).update(failed_at=None, failure=None)


def sync_failed(error: ChatKitError) -> None:
    """Keeps for the report why a run ended early, or did not begin."""
    Progress.objects.update_or_create(
        pk=1,
        defaults={"failed_at": timezone.now(), "failure": why(error)},
        create_defaults={"started_at": timezone.now(), "failed_at": timezone.now(), "failure": why(error)},
    )


def why(error: ChatKitError) -> str:
    """Why a run ended early, as a clause without a full stop."""
    detail = error.detail.rstrip(".")
    return f"OpenAI no longer offers this ({detail})" if isinstance(error, Retired) else detail


def _is_stale(progress: Progress, recheck: timedelta) -> bool:
    """Whether a status may be older than that: since the last sweep began or, before the first, the first walk."""
    return timezone.now() - (progress.swept_at or progress.started_at) > recheck


def _last(progress: Progress) -> ArchivedThread | None:
    """The thread that the walk came to, or the last one before it that is kept."""
    progress.refresh_from_db(fields=["cursor"])
    if progress.cursor is None:
        return None
    at = current().filter(thread_id=progress.cursor).first()
    return at or current().order_by("-number").first()


def _before(thread: ArchivedThread | None) -> QuerySet[ArchivedThread]:
    """Kept threads that stand before one, nearest first; all where it is not known."""
    there = current().order_by("-number")
    return there if thread is None else there.filter(number__lt=thread.number)


def _overlapping(last: ArchivedThread) -> str | None:
    """Where a walk begins whose last one came to `last`: 15 minutes before, and before the whole of that second; None
    for the beginning of the list."""
    before = _before(last)
    if last.created_at is not None:
        before = before.filter(created_at__lt=last.created_at - OVERLAP)
    return before.values_list("thread_id", flat=True).first()


def _known(page: Page[Thread]) -> set[str]:
    """The ids of a page that are kept."""
    ids = [row.id for row in page.rows if row.id]
    return set(ArchivedThread.objects.filter(thread_id__in=ids).values_list("thread_id", flat=True))


def _unshown(page: Page[Thread], low: int, high: int | None) -> list[ArchivedThread]:
    """Kept threads numbered above `low` and below `high` that this page of the newest threads should show, and does
    not."""
    there = current().filter(number__gt=low).exclude(thread_id__in=[row.id for row in page.rows if row.id])
    if high is not None:
        there = there.filter(number__lt=high)
    times = [row.created_at for row in page.rows if row.created_at]
    if times:
        there = there.filter(created_at__gt=min(times))
    return list(there[:MAX_LIMIT])


def _batches(found: QuerySet[ArchivedThread]) -> Iterator[ArchivedThread]:
    """In their order, a few at a time: what is done with one may take it out of what is looked for."""
    left = found.order_by("number")
    batch = list(left[:100])
    while batch:
        # One that is removed has no number any more.
        last = batch[-1].number
        yield from batch
        batch = list(left.filter(number__gt=last)[:100])
