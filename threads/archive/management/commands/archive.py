"""`manage.py archive`: the subcommands `sync`, `report`, `index` and `adopt`.

`sync` fills the archive; `report` shows its contents and completeness; `index` reindexes stale threads; `adopt` accepts
another project's API in place of the one that the threads came from.
"""

from __future__ import annotations

import json
import signal
import sys
from argparse import ArgumentParser
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from tqdm import tqdm

from threads.archive import database_guard, reindex
from threads.archive.completeness import Completeness
from threads.archive.report import ATTACHMENTS_NOTE, ArchiveReport, archive_report
from threads.archive.sync import status
from threads.archive.sync.lease import LeaseHeldError
from threads.archive.sync.sync import Sync, SyncTally, failure_reason
from threads.audit.record import NotRecordedError
from threads.chatkit import ChatKitError, Retired
from threads.jobs.lease import LeaseLostError
from threads.lib import times
from threads.sources import upstream


class Command(BaseCommand):
    help = "Syncs threads and their items into the archive, or reports what it holds."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        sync = actions.add_parser("sync", help="sync until nothing is left")
        sync.add_argument("--everything", action="store_true", help="check every thread again, not only what is due")
        sync.add_argument("--threads-only", action="store_true", help="leave the items out")
        sync.add_argument("--requests-per-minute", type=float, default=settings.ARCHIVE_REQUESTS_PER_MINUTE)
        sync.add_argument("--at-once", type=int, default=settings.ARCHIVE_AT_ONCE, help="threads read side by side")
        report_parser = actions.add_parser("report", help="say what is synced, and whether that is everything")
        report_parser.add_argument("--json", metavar="FILE", help="write the whole report there, - for the terminal")
        actions.add_parser("index", help="index anew what an update or a worker has left to be indexed")
        actions.add_parser(
            "adopt", help="keep the threads that are here, and go on with those of the API that the settings name"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if settings.ARCHIVE == "off":
            raise CommandError("There is no archive: ARCHIVE is off.")
        if options["action"] == "adopt":
            self._adopt()
            return
        if options["action"] == "index":
            self._index()
            return
        database_guard.claim_for_command()
        if options["action"] == "report":
            self._report(options["json"])
        else:
            self._sync(options)

    def _adopt(self) -> None:
        if settings.ARCHIVE_ONLY or settings.EMULATOR:
            raise CommandError("There is no API to adopt: OPENAI_API_KEY is not set, or ARCHIVE_ONLY is.")
        try:
            number = database_guard.adopt_upstream()
        except LeaseHeldError as error:
            raise CommandError(f"A sync is under way ({error.holder}). Stop it first.") from None
        except NotRecordedError:
            raise CommandError("Nothing was changed, because it could not be recorded.") from None
        except ChatKitError as error:
            raise CommandError(f"Nothing was changed: {error.detail}") from None
        self.stdout.write(
            f"{number:,} threads are kept as they are, and never compared again. "
            f"From now on this database follows {settings.OPENAI_BASE_URL}."
        )

    def _index(self) -> None:
        try:
            with tqdm(desc="Threads", unit="", total=reindex.count_due(), file=sys.stderr, dynamic_ncols=True) as bar:
                signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
                reindex.run(watch=bar.update)
        except (LeaseHeldError, LeaseLostError):
            raise CommandError("A worker is indexing. Wait for it, or stop it first.") from None
        except DatabaseError as error:
            raise CommandError(f"The search index can't be written: {error}. Start it again to go on.") from None
        except KeyboardInterrupt:
            raise CommandError("Stopped. What is indexed stays so; start it again to go on.") from None
        self.stdout.write("The search index is up to date.")

    def _sync(self, options: dict[str, Any]) -> None:
        if settings.ARCHIVE_ONLY:
            raise CommandError("ARCHIVE_ONLY is set, so nothing is asked of OpenAI. Unset it to sync.")
        try:
            database_guard.verify_upstream()
        except ChatKitError as error:
            raise CommandError(
                f"Nothing was synced, because this could not be shown to be the API that the threads came from: "
                f"{error.detail}"
            ) from None
        with_items = settings.ARCHIVE == "full" and not options["threads_only"]
        with _Bars(options["requests_per_minute"] if with_items else None) as bars:
            sync = Sync(
                upstream.client(),
                with_items=with_items,
                side_by_side=options["at_once"],
                per_minute=options["requests_per_minute"],
                watch=bars.show,
            )
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
            try:
                sync.run(everything=options["everything"])
            except LeaseHeldError as error:
                raise CommandError(
                    f"Another worker is syncing: {error.holder}. Its lease ends a minute after it does."
                ) from None
            except LeaseLostError:
                raise CommandError("Another worker has taken over. What was kept is kept.") from None
            except ChatKitError as error:
                again = "What is kept stays." if isinstance(error, Retired) else "Start it again to go on."
                raise CommandError(f"The sync ended early: {failure_reason(error)}. {again}") from None
            except DatabaseError as error:
                raise CommandError(
                    f"The archive can't be written: {error}. What was kept is kept; start it again to go on."
                ) from None
            except KeyboardInterrupt:
                raise CommandError("Stopped. What was kept is kept; start it again to go on.") from None
        if reindex.is_due():
            with suppress(LeaseHeldError, LeaseLostError):
                reindex.run()
        self._report(None)

    def _report(self, file: str | None) -> None:
        try:
            found = archive_report()
        except DatabaseError as error:
            raise CommandError(
                f"The archive can't be read: {error}. Is this the right database, and was `manage.py migrate` run? "
                f"{database_guard.unused_archive_hint()}".strip()
            ) from None
        if file is None:
            self.stdout.write("\n".join(_lines(found)))
            return
        text = json.dumps(found.as_json(), indent=2, default=lambda moment: moment.isoformat())
        if file == "-":
            self.stdout.write(text)
        else:
            Path(file).write_text(text + "\n", encoding="utf-8")
            self.stdout.write(f"Written to {file}.")


class _Bars:
    """Progress bars in the terminal: first for the list of threads, then for conversations, with the time left. While
    the list is read, the time for conversations is estimated at `per_minute` requests; None if they are not read."""

    def __init__(self, per_minute: float | None) -> None:
        self._bar = tqdm(desc="Threads", unit="", file=sys.stderr, dynamic_ncols=True)
        self._per_minute, self._is_reading = per_minute, False
        self._pending_before: int | None = None
        """Conversations to check, without those of threads that are new in this run."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._bar.close()

    def show(self, tally: SyncTally) -> None:
        """Shows the counts of a run; the `watch` of `Sync`."""
        if (tally.new_items or tally.threads_read) and not self._is_reading:
            self._is_reading = True
            self._bar.close()
            total = _count_pending() + tally.threads_read
            self._bar = tqdm(desc="Conversations", unit="", total=total, file=sys.stderr, dynamic_ncols=True)
        postfix = {"items": f"{tally.new_items:,}"} if self._is_reading else {"new": f"{tally.new_threads:,}"}
        if not self._is_reading and self._per_minute is not None:
            if self._pending_before is None:
                self._pending_before = _count_pending() - tally.new_threads
            then = status.PendingConversations(self._pending_before + tally.new_threads, self._per_minute)
            postfix["then"] = f"{then.conversations:,} conversations, {times.time_left(then.seconds)}"
        if tally.failures:
            postfix["failed"] = f"{tally.failures:,}"
        if tally.refusals:
            postfix["told to wait"] = f"{tally.refusals:,}"
        self._bar.set_postfix(postfix, refresh=False)
        self._bar.update((tally.threads_read if self._is_reading else tally.threads_seen) - self._bar.n)


def _count_pending() -> int:
    found = status.pending_conversations(status.last_run())
    return found.conversations if found else 0


_TIME = "%d %b %Y, %H:%M:%S"


def _lines(found: ArchiveReport) -> list[str]:
    statuses = ", ".join(f"{count:,} {label}" for label, count in found.by_status.items())
    lines = [f"{found.threads:,} threads ({statuses or 'none'}), {found.items:,} items."]
    if found.first_at and found.last_at:
        lines.append(f"From {found.first_at:%d %b %Y} to {found.last_at:%d %b %Y}.")
    if found.gone:
        lines.append(f"{found.gone:,} of them were deleted at OpenAI and are kept here.")
    if found.former:
        lines.append(f"{found.former:,} of them are of the API that this database had before.")
    if found.breaker:
        lines.append(
            f"{found.breaker.withheld:,} threads were found to be deleted at OpenAI and are not marked, because more "
            f"than {found.breaker.limit:,} in 24 hours is not plausible. An administrator can mark "
            "them as deleted on /sync/."
        )
    lines += _complete(found.complete)
    lines += _time_left(found)
    lines += _unsearchable(found)
    if found.failed_at:
        lines.append(f"The last sync failed, {found.failed_at:{_TIME}} UTC: {found.failure}.")
    if found.complete.failing:
        lines.append(f"{found.complete.failing:,} could not be read and will be tried again:")
    lines += [f"  {thread.thread_id}: {thread.why}" for thread in found.troubles[:20]]
    if found.complete.oversized:
        lines.append(f"{found.complete.oversized:,} items are too large to be read:")
    for item in found.oversized[:20]:
        lines.append(f"  {item.thread_id}: {item.item_id or 'an item without a known id'}: {item.why}")
    return lines


def _time_left(found: ArchiveReport) -> list[str]:
    lines, then = [], found.to_read
    if found.running is not None:
        left = "" if found.running.left is None else f", {found.running.left:,} left"
        seconds = found.running.seconds_left
        time = "" if seconds is None else f", {times.time_left(seconds)}"
        lines.append(f"A sync is under way. {found.running.said}{left}{time}.")
    if then is not None:
        lines.append(
            f"Conversations to be asked{' after that' if found.running else ''}: {then.conversations:,}, "
            f"{times.time_left(then.seconds)} at {then.per_minute:,.0f} requests a minute, and longer where one has "
            "more than 100 new items."
        )
    return lines


def _unsearchable(found: ArchiveReport) -> list[str]:
    lines = []
    if found.stale:
        lines.append(
            f"{found.stale:,} threads are still to be indexed anew: a worker does it, or `manage.py archive index`."
        )
    if found.cut:
        lines.append(
            f"{found.cut:,} threads have more words than can be searched; their longest ids and codes are left out:"
        )
    return lines + [f"  {thread_id}" for thread_id in found.cut_threads[:20]]


def _complete(found: Completeness) -> list[str]:
    if found.as_of is not None:
        lines = [
            f"Complete as of {found.as_of:{_TIME}} UTC: all that OpenAI had then is kept. No part is more than "
            f"{found.bound // timedelta(hours=1)} hours older than the last look at the list:"
        ]
    else:
        lines = ["Not complete:", *(f"  {each}" for each in found.lacking)]
    parts = (
        ("The list of threads: last read whole, beginning", found.listed_at),
        ("The end of the list: last read", found.ended_at),
        ("Conversations: each known to be kept to its last item; the oldest check", found.checked_at),
    )
    lines += [f"  {label} {at:{_TIME}} UTC." for label, at in parts if at]
    if found.deleted_unread:
        lines.append(f"  Threads deleted at OpenAI before they were read to the last item: {found.deleted_unread:,}.")
    return [*lines, f"  {ATTACHMENTS_NOTE}"]
