"""Gathers, names by content and compresses the static files, when they are not what they were the last time; and serves
them."""

from __future__ import annotations

import fcntl
import hashlib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from whitenoise.middleware import WhiteNoiseMiddleware

_STAMP, _LOCK, _MANIFEST = ".gathered", ".lock", "staticfiles.json"


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]
    """whitenoise's, but for what is beside the files: the list of their names, and what has a name that is hidden."""

    def add_file_to_dictionary(self, url: str, path: str, stat_cache: Any = None) -> None:
        parts = Path(url).parts
        if not any(each.startswith(".") for each in parts) and not parts[-1].startswith(_MANIFEST):
            super().add_file_to_dictionary(url, path, stat_cache=stat_cache)


def gather() -> bool:
    """Fills STATIC_ROOT. Returns whether there was anything to do."""
    root = Path(settings.STATIC_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    stamp, now = root / _STAMP, _fingerprint()
    with (root / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two servers may start at once
        if stamp.exists() and stamp.read_text(encoding="ascii") == now:
            return False
        # Files of older names stay: a server that still runs may serve pages that ask for them.
        call_command("collectstatic", interactive=False, verbosity=0)
        stamp.write_text(now, encoding="ascii")
    return True


def _fingerprint() -> str:
    """Changes when a file is added, removed, or written to, or when the code that treats them is another version."""
    digest = hashlib.sha256(f"{django.VERSION} {version('whitenoise')}".encode())
    for finder in get_finders():
        for path, storage in sorted(finder.list([]), key=lambda found: str(found[0])):
            status = Path(storage.path(path)).stat()
            digest.update(f"{path} {status.st_mtime_ns} {status.st_size}\n".encode())
    return digest.hexdigest()
