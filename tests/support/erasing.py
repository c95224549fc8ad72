"""Creates and runs erasures, without a browser or a queue."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from threading import Event

from django.contrib.auth.models import User

from tests.support.accounts import account
from tests.support.mirror import asking
from tests.support.scripted import Scripted
from threads.audit.models import AuditEvent
from threads.audit.record import Actor, acting_as
from threads.emulator import Emulator
from threads.erasure import orders
from threads.erasure.models import Erasure, Target
from threads.erasure.preview import ConfirmedPreview
from threads.erasure.runner import work

NO_PAUSES = (0.0,) * 30


def eraser() -> User:
    """The account that orders erasures."""
    return User.objects.filter(username="eraser").first() or account("eraser", "Eraser")


def ordered(ids: Sequence[str] = (), *, user: str = "", kind: Erasure.Kind | None = None) -> Erasure:
    """A confirmed erasure of these threads, or of all threads of `user`."""
    chosen = kind or (Erasure.Kind.USER if user else Erasure.Kind.THREADS)
    wanted = ConfirmedPreview(chosen, secrets.token_hex(8), user, "", tuple((each, None, None) for each in ids))
    who = eraser()
    with acting_as(Actor(who.username, str(who.pk), "192.0.2.1", "request-of-the-order")):
        return orders.order_erasure(wanted)


def done(job: Erasure, emulator: Emulator, *, pauses: Sequence[float] = NO_PAUSES) -> Erasure:
    """Runs the erasure as far as the upstream lets it; returns it as stored."""
    client = asking(emulator)
    try:
        work(job, client, Event(), pauses=pauses)
    finally:
        client.close()
    return Erasure.objects.get(pk=job.pk)


def states(job: Erasure) -> dict[str, str]:
    """The state of each thread of the erasure, by id."""
    return dict(job.targets.values_list("thread_id", "state"))


def recorded(job: Erasure, thread: str) -> list[str]:
    """The outcomes of a thread's deletion in the audit log, oldest first."""
    events = AuditEvent.objects.filter(action="delete", thread_id=thread, detail__erasure=str(job.pk)).order_by("id")
    return list(events.values_list("outcome", flat=True))


def is_sound(job: Erasure, upstream: Scripted) -> None:
    """Fails unless what holds for every finished erasure holds, however the upstream behaved."""
    there = set(upstream.thread_ids())
    assert upstream.blind() == []
    for target in job.targets.all():
        assert target.state not in Target.OPEN
        said = recorded(job, target.thread_id)
        asked_for = sum(method == "DELETE" and each == target.thread_id for method, each, _ in upstream.told)
        assert said.count("intent") == asked_for
        assert said[-1] != "intent"
        if target.state in Target.CLEAN:
            assert target.thread_id not in there or target.state == Target.State.COPY
        if target.state == Target.State.FAILED:
            assert target.reason
