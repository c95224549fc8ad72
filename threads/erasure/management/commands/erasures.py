"""`manage.py erasures` compares the erasures file with the database; `replay` erases the threads again that a restored
backup brought back, `fill` completes the file."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from threads.audit.record import NotRecordedError
from threads.erasure import receipt, replay
from threads.erasure.journal import JournalError
from threads.erasure.models import Target


class Command(BaseCommand):
    help = "Compares ERASURES_FILE with the database. Changes nothing without `replay` or `fill`."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "what",
            nargs="?",
            choices=["status", "replay", "fill"],
            default="status",
            help="replay: erase the copies again that a restored backup brought back; "
            "fill: write to the file what the database has erased and the file lacks",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Exits with code 1 where something is to do, or failed."""
        if settings.ERASURES_FILE is None:
            raise CommandError(
                "There is no erasures file: the emulator's threads are made up. ERASURES_FILE names one."
            )
        try:
            {"status": self._status, "replay": self._replay, "fill": self._fill}[options["what"]]()
        except JournalError as error:
            raise CommandError(f"Not done: {error}.") from error
        except NotRecordedError as error:
            raise CommandError("The audit log can't be written, so nothing was erased.") from error

    def _status(self) -> None:
        comparison = replay.compare()
        self.stdout.write(f"{settings.ERASURES_FILE}: {comparison.lines:,} lines.")
        problems = replay.describe_problems(comparison)
        for sentence, advice in problems:
            self.stdout.write(f"{sentence} {advice}")
        if problems:
            sys.exit(1)
        self.stdout.write("It agrees with the database.")

    def _replay(self) -> None:
        job = replay.replay(self.stdout.write)
        if job is None:
            self.stdout.write("Nothing to erase again: the database knows of all erasures in the file.")
            return
        if job.finished_at is None:
            raise CommandError(f"Erasure {job.pk} has not ended; a worker goes on with it. {job.held}".strip())
        self.stdout.write(f"Erasure {job.pk} has ended.")
        for sentence in [*receipt.remarks(job), *receipt.traces(job)]:
            self.stdout.write(sentence)
        if job.targets.exclude(state=Target.State.COPY).exists():
            raise CommandError("Not all copies were erased: see the receipt.")

    def _fill(self) -> None:
        written = replay.fill()
        self.stdout.write(f"{written:,} lines were added." if written else "Nothing was missing.")
