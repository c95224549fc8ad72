"""Copies from the upstream at sys.argv[1] and is killed sys.argv[2] times at random moments; then copies to the end and
prints what the archive holds, as JSON. Forks, so that a round costs no start of Python."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time

import django


def copying(base_url: str) -> int:
    """A process that copies. Its id."""
    from threads.archive.sync.sync import Sync
    from threads.chatkit import ApiConfig, ChatKitClient

    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        Sync(ChatKitClient(ApiConfig("sk-test", base_url)), side_by_side=3).run(everything=random.random() < 0.3)
        status = 0
    finally:
        os._exit(status)


def main(base_url: str, rounds: int) -> None:
    django.setup()
    from django.core.management import call_command
    from django.db import connections

    call_command("migrate", verbosity=0)
    connections.close_all()
    for _ in range(rounds):
        pid = copying(base_url)
        time.sleep(random.uniform(0, 0.35))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    _, status = os.waitpid(copying(base_url), 0)
    from tests.support import counted
    from tests.support.mirror import archive
    from threads.archive.completeness import completeness

    counted.check()
    complete = completeness().as_of is not None
    json.dump({"status": status, "complete": complete, "held": archive()}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
