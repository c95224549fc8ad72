"""Files in which the processes of a server count together: each writes its own, all read all.

Imports nothing of the project: gunicorn's master imports it, and must keep no code that a reload should replace.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
_FILE = re.compile(r"_(\d+)\.db$")


def set_directory(directory: Path) -> None:
    """Makes this process and its children count in `directory`. Call before anything is counted."""
    directory.mkdir(parents=True, exist_ok=True)
    os.environ[_DIRECTORY] = str(directory)


def remove_stale(directory: Path) -> None:
    """Deletes the files of dead processes, so that counters start at 0 with the server."""
    for path in directory.glob("*.db"):
        found = _FILE.search(path.name)
        if found is None or not _is_running(int(found[1])):
            path.unlink(missing_ok=True)


def forget_process(pid: int) -> None:
    """Drops the live gauges of a dead process. Its counters stay."""
    if directory := os.environ.get(_DIRECTORY):
        for path in Path(directory).glob(f"gauge_live*_{pid}.db"):
            path.unlink(missing_ok=True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
