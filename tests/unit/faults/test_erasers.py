"""Two who erase the same user at once: each thread is deleted once, and both have a receipt that is true."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Event

import pytest

from tests.support.erasing import NO_PAUSES, done, ordered, recorded, states
from tests.support.scripted import Scripted
from tests.support.seen import Seen
from tests.support.syncing import sync
from threads.archive.models import ArchivedThread
from threads.emulator import EmulatorReply
from threads.erasure import vacuum
from threads.erasure.models import Target
from threads.erasure.runner import work

pytestmark = pytest.mark.django_db(transaction=True)


class Interrupted(Scripted):
    """Something else happens while the first deletion is on its way."""

    meanwhile: Callable[[], object] | None = None

    def handle(self, method: str, path: str, query: str, headers: Mapping[str, str]) -> EmulatorReply:
        if method == "DELETE" and self.meanwhile is not None:
            act, self.meanwhile = self.meanwhile, None
            act()
        return super().handle(method, path, query, headers)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Interrupted:
    monkeypatch.setattr(vacuum, "scrub", lambda _alive: {"rewritten": True, "bytes": 0})
    made = Interrupted()
    sync(made)
    return made


@pytest.mark.slow
def test_two_erasers_on_one_user(world: Interrupted, seen: Seen) -> None:
    user = max(world.users(), key=lambda each: len(list(world.thread_ids(user=each))))
    theirs, others = set(world.thread_ids(user=user)), set(world.thread_ids()) - set(world.thread_ids(user=user))
    first, second = ordered(user=user), ordered(user=user)
    world.meanwhile = lambda: done(second, world)
    first = done(first, world)
    second.refresh_from_db()
    assert first.finished_at
    assert second.finished_at
    assert set(world.thread_ids()) == others
    assert not ArchivedThread.objects.filter(thread_id__in=theirs).exists()
    deleted = [thread for method, thread, there in world.told if method == "DELETE" and there]
    assert sorted(deleted) == sorted(theirs), "each once"
    for job in (first, second):
        assert set(states(job).values()) <= set(Target.CLEAN)
        for thread in states(job):
            assert recorded(job, thread)[-1] != "intent"
    assert set(states(first)) | set(states(second)) == theirs
    told = [sorted(states(job).values()) for job in (first, second)]
    seen(", ".join(f"{len(each)} ({', '.join(sorted(set(each)))})" for each in told))


def test_two_workers_at_one_erasure(world: Interrupted, seen: Seen) -> None:
    ids = list(world.thread_ids())[:3]
    job, client = ordered(ids), world.client()
    again = type(job).objects.get(pk=job.pk)
    world.meanwhile = lambda: work(again, client, Event(), pauses=NO_PAUSES)
    job = done(job, world)
    client.close()
    assert states(job) == dict.fromkeys(ids, "erased")
    assert [method for method, _, _ in world.told].count("DELETE") == 3
    seen("the second one leaves it alone: three threads, three deletions")
