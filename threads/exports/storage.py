"""Files of exports on disk, readable by this account of the machine only."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.conf import settings

_FILE, _WORK = ".data", ".work"
_CHUNK = 1 << 20


def directory() -> Path:
    """DATA_DIR/exports, created where it is missing. Workers on several machines must share it. Raises `OSError`."""
    found = Path(settings.DATA_DIR) / "exports"
    if not found.is_dir():
        found.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


def path(export: UUID) -> Path:
    """The file of an export."""
    return directory() / f"{export}{_FILE}"


def work(export: UUID) -> Path:
    """The directory of an export's parts until they are packed; `begin` creates it."""
    return directory() / f"{export}{_WORK}"


def begin(export: UUID) -> None:
    """Creates the directory of the parts. Nothing else does, so a removed export stays removed. Raises `OSError`."""
    work(export).mkdir(mode=0o700, exist_ok=True)


def create(where: Path) -> BinaryIO:
    """An empty file in place of an existing one, open for writing. Raises `OSError`."""
    return os.fdopen(os.open(where, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb")


def append(where: Path, offset: int, data: bytes) -> None:
    """Cuts the file to `offset` bytes, appends `data`, and flushes it to disk. Raises `OSError`."""
    with os.fdopen(os.open(where, os.O_CREAT | os.O_RDWR, 0o600), "r+b") as file:
        if file.seek(0, os.SEEK_END) < offset:
            raise OSError(f"{where.name} is shorter than it was")
        file.truncate(offset)
        file.seek(offset)
        file.write(data)
        flush(file)


def sha256(where: Path, size: int | None = None, end: bytes = b"") -> str:
    """The SHA-256 of the file's first `size` bytes (of all where None), followed by `end`, in hexadecimal. Raises
    `OSError`."""
    digest = hashlib.sha256()
    with where.open("rb") as file:
        while (size is None or size > 0) and (part := file.read(min(_CHUNK, size or _CHUNK))):
            digest.update(part)
            size = None if size is None else size - len(part)
    digest.update(end)
    return digest.hexdigest()


def flush(file: BinaryIO) -> None:
    """Flushes a file to disk."""
    file.flush()
    os.fsync(file.fileno())


def remove(export: UUID) -> None:
    """Deletes all files of an export, if there are any. Raises `OSError`."""
    path(export).unlink(missing_ok=True)
    remove_parts(export)


def remove_parts(export: UUID) -> None:
    """Deletes the parts of an export. Raises `OSError`."""
    with suppress(FileNotFoundError):
        shutil.rmtree(work(export))


def on_disk() -> Iterator[UUID]:
    """The ids of exports with files on disk."""
    for each in directory().iterdir():
        if each.suffix in {_FILE, _WORK}:
            with suppress(ValueError):
                yield UUID(each.stem)
