"""Erases at the upstream at sys.argv[1] and is killed sys.argv[2] times at random moments; then erases to the end, and
prints what is on record, as JSON. Forks, so that a round costs no start of Python."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from datetime import timedelta
from threading import Event

import django


def erasing(base_url: str, *, copying: bool) -> int:
    """A worker that erases what there is to erase, or one that copies meanwhile. Its id."""
    from threads.archive.sync.sync import Sync
    from threads.chatkit import ApiConfig, ChatKitClient
    from threads.erasure.runner import ready, work

    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        client = ChatKitClient(ApiConfig("sk-test", base_url))
        if copying:
            Sync(client, side_by_side=2).run(everything=True)
        else:
            for job in ready():
                work(job, client, Event(), pauses=(0.01,) * 500)
        status = 0
    finally:
        os._exit(status)


def main(base_url: str, rounds: int, orders: list[list[str]]) -> None:
    django.setup()
    from django.core.management import call_command
    from django.db import connections

    from tests.support import counted
    from tests.support.erasing import ordered
    from threads.archive.models import ArchivedThread
    from threads.archive.sync.sync import Sync
    from threads.audit.models import AuditEvent
    from threads.chatkit import ApiConfig, ChatKitClient
    from threads.erasure.models import Erasure, Target
    from threads.erasure.runner import ready
    from threads.jobs import job as jobs

    # A dead worker's jobs are waited for as long as it may have lived: not for a minute each time here.
    jobs.LEASE = timedelta(milliseconds=30)
    call_command("migrate", verbosity=0)
    Sync(ChatKitClient(ApiConfig("sk-test", base_url))).run()
    waiting = list(orders)
    connections.close_all()
    for number in range(rounds):
        if waiting and number % max(1, rounds // len(orders)) == 0:
            user, *ids = waiting.pop(0)
            ordered(ids, user=user)
            connections.close_all()
        pids = [erasing(base_url, copying=False)]
        if number % 5 == 0:
            pids.append(erasing(base_url, copying=True))
        time.sleep(random.uniform(0.01, 0.4))
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        time.sleep(0.03)
    until = time.monotonic() + 30
    while Erasure.objects.filter(finished_at=None).exists() and time.monotonic() < until:
        time.sleep(0.1)
        if ready().exists():
            connections.close_all()
            os.waitpid(erasing(base_url, copying=False), 0)
    counted.check()
    events = (
        AuditEvent.objects.filter(action="delete").order_by("id").values_list("thread_id", "outcome", "detail__erasure")
    )
    found = {
        "open": Erasure.objects.filter(finished_at=None).count(),
        "targets": list(Target.objects.order_by("id").values_list("thread_id", "state", "reason")),
        "events": list(events),
        "kept": list(ArchivedThread.objects.values_list("thread_id", flat=True)),
    }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]))
