"""`python -m tests.system.rehearsal [THREADS]`: checks that the archive outlives the API.

Exits with 1 if a check fails.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from tests.system.rehearsal.rehearsal import MIN_THREADS, rehearse
from threads.emulator import Emulator

THREADS = 500


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.system.rehearsal", description=__doc__)
    parser.add_argument("threads", nargs="?", type=int, default=THREADS, help=f"{MIN_THREADS} or more")
    threads = parser.parse_args().threads
    if threads < MIN_THREADS:
        parser.error(f"a rehearsal takes {MIN_THREADS} threads or more")
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(1))  # also ends the child processes
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="threadkeeper-", ignore_cleanup_errors=True) as name:
        checks = rehearse(Path(name), Emulator(threads=threads, showcase=True), partial(print, flush=True))
    print(f"\n{checks.passed} checks passed, {checks.failed} failed, in {time.monotonic() - began:.0f} seconds.")
    return int(bool(checks.failed))


if __name__ == "__main__":
    sys.exit(main())
