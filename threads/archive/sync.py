"""Copies every thread and every item, keeps them up, and says so only when it is so.

The walk goes through the list of threads, oldest first, from where the last one ended; what has arrived since stands
behind that place. The reading takes the items of each thread that has not been read to its end, or may have more. Each
page is kept together with the place it ends at, in one transaction: whenever the process dies, the next one goes on
from the last page that was kept, and nothing is kept twice. When all is read, the end of the list is asked for again:
only if nothing has arrived there is the archive complete.

What has changed, the API cannot be asked. So the newest threads are asked for in each round, and a sweep goes through
the whole list in portions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.utils import timezone

from threads.chatkit import MAX_LIMIT, ChatKitClient, ChatKitError, Garbled, NotFound, Order, Page, Thread

from . import keep, tombs
from .asking import Asking, StoppedError, Tally, Watch
from .missing import between, passed
from .models import ArchivedThread, Progress
from .reading import Outcome, Reading
from .recorded import recorded

__all__ = ["Sync", "Tally"]

_RECENT = timedelta(days=1)
"""How old a thread may be to be looked at in each round."""

_MOST_ROUNDS = 10
"""How often a run that another follows reads what has arrived while it read; the rest is for the other."""


class Sync:
    """One run. Raises `HeldError` where another worker is at it, `LeaseLostError` where one has taken over, and the
    `ChatKitError` that ends the run: the key, the permission, or the endpoint is gone, or the list can't be had.

    It goes in rounds of `every`, so that neither a long reading nor a sweep keeps what arrives waiting; None for one
    round as long as it takes. In each, up to `recent_pages` of the newest threads are looked at again. With `purge`
    what is gone upstream is removed here, else it is marked.
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
        self._asking = Asking(
            client, side_by_side=side_by_side, per_minute=per_minute, pauses=pauses, watch=watch, purge=purge
        )
        self._with_items = with_items
        self._every = every
        self._recent_pages = recent_pages
        self.tally = self._asking.tally

    def run(self, *, everything: bool = False, recheck: timedelta | None = None) -> None:
        """Copies until there is nothing to copy that can be had now, or until it is stopped. `everything` asks for each
        thread again, in place of those whose time has come. A sweep begins where the last one began longer ago than
        `recheck`; one that is under way goes on: to its end without `every`, else for half of that time."""
        self._asking.begin()
        progress, _ = Progress.objects.get_or_create(pk=1, defaults={"started_at": timezone.now()})
        try:
            with recorded(self.tally, everything=everything), self._noted(progress):
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
        with self._asking.keeping():
            _settle(progress)
        self._asking.phase("ended")

    def _count(self) -> None:
        """What an older version kept is counted and indexed first."""
        left = True
        while left:
            with self._asking.keeping():
                left = keep.count_uncounted() > 0

    # The threads

    def _walk(self, progress: Progress) -> int:
        """On to the end of the list. Returns how many threads were new."""
        self._asking.phase("walk")
        found = self.tally.new_threads
        for cursor, page in self._pages(progress, "cursor"):
            with self._asking.keeping():
                new, unreadable = keep.threads(page.rows, timezone.now())
                progress.cursor = page.last_id or cursor
                progress.unreadable += unreadable
                if page.lost or (page.has_more and not new and not tombs.known(row.id for row in page.rows if row.id)):
                    raise Garbled("the list of threads leads nowhere")
                if not page.has_more:
                    progress.reached_end_at = timezone.now()
                if new:
                    progress.complete_at = None
                progress.save(update_fields=["cursor", "unreadable", "reached_end_at", "complete_at"])
            self._seen(page, new)
        return self.tally.new_threads - found

    def _sweep(self, progress: Progress, until: datetime | None) -> None:
        """Through the whole list, from its beginning or from where a sweep was left, to its end or until then:
        refreshes each thread, and notices which are gone."""
        self._asking.phase("sweep")
        if progress.sweep_started_at is None:
            with self._asking.keeping():
                progress.sweep_started_at, progress.sweep_cursor = timezone.now(), None
                progress.save(update_fields=["sweep_started_at", "sweep_cursor"])
        for cursor, page in self._pages(progress, "sweep_cursor"):
            if page.lost or (page.has_more and page.last_id in (None, cursor)):
                raise Garbled("the list of threads leads nowhere")
            missing = self._missing(passed(cursor, page))
            with self._asking.keeping():
                new, _ = keep.threads(page.rows, timezone.now())
                for thread in missing:
                    self._asking.gone(thread)
                progress.sweep_cursor = page.last_id or cursor
                if not page.has_more:
                    progress.swept_at, progress.sweep_started_at = progress.sweep_started_at, None
                progress.save(update_fields=["sweep_cursor", "sweep_started_at", "swept_at"])
            self._seen(page, new)
            if until is not None and timezone.now() >= until:
                return

    def _recent(self) -> None:
        """The newest threads as they are now: those that are kept, down to the first that is too old or too far."""
        since, after, above = timezone.now() - _RECENT, None, None
        for _ in range(self._recent_pages):
            self._asking.phase("recent")
            try:
                page = self._asking.one(lambda: self._list(after, "desc"))  # noqa: B023  # waited for within the round
            except NotFound:  # gone since the page before, whose end it was; the next round begins anew
                return
            known = ArchivedThread.objects.in_bulk([row.id for row in page.rows if row.id], field_name="thread_id")
            numbers = [each.number for each in known.values()]
            missing = self._missing(between(min(numbers), above, page)) if numbers else []
            with self._asking.keeping():
                # What has arrived since the walk is for the next one to keep, in order.
                keep.threads([row for row in reversed(page.rows) if row.id in known], timezone.now())
                for thread in missing:
                    self._asking.gone(thread)
            self._seen(page, 0)
            oldest = min((row.created_at for row in page.rows if row.created_at), default=since)
            if not page.has_more or page.last_id is None or oldest <= since:
                return
            after, above = page.last_id, min(numbers, default=above)

    def _pages(self, progress: Progress, place: str) -> Iterator[tuple[str | None, Page[Thread]]]:
        """Page after page, oldest first, each with the cursor that it stands behind: the field `place` of the progress,
        which whoever takes the page moves on."""
        while True:
            # Where the thread at the place was removed with its copy, the place has been moved in the table.
            progress.refresh_from_db(fields=[place])
            cursor: str | None = getattr(progress, place)
            try:
                page = self._asking.one(lambda: self._list(cursor))  # noqa: B023  # waited for within the round
            except NotFound:
                self._step_back(progress, place)
                continue
            yield cursor, page
            if not page.has_more:
                return

    def _step_back(self, progress: Progress, place: str) -> None:
        """The thread that a walk had come to is gone: it goes on from the one before."""
        with self._asking.keeping():
            kept = ArchivedThread.objects.filter(thread_id=getattr(progress, place)).first()
            # One that was erased while its page was on the way is not known: the walk had come as far as what is kept,
            # and a sweep begins anew.
            setattr(progress, place, None if kept is None and place == "sweep_cursor" else keep.before(kept))
            progress.save(update_fields=[place])
            if kept is not None:
                self._asking.gone(kept)

    def _missing(self, candidates: list[ArchivedThread]) -> list[ArchivedThread]:
        """Those of the threads that the upstream, asked for each, does not have."""
        ask = self._asking
        return [thread for thread in candidates if not ask.one(lambda: ask.exists(thread.thread_id))]  # noqa: B023

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
                Progress.objects.filter(pk=progress.pk).update(failed_at=timezone.now(), failure=error.detail)
            raise
        Progress.objects.filter(pk=progress.pk).update(failed_at=None, failure=None)


def _is_stale(progress: Progress, recheck: timedelta) -> bool:
    """Whether a status may be older than that: since the last sweep began or, before the first, the first walk."""
    return timezone.now() - (progress.swept_at or progress.started_at) > recheck


def _settle(progress: Progress) -> None:
    """Complete, where nothing is left to read: all was read, and after that the end of the list had nothing new."""
    # The number is there for SQLite, which takes the index of these alone when it is asked for by it.
    left = ArchivedThread.objects.filter(number__gt=0, read_at__isnull=True, gone_at__isnull=True).exists()
    complete = progress.reached_end_at is not None and not left and not progress.unreadable
    progress.complete_at = timezone.now() if complete else None
    progress.save(update_fields=["complete_at"])
