"""Two workers, processes of their own, at two orders for the same user, sys.argv[2], at the upstream at sys.argv[1];
prints what became of them. With a third argument it is one of the two, at that order."""

from __future__ import annotations

import json
import subprocess
import sys
from threading import Event

import django


def main(base_url: str, user: str, order: str = "") -> None:
    django.setup()
    from django.core.management import call_command

    from tests.support import counted
    from tests.support.erasing import ordered
    from threads.archive.sync.sync import Sync
    from threads.chatkit import ApiConfig, ChatKitClient
    from threads.erasure.models import Erasure
    from threads.erasure.runner import work

    client = ChatKitClient(ApiConfig("sk-test", base_url))
    if order:
        work(Erasure.objects.get(pk=order), client, Event())
        return
    call_command("migrate", verbosity=0)
    Sync(client).run()
    jobs = [ordered(user=user), ordered(user=user)]
    command = [sys.executable, "-m", "tests.system.archive.erasing_two", base_url, user]
    workers = [subprocess.Popen([*command, str(job.pk)]) for job in jobs]
    ends = [each.wait() for each in workers]
    counted.check()
    found = [
        {"ended": job.finished_at is not None, "states": dict(job.targets.values_list("thread_id", "state"))}
        for job in Erasure.objects.order_by("requested_at")
    ]
    json.dump({"ends": ends, "jobs": found}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
