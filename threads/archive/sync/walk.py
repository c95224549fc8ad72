"""Copies every thread and every item, and keeps them up.

The walk goes through the list of threads, oldest first, from a little before where the last one ended: threads of one
second may stand in any order, and one may become visible late. The reading takes the items of each thread that has not
been read to its end, or may have more. Each page is kept together with the place it ends at, in one transaction:
whenever the process dies, the next one goes on from the last page that was kept, and nothing is kept twice.

What has changed, the API cannot be asked. So the newest threads are asked for in each round, and a sweep goes through
the whole list in portions. A thread that it does not show is deleted upstream only on evidence: see `deletions`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.utils import timezone

from threads.archive.deletions import Verdict
from threads.archive.models import ArchivedThread, Progress, current
from threads.archive.store import write
from threads.chatkit import MAX_LIMIT, ChatKitClient, ChatKitError, CursorGone, Garbled, Page, Retired, Thread, pages

from . import requests
from .audit import recorded
from .items import Outcome, Reading
from .run import Asking, StoppedError, Tally, Watch
from .sweep import Sweep
from .thread_list import NOT_OURS, before, is_known, known, list_page, list_pages, newest_id

__all__ = ["Sync", "Tally"]

_RECENT = timedelta(days=1)
"""How old a thread may be to be looked at in each round."""

OVERLAP = timedelta(minutes=15)
"""How far before its last place a walk begins again."""

_BEGINNING = datetime.min.replace(tzinfo=UTC) + OVERLAP

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
        self._sweep = Sweep(self._asking, purge=purge)
        self._with_items = with_items
        self._every = every
        self._recent_pages = recent_pages
        self.tally = self._asking.tally

    def run(self, *, everything: bool = False, recheck: timedelta | None = None) -> None:
        """Copies until there is nothing to copy that can be had now, or until it is stopped. `everything` asks for each
        thread again, in place of those whose time has come. A sweep begins where the last one began longer ago than
        `recheck`; one that is under way goes on: to its end without `every`, else for half of that time."""
        # What somebody asks for is all that is kept here: a run of threads alone does it only where no items are kept.
        answers = everything and (self._with_items or settings.ARCHIVE != "full")
        self._asking.begin(everything=everything, answers=answers)
        progress, _ = Progress.objects.get_or_create(pk=1, defaults={"started_at": timezone.now()})
        try:
            with recorded(self.tally, everything=everything, failing=progress.failure), self._noted(progress, answers):
                self._rounds(progress, everything=everything, recheck=recheck)
                if answers:
                    with self._asking.keeping():
                        requests.met()
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
                    self._sweep.through(progress, portion)
                    everything = False
                self._sweep.compare(progress, None if self._every is None else begun + self._every / 2)
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
                left = write.count_uncounted() > 0

    # The threads

    def _walk(self, progress: Progress) -> int:
        """On to the end of the list, from a little before the place that the last walk came to. Returns how many
        threads were new."""
        self._asking.phase("walk")
        found = self.tally.new_threads
        last = _last(progress)
        start = _overlapping(last) if last else None
        newest = newest_id(self._asking)
        seen: set[str] = set()
        unreadable = 0
        for number, page in enumerate(list_pages(self._asking, start, before)):
            seen |= known(page)
            if last is not None and number == 0 and page.rows and not seen and not self._asking.was_deleted(last):
                raise Garbled(NOT_OURS)
            with self._asking.keeping():
                new, more = write.threads(page.rows, timezone.now())
                unreadable += more
                progress.cursor = page.last_id or progress.cursor
                # Walks overlap, and meet the same rows again: only a sweep counts each once.
                progress.unreadable = max(progress.unreadable, unreadable)
                if page.lost:
                    raise Garbled("the list of threads leads nowhere")
                progress.save(update_fields=["cursor", "unreadable"])
            self._asking.seen(page, new)
        # The list may end too early, with the first page already.
        ended = last is None or last.thread_id in seen or self._asking.was_deleted(last)
        if ended and is_known(newest):
            with self._asking.keeping():
                progress.reached_end_at = timezone.now()
                progress.save(update_fields=["reached_end_at"])
        return self.tally.new_threads - found

    def _recent(self) -> None:
        """The newest threads as they are now: those that are kept, down to the first that is too old or too far."""
        since, above = timezone.now() - _RECENT, None
        found = pages(lambda after: self._asking.one(lambda: list_page(self._asking, after, "desc")))
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
                write.threads([row for row in reversed(page.rows) if row.id in known], timezone.now())
            for thread in missing:
                if self._asking.decide(thread).verdict is Verdict.UNDECIDED and not self._asking.evidence.holds():
                    break
            self._asking.seen(page, 0)
            oldest = min((row.created_at for row in page.rows if row.created_at), default=since)
            if oldest <= since:
                return
            above = min(numbers, default=above)

    @contextmanager
    def _noted(self, progress: Progress, answers: bool) -> Iterator[None]:
        """What ends the run before its end stands in the report. One that `answers` a request has ended that, too."""
        try:
            yield
        except ChatKitError as error:
            with self._asking.keeping():
                sync_failed(error)
                if answers:
                    requests.met()
            raise
        with self._asking.keeping():
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


def _overlapping(last: ArchivedThread) -> str | None:
    """Where a walk begins whose last one came to `last`: 15 minutes before, and before the whole of that second; None
    for the beginning of the list."""
    earlier = before(last)
    if last.created_at is not None and last.created_at > _BEGINNING:
        earlier = earlier.filter(created_at__lt=last.created_at - OVERLAP)
    return earlier.values_list("thread_id", flat=True).first()


def _unshown(page: Page[Thread], low: int, high: int | None) -> list[ArchivedThread]:
    """Kept threads numbered above `low` and below `high` that this page of the newest threads should show, and does
    not."""
    there = current().filter(number__gt=low).exclude(thread_id__in=[row.id for row in page.rows if row.id])
    if high is not None:
        there = there.filter(number__lt=high)
    times = [row.created_at for row in page.rows if row.created_at]
    if times:
        there = there.filter(created_at__gt=min(times))
    return list(there.order_by("-number")[:MAX_LIMIT])
