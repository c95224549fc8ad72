"""Gathers, names by content and compresses the static files, when they are not what they were the last time."""

from __future__ import annotations

import fcntl
import hashlib
from importlib.metadata import version
from pathlib import Path

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command


def gather() -> bool:
    """Fills STATIC_ROOT. Returns whether there was anything to do."""
    root = Path(settings.STATIC_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    stamp, now = root / ".gathered", _fingerprint()
    with (root / ".lock").open("w") as lock:
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
