"""Files of archived events: a hash chain in JSON Lines. Each line has the SHA-256 of the line before it, so none can be
changed, removed or inserted without changing all that follow. A file continues the chain of the one before it.

    {"archive": {"before": "2026-01-01T00:00:00+00:00", "format": 1}, "previous": "<hash of the last file's last line>"}
    {"event": {"id": 1, "at": "…", "action": "read", …}, "previous": "<hash of the line before>"}
    {"end": {"events": 1}, "previous": "<hash of the line before>"}

The hash is of the bytes of a line without its line break. The first file continues 64 zeros.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from threads.lib.files import sync_directory

BEGINNING = "0" * 64
_FORMAT = 1

Line = dict[str, Any]


class BrokenChainError(Exception):
    """A file was changed after it was written; the message says where."""


@dataclass(frozen=True, slots=True)
class Contents:
    """Contents of a complete file: the number of events, when the first and the last of them were, and the hashes that
    it continues and ends with."""

    before: str
    events: int
    first_at: str
    last_at: str
    previous: str
    last: str


def write(path: Path, before: str, previous: str, events: Iterable[Line]) -> None:
    """Writes a file that continues the chain after the hash `previous`. It gets its name when all of it is on disk.
    Raises `OSError`: `FileExistsError` where the file exists, `BlockingIOError` where another process writes it."""
    part = path.with_name(f"{path.name}.part")
    with _opened(part) as file:
        try:
            for line in _lines(before, events):
                text = json.dumps(line | {"previous": previous}, sort_keys=True, separators=(",", ":")).encode("ascii")
                file.write(text + b"\n")
                previous = _hash(text)
            file.flush()
            os.fsync(file.fileno())
            os.link(part, path)  # unlike a rename, it replaces no file
        finally:
            part.unlink()
    sync_directory(path.parent)


def read(path: Path) -> Contents:
    """The contents of a file, after verifying every line. Raises `BrokenChainError` and `OSError`."""
    lines = _checked(path)
    head, last = next(lines)
    first_at, last_at, number = "", "", 0
    for line, last in lines:  # noqa: B007  # the last value is the file's
        if "event" in line:
            number += 1
            last_at = str(line["event"].get("at"))
            first_at = first_at or last_at
    return Contents(str(head["archive"].get("before")), number, first_at, last_at, head["previous"], last)


def events(path: Path) -> Iterator[Line]:
    """The events of a file in order. Raises `BrokenChainError` and `OSError`."""
    for line, _ in _checked(path):
        if "event" in line:
            yield line["event"]


@contextmanager
def _opened(part: Path) -> Iterator[IO[bytes]]:
    """An empty file, locked by this process. Raises `BlockingIOError`."""
    while True:
        with os.fdopen(os.open(part, os.O_CREAT | os.O_WRONLY, 0o600), "wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found = os.fstat(file.fileno())
            if not part.exists() or part.stat().st_ino != found.st_ino:
                # Another process gave it its name before the lock was granted.
                raise BlockingIOError(errno.EWOULDBLOCK, os.strerror(errno.EWOULDBLOCK), str(part))
            if found.st_nlink > 1:  # its writer was killed after the link: the named file is complete
                part.unlink()
                continue
            file.truncate()  # left by a killed process
            yield file
            return


def _lines(before: str, events: Iterable[Line]) -> Iterator[Line]:
    yield {"archive": {"before": before, "format": _FORMAT}}
    count = 0
    for count, event in enumerate(events, 1):  # noqa: B007  # used below
        yield {"event": event}
    yield {"end": {"events": count}}


def _checked(path: Path) -> Iterator[tuple[Line, str]]:
    """The lines with their hashes. Raises `BrokenChainError` at the first that is wrong."""
    last, number, count, kind = "", 0, 0, ""
    with path.open("rb") as file:
        for number, text in enumerate(file, 1):  # used below
            line = _parsed(text, number)
            kind = _kind(line, number, kind)
            if number > 1 and line["previous"] != last:
                raise BrokenChainError(f"line {number} does not follow on line {number - 1}")
            count += kind == "event"
            if kind == "end" and line["end"].get("events") != count:
                raise BrokenChainError(f"it says that it has {line['end'].get('events')} events, and has {count}")
            last = _hash(text[:-1])
            yield line, last
    if kind != "end":
        raise BrokenChainError(f"it ends in the middle, after line {number}")


def _parsed(text: bytes, number: int) -> Line:
    try:
        line = json.loads(text) if text.endswith(b"\n") else None
    except ValueError:
        line = None
    if not isinstance(line, dict) or not isinstance(line.get("previous"), str):
        raise BrokenChainError(f"line {number} is none of an archive")
    return line


def _kind(line: Line, number: int, before: str) -> str:
    """The kind of a line that may follow a line of kind `before`."""
    after = {"": ("archive",), "archive": ("event", "end"), "event": ("event", "end"), "end": ()}[before]
    for kind in after:
        if isinstance(line.get(kind), dict) and (kind != "event" or isinstance(line["event"].get("id"), int)):
            return kind
    raise BrokenChainError(f"line {number} can't stand where it does")


def _hash(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()
