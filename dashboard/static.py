"""Gathers, names by content and compresses the static files, when they are not what they were the last time."""

from __future__ import annotations

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
    stamp, now = root / ".gathered", _fingerprint()
    if stamp.exists() and stamp.read_text(encoding="ascii") == now:
        return False
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
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
