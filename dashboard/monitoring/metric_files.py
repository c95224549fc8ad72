"""Where the processes of a server count together: in files, of which each has its own and all read all. Loads nothing
of the rest, since the server's first process, which loads this, must keep nothing that a reload is to bring anew."""

from __future__ import annotations

import os
import re
from pathlib import Path

_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
_FILE = re.compile(r"_(\d+)\.db$")


def share(directory: Path) -> None:
    """From now on this process and those that it starts count in `directory`. To be called before anything counts."""
    directory.mkdir(parents=True, exist_ok=True)
    os.environ[_DIRECTORY] = str(directory)


def clean(directory: Path) -> None:
    """What processes that live no more have counted goes: counters begin at 0 with the server."""
    for path in directory.glob("*.db"):
        found = _FILE.search(path.name)
        if found is None or not _lives(int(found[1])):
            path.unlink(missing_ok=True)


def died(pid: int) -> None:
    """A process that counted lives no more. What it has counted stays; what it was at is under way no more."""
    if directory := os.environ.get(_DIRECTORY):
        for path in Path(directory).glob(f"gauge_live*_{pid}.db"):
            path.unlink(missing_ok=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
