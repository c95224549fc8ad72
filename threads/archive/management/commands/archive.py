"""`manage.py archive sync` copies everything; `manage.py archive report` says what there is and whether it is all."""

from __future__ import annotations

import json
import signal
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Self

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from tqdm import tqdm

from threads import origin, upstream
from threads.archive.lease import HeldError, LeaseLostError
from threads.archive.models import ArchivedThread
from threads.archive.report import Report, report
from threads.archive.sync import Sync, Tally
from threads.chatkit import ChatKitError


class Command(BaseCommand):
    help = "Copies the threads and their items into the archive, or reports what is there."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        sync = actions.add_parser("sync", help="copy until there is nothing more to copy")
        sync.add_argument("--everything", action="store_true", help="ask for every thread again, not only what is due")
        sync.add_argument("--threads-only", action="store_true", help="leave the items out")
        sync.add_argument("--requests-per-minute", type=float, default=settings.ARCHIVE_REQUESTS_PER_MINUTE)
        sync.add_argument("--at-once", type=int, default=settings.ARCHIVE_AT_ONCE, help="threads read side by side")
        told = actions.add_parser("report", help="say what is kept, and whether it is everything")
        told.add_argument("--json", metavar="FILE", help="write the whole report there, - for the terminal")

    def handle(self, *_args: Any, **options: Any) -> None:
        if settings.ARCHIVE == "off":
            raise CommandError("There is no archive: ARCHIVE is off.")
        origin.claim_for_command()
        if options["action"] == "report":
            self._report(options["json"])
        else:
            self._sync(options)

    def _sync(self, options: dict[str, Any]) -> None:
        with _Bars() as bars:
            sync = Sync(
                upstream.client(),
                with_items=settings.ARCHIVE == "full" and not options["threads_only"],
                side_by_side=options["at_once"],
                per_minute=options["requests_per_minute"],
                watch=bars.show,
            )
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
            try:
                sync.run(everything=options["everything"])
            except HeldError as error:
                raise CommandError(
                    f"Another worker is copying: {error.holder}. Its lease ends a minute after it does."
                ) from None
            except LeaseLostError:
                raise CommandError("Another worker has taken over. What was kept is kept.") from None
            except ChatKitError as error:
                raise CommandError(f"The copying ended early: {error.detail}. Start it again to go on.") from None
            except DatabaseError as error:
                raise CommandError(
                    f"The archive can't be written: {error}. What was kept is kept; start it again to go on."
                ) from None
            except KeyboardInterrupt:
                raise CommandError("Stopped. What was kept is kept; start it again to go on.") from None
        self._report(None)

    def _report(self, file: str | None) -> None:
        found = report()
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
    """Progress in the terminal: first the threads of the list, then those whose items are read, and the time left."""

    def __init__(self) -> None:
        self._bar = tqdm(desc="Threads", unit="", file=sys.stderr, dynamic_ncols=True)
        self._reading = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._bar.close()

    def show(self, tally: Tally) -> None:
        if tally.new_items and not self._reading:
            self._reading = True
            self._bar.close()
            left = ArchivedThread.objects.filter(read_at__isnull=True, gone_at__isnull=True).count()
            self._bar = tqdm(desc="Read", unit="", total=left + tally.threads_read, file=sys.stderr, dynamic_ncols=True)
        said = {"items": f"{tally.new_items:,}"} if self._reading else {"new": f"{tally.new_threads:,}"}
        if tally.failures:
            said["failed"] = f"{tally.failures:,}"
        if tally.refusals:
            said["told to wait"] = f"{tally.refusals:,}"
        self._bar.set_postfix(said, refresh=False)
        self._bar.update((tally.threads_read if self._reading else tally.threads_seen) - self._bar.n)


def _lines(found: Report) -> list[str]:
    statuses = ", ".join(f"{count:,} {label}" for label, count in found.by_status.items())
    lines = [
        f"{found.threads:,} threads ({statuses or 'none'}), {found.items:,} items.",
        f"From {found.first_at:%d %b %Y} to {found.last_at:%d %b %Y}." if found.first_at and found.last_at else "",
        f"{found.gone:,} of them are gone upstream and kept here." if found.gone else "",
        f"{found.failing:,} could not be read and will be tried again:" if found.failing else "",
        *(f"  {each.thread_id}: {each.why}" for each in found.troubles[:20]),
    ]
    if found.complete_at:
        lines.append(f"Complete, as of {found.complete_at:%d %b %Y, %H:%M:%S} UTC.")
    else:
        lines += ["Not complete:", *(f"  {each}" for each in found.lacking)]
    return [line for line in lines if line]
