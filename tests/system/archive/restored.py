"""Copies everything and erases a thread, runs the commands of a backup (sys.argv[2]), then erases a user and another
thread, at the upstream at sys.argv[1]; prints what was erased after the backup and what is left, as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from threading import Event

import django


def main(base_url: str, backup: str) -> None:
    django.setup()
    from django.core.management import call_command

    from tests.support.erasing import ordered
    from threads.archive.models import ArchivedThread
    from threads.archive.sync.sync import Sync
    from threads.chatkit import ApiConfig, ChatKitClient
    from threads.erasure.runner import work

    client = ChatKitClient(ApiConfig("sk-test", base_url))
    call_command("migrate", verbosity=0)
    Sync(client).run()
    user, thread_id = ArchivedThread.objects.exclude(user=None).order_by("number").values_list("user", "thread_id")[0]
    assert user
    before, other = ArchivedThread.objects.exclude(user=user).values_list("thread_id", flat=True)[:2]
    theirs = list(ArchivedThread.objects.filter(user=user).values_list("thread_id", flat=True))
    assert thread_id in theirs
    work(ordered([before]), client, Event())
    subprocess.run(["sh", "-ec", backup], check=True)
    for job in (ordered(user=user), ordered([other])):
        work(job, client, Event())
    left = list(ArchivedThread.objects.values_list("thread_id", flat=True))
    json.dump({"erased": [*theirs, other], "left": left}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
