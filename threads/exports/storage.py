"""Where exports are on disk, which nobody but this account of the machine can read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.conf import settings

_FILE, _WORK = ".data", ".work"


def directory() -> Path:
    """DATA_DIR/exports, made where it is not there. Machines that share the work must share it. Raises `OSError`."""
    found = Path(settings.DATA_DIR) / "exports"
    if not found.is_dir():
        found.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


def path(export: UUID) -> Path:
    """The file of an export."""
    return directory() / f"{export}{_FILE}"


def work(export: UUID) -> Path:
    """Where an export keeps its parts until they are packed; `begin` makes it."""
    return directory() / f"{export}{_WORK}"


def begin(export: UUID) -> None:
    """Makes the place for the parts. Nobody else does: what was removed must not come back. Raises `OSError`."""
    work(export).mkdir(mode=0o700, exist_ok=True)


def create(where: Path) -> BinaryIO:
    """A new file for one reader, in place of what was there. Raises `OSError`."""
    return os.fdopen(os.open(where, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb")


def append(where: Path, offset: int, data: bytes) -> None:
    """Makes the file its first `offset` bytes and then `data`, on the disk itself. Raises `OSError`."""
    with os.fdopen(os.open(where, os.O_CREAT | os.O_RDWR, 0o600), "r+b") as file:
        if file.seek(0, os.SEEK_END) < offset:
            raise OSError(f"{where.name} is shorter than it was")
        file.truncate(offset)
        file.seek(offset)
        file.write(data)
        settle(file)


def settle(file: BinaryIO) -> None:
    """Has what was written to a file on the disk."""
    file.flush()
    os.fsync(file.fileno())


def remove(export: UUID) -> None:
    """Deletes all that an export has on disk, if there is any. Raises `OSError`."""
    path(export).unlink(missing_ok=True)
    tidy(export)


def tidy(export: UUID) -> None:
    """Deletes the parts that were packed. Raises `OSError`."""
    with suppress(FileNotFoundError):
        shutil.rmtree(work(export))


def on_disk() -> Iterator[UUID]:
    """The exports that have something on disk."""
    for each in directory().iterdir():
        if each.suffix in {_FILE, _WORK}:
            with suppress(ValueError):
                yield UUID(each.stem)
