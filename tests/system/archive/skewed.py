"""A worker whose clock is sys.argv[1] seconds ahead of its machine's: told "begin", it does the erasure sys.argv[2] at
the upstream sys.argv[3], as long as nobody else is at it and until it has ended. Says in a line what it has met: with
"first" as sys.argv[4] it holds the lease of the sync meanwhile, else it tries to take it."""

from __future__ import annotations

import sys
import time
from datetime import timedelta
from threading import Event

import django
from django.utils import timezone


def set_clock(ahead: float) -> None:
    now, seconds = timezone.now, time.time
    timezone.now = lambda: now() + timedelta(seconds=ahead)
    time.time = lambda: seconds() + ahead


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def main(ahead: str, order: str, base_url: str, role: str) -> None:
    set_clock(float(ahead))
    django.setup()
    from threads.archive.sync.lease import ArchiveLease, LeaseHeldError
    from threads.chatkit import ApiConfig, ChatKitClient
    from threads.erasure.models import Erasure
    from threads.erasure.runner import work

    client = ChatKitClient(ApiConfig("sk-test", base_url))
    lease = ArchiveLease("sync") if role == "first" else None
    say("ready")
    sys.stdin.readline()
    met = "held"
    while not Erasure.objects.filter(pk=order).exclude(finished_at=None).exists():
        if lease is None:
            try:
                ArchiveLease("sync")
                met = "taken"
            except LeaseHeldError:
                pass
        work(Erasure.objects.get(pk=order), client, Event())
        time.sleep(0.02)
    if lease is not None:
        lease.renew()
    say(met)


if __name__ == "__main__":
    main(*sys.argv[1:])
