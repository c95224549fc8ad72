"""`manage.py audit archive` moves old events of the audit log into a file with a hash chain; `audit verify` verifies
such files."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from threads.audit import archiving, hash_chain
from threads.audit.record import NotRecordedError

_NOT_ALLOWED = "42501"
"""PostgreSQL's SQLSTATE for an account that does not own the table."""


class Command(BaseCommand):
    help = "Moves old events of the audit log into a file, and verifies such files."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        does = parser.add_subparsers(dest="does", required=True)
        archive = does.add_parser("archive", help="write old events to a file, then remove them from the audit log")
        archive.add_argument("--before", required=True, metavar="DATE", help="the first day that stays, in UTC")
        archive.add_argument("file", type=Path)
        verify = does.add_parser("verify", help="check files of archived events, in their order")
        verify.add_argument("files", type=Path, nargs="+", metavar="file")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Raises `CommandError`, for exit code 1."""
        try:
            if options["does"] == "archive":
                self._archive(options["before"], options["file"])
            else:
                self._verify(options["files"])
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}. Nothing more was done.") from error

    def _archive(self, day: str, path: Path) -> None:
        try:
            before = datetime.combine(date.fromisoformat(day), time(), UTC)
        except ValueError as error:
            raise CommandError(f"--before takes a day such as 2026-01-01, and not {day!r}.") from error
        if before > datetime.now(UTC) - archiving.STAYS:
            hours = archiving.STAYS // timedelta(hours=1)
            raise CommandError(f"--before takes a day at least {hours} hours ago: newer events stay.")
        try:
            done = archiving.archive(before, path)
        except BlockingIOError as error:
            raise CommandError(f"Another process is writing {path}.") from error
        except (archiving.ArchivingError, hash_chain.BrokenChainError) as error:
            raise CommandError(f"Nothing more was removed: {error}") from error
        except NotRecordedError as error:
            raise CommandError("The audit log can't be written, so nothing more was removed. Run it again.") from error
        except DatabaseError as error:
            message = (
                f"The database failed ({type(error).__name__}). Nothing is lost: run this again with the same file."
            )
            if getattr(error.__cause__, "sqlstate", None) == _NOT_ALLOWED:
                message = "To remove events takes the account that owns the table: run this with that in DATABASE_URL."
            raise CommandError(message) from error
        if done is None:
            self.stdout.write(f"There are no events before {day}. Nothing was written.")
            return
        found, removed = done
        self.stdout.write(f"{_described(path, found)}\n{removed:,} of them were removed from the audit log just now.")

    def _verify(self, paths: list[Path]) -> None:
        last = None
        for path in paths:
            try:
                found = hash_chain.read(path)
            except hash_chain.BrokenChainError as error:
                raise CommandError(f"{path} is not what was written: {error}.") from error
            if last is not None and found.previous != last:
                raise CommandError(f"{path} does not follow on the file before it.")
            last = found.last
            self.stdout.write(_described(path, found))
        self.stdout.write(_compared(paths[-1], last))


def _described(path: Path, found: hash_chain.Contents) -> str:
    span = f" from {found.first_at} to {found.last_at}" if found.events else ""
    after = "It is the first file" if found.previous == hash_chain.BEGINNING else f"It follows on {found.previous}"
    return f"{path} is whole: {found.events:,} events{span}.\n{after}, and ends with {found.last}."


def _compared(path: Path, last: str | None) -> str:
    """Compares the last file with the audit log, as each other file is confirmed by the one after it. Returns the
    result as a sentence. Raises `CommandError` where they differ."""
    try:
        known = archiving.newest()
    except DatabaseError:
        return "The audit log can't be read, so the end of the last file is not checked."
    if known is None:
        raise CommandError("The audit log has no file on record, so the end of the last file can't be checked.")
    if known.last != last:
        raise CommandError(
            f"The audit log has another end on record than that of {path}. The newest file on record is {known.name}: "
            "either that is missing here, as the last one to be named, or what was named was forged."
        )
    return "The audit log has this end on record."
