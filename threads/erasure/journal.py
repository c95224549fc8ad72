"""Erasures file: an append-only journal of erased threads outside the database, so that a restored backup is recognised
as older than the erasures, and they can be replayed on it.

One JSON object a line, numbered. It holds ids and times and no words; a user stands in it as a keyed hash, whose key is
in the database. See docs/adr/0014.
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

_TAIL = 256 * 1024
"""Bytes at the end of the file in which its last line is looked for first."""


class JournalError(Exception):
    """The erasures file can't be read or written. Says why, as a clause."""


class What(StrEnum):
    """What a line says."""

    ORDER = "order"
    """The erasure of all threads of a user begins; `user` is the keyed hash of their id."""
    ERASE = "erase"
    """A thread is about to be erased."""
    KEPT = "kept"
    """A thread is not erased after all, or not known to be."""
    END = "end"
    """The erasure has ended."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line. `thread` and `user` are "" where it is about neither."""

    number: int
    at: datetime
    erasure: UUID
    what: What
    thread: str = ""
    user: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """What is to be written in a line."""

    erasure: UUID
    what: What
    thread: str = ""
    user: str = ""


def append(*notes: Note) -> int | None:
    """Adds a line for each, and returns the number of the last when all are on the disk; None where there is no file.
    Raises `JournalError` where that can't be, in which case nothing may be erased."""
    path = settings.ERASURES_FILE
    if path is None:
        return None
    try:
        with _locked(path) as file:
            last, is_whole = _last(file)
            first = max(last, last_in_database()) + 1
            lines = [_line(number, note) for number, note in enumerate(notes, first)]
            file.seek(0, os.SEEK_END)
            # A line that a crash cut short must not take the next one with it.
            file.write((b"" if is_whole else b"\n") + b"".join(lines))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise _unwritable(error) from error
    return first + len(notes) - 1


def check() -> None:
    """Raises `JournalError` where the file can't be appended to."""
    if settings.ERASURES_FILE is None:
        return
    try:
        with _locked(settings.ERASURES_FILE):
            return
    except OSError as error:
        raise _unwritable(error) from error


def entries() -> Iterator[Entry | None]:
    """All lines, in the order of the file; None for each that can't be read. None at all where there is no file. Raises
    `JournalError`."""
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
    """The number of the last line that can be read, 0 for none. Raises `JournalError`."""
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
    """The greatest number of a line that this database knows of, 0 for none."""
    numbered = {"line__isnull": False}  # as the indexes have it
    of_threads = Target.objects.filter(**numbered).aggregate(last=Max("line"))["last"]
    of_orders = Erasure.objects.filter(**numbered).aggregate(last=Max("line"))["last"]
    return max(of_threads or 0, of_orders or 0)


def hashed(users: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each user with the hash by which the file knows them. The key is this database's: a backup has the same, and who
    has the file alone can't try addresses until one fits."""
    salt = Origin.objects.values_list("salt", flat=True).first() or ""
    for user in users:
        key = f"threadkeeper erasures {salt}".encode()
        yield user, hmac.new(key, user.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


@contextmanager
def _locked(path: Path) -> Iterator[IO[bytes]]:
    """The file, made where there is none, for this process alone."""
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
            if is_same:  # else it was moved away while this waited for it
                yield file
                return


def _last(file: IO[bytes]) -> tuple[int, bool]:
    """The number of the last line that can be read, 0 for none, and whether the file ends with a whole line."""
    size = file.seek(0, os.SEEK_END)
    for start in (max(0, size - _TAIL), 0):
        file.seek(start)
        tail = file.read()
        for line in reversed(tail.splitlines()):
            found = _entry(line)
            if found is not None:
                return found.number, tail.endswith(b"\n")
    return 0, size == 0 or tail.endswith(b"\n")


def _line(number: int, note: Note) -> bytes:
    said = {"number": number, "at": timezone.now().isoformat(timespec="seconds"), "erasure": str(note.erasure)}
    said |= {"what": note.what.value}
    said |= {name: value for name, value in (("thread", note.thread), ("user", note.user)) if value}
    return json.dumps(said).encode() + b"\n"


def _entry(line: bytes) -> Entry | None:
    try:
        said = json.loads(line)
        return Entry(
            int(said["number"]),
            datetime.fromisoformat(said["at"]),
            UUID(said["erasure"]),
            What(said["what"]),
            str(said.get("thread", "")),
            str(said.get("user", "")),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _unwritable(error: OSError) -> JournalError:
    return JournalError(f"the erasures file can't be written ({error.strerror or type(error).__name__})")


def _unreadable(error: OSError) -> JournalError:
    return JournalError(f"the erasures file can't be read ({error.strerror or type(error).__name__})")
