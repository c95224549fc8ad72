"""Copies from the upstream at sys.argv[1], and erases the threads that sys.argv[2:] name; with SCRUB=0 without seeing
to the files. A process of its own, on a database of its own."""

from __future__ import annotations

import json
import os
import sys
from threading import Event

import django


def main(base_url: str, ids: list[str]) -> None:
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from tests.support.erasing import ordered
    from threads.archive.sync.sync import Sync
    from threads.chatkit import ApiConfig, ChatKitClient
    from threads.erasure import vacuum
    from threads.erasure.runner import work

    call_command("migrate", verbosity=0)
    client = ChatKitClient(ApiConfig("sk-test", base_url))
    for _ in range(2):
        Sync(client).run(everything=True)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:  # else it depends on the load whether the copy is in the file yet
            cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
    if os.environ.get("SCRUB") == "0":
        vacuum.scrub = lambda *_arguments: {}
        vacuum.prepare = lambda: None
    job = ordered(ids)
    work(job, client, Event())
    job.refresh_from_db()
    states = list(job.targets.values_list("state", flat=True))
    json.dump({"ended": job.finished_at is not None, "states": states, "traces": job.traces}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
