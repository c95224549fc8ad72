"""Erasures file: an append-only journal of erased threads outside the database, so that a restored backup is recognised
as older than the erasures, and they can be replayed on it.

One JSON object per line, numbered. It holds ids and times, no texts; a user is a keyed hash, whose key is in the
database. See docs/adr/0014.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import IO
from uuid import UUID

from django.conf import settings
from django.db.models import Max
from django.utils import timezone

from threads.lib.files import sync_directory
from threads.models import Origin

from .models import Erasure, Target

_TAIL_BYTES = 256 * 1024
"""The end of the file, where its last line is looked for first."""


class JournalError(Exception):
    """The erasures file can't be read or written; the message is a clause with the reason."""


class EntryKind(StrEnum):
    """The kind of a line."""

    ORDER = "order"
    """The erasure of all threads of a user begins; `user` is the keyed hash of the id."""
    ERASE = "erase"
    """A thread is about to be erased."""
    KEPT = "kept"
    """Revokes ERASE: the thread was not erased, or is not known to be."""
    END = "end"
    """The erasure has ended."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A line. `thread` and `user` are "" where it is not about one."""

    number: int
    at: datetime
    erasure: UUID
    kind: EntryKind
    thread: str = ""
    user: str = ""


@dataclass(frozen=True, slots=True)
class NewEntry:
    """A line to write."""

    erasure: UUID
    kind: EntryKind
    thread: str = ""
    user: str = ""


def append(*entries: NewEntry) -> int | None:
    """Appends a line each and flushes them to disk. Returns the number of the last one, None where there is no erasures
    file. Raises `JournalError`; then nothing may be erased."""
    path = settings.ERASURES_FILE
    if path is None:
        return None
    try:
        with _locked(path) as file:
            last, is_whole = _last(file)
            first = max(last, last_in_database()) + 1
            lines = [_line(number, entry) for number, entry in enumerate(entries, first)]
            file.seek(0, os.SEEK_END)
            # Keeps a line that a crash cut short apart from the next one.
            file.write((b"" if is_whole else b"\n") + b"".join(lines))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise _unwritable(error) from error
    return first + len(entries) - 1


def check() -> None:
    """Raises `JournalError` where the file can't be appended to."""
    if settings.ERASURES_FILE is None:
        return
    try:
        with _locked(settings.ERASURES_FILE):
            return
    except OSError as error:
        raise _unwritable(error) from error


def read_entries() -> Iterator[JournalEntry | None]:
    """All lines in order, None for each that can't be parsed; nothing where there is no file. Raises `JournalError`."""
    if settings.ERASURES_FILE is None:
        return
    try:
        with Path(settings.ERASURES_FILE).open("rb") as file:
            for line in file:
                if line.strip():
                    yield _entry(line)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unreadable(error) from error


def last_in_file() -> int:
    """The number of the last readable line, 0 for none. Raises `JournalError`."""
    if settings.ERASURES_FILE is None:
        return 0
    try:
        with Path(settings.ERASURES_FILE).open("rb") as file:
            return _last(file)[0]
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise _unreadable(error) from error


def last_in_database() -> int:
    """The highest line number in this database, 0 for none."""
    numbered = {"journal_line__isnull": False}  # the condition of the indexes
    of_threads = Target.objects.filter(**numbered).aggregate(last=Max("journal_line"))["last"]
    of_orders = Erasure.objects.filter(**numbered).aggregate(last=Max("journal_line"))["last"]
    return max(of_threads or 0, of_orders or 0)


def user_hashes(users: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each user id with its hash in the erasures file. The key is in this database and its backups: the file alone does
    not allow to guess ids by trying."""
    salt = Origin.objects.values_list("salt", flat=True).first() or ""
    for user in users:
        key = f"threadkeeper erasures {salt}".encode()
        yield user, hmac.new(key, user.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


@contextmanager
def _locked(path: Path) -> Iterator[IO[bytes]]:
    """The file under an exclusive lock, created where there is none."""
    while True:
        is_new = not path.exists()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if is_new:
                sync_directory(path.parent)
            try:
                is_same = os.fstat(descriptor).st_ino == path.stat().st_ino
            except FileNotFoundError:
                is_same = False
            if is_same:  # else it was moved away before the lock was granted
                yield file
                return


def _last(file: IO[bytes]) -> tuple[int, bool]:
    """The number of the last readable line, 0 for none, and whether the file ends with a line break."""
    size = file.seek(0, os.SEEK_END)
    for start in (max(0, size - _TAIL_BYTES), 0):
        file.seek(start)
        tail = file.read()
        for line in reversed(tail.splitlines()):
            found = _entry(line)
            if found is not None:
                return found.number, tail.endswith(b"\n")
    return 0, size == 0 or tail.endswith(b"\n")


def _line(number: int, entry: NewEntry) -> bytes:
    line = {"number": number, "at": timezone.now().isoformat(timespec="seconds"), "erasure": str(entry.erasure)}
    line |= {"what": entry.kind.value}
    line |= {name: value for name, value in (("thread", entry.thread), ("user", entry.user)) if value}
    return json.dumps(line).encode() + b"\n"


def _entry(line: bytes) -> JournalEntry | None:
    try:
        values = json.loads(line)
        return JournalEntry(
            int(values["number"]),
            datetime.fromisoformat(values["at"]),
            UUID(values["erasure"]),
            EntryKind(values["what"]),
            str(values.get("thread", "")),
            str(values.get("user", "")),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _unwritable(error: OSError) -> JournalError:
    return JournalError(f"the erasures file can't be written ({error.strerror or type(error).__name__})")


def _unreadable(error: OSError) -> JournalError:
    return JournalError(f"the erasures file can't be read ({error.strerror or type(error).__name__})")
