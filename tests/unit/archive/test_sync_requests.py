"""A whole sync that somebody asks for is a row: an emptied queue does not lose it, nor a process that is killed."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connections

from tests.support.mirror import archive, asking, upstream
from tests.support.syncing import sync
from threads.archive import request_sync, tasks
from threads.archive.models import Lease, SyncRequest
from threads.archive.sync import sync_requests
from threads.archive.sync.sync import Sync
from threads.audit.models import AuditEvent
from threads.chatkit import ChatKitError
from threads.emulator import Emulator, Fault
from threads.jobs.lease import LeaseLostError

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_message_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("threads.archive.request_sync._start_sync_task", lambda: None)
    monkeypatch.setattr(connections, "close_all", lambda: None)


def outcomes() -> list[str]:
    return list(AuditEvent.objects.filter(action="archive").order_by("id").values_list("outcome", flat=True))


def run(emulator: Emulator, **how: Any) -> None:
    client = asking(emulator)
    try:
        Sync(client, pauses=(), **how).run(everything=True)
    finally:
        client.close()


def test_it_is_done_though_the_queue_has_lost_it(emulator: Emulator) -> None:
    sync(emulator)
    oldest, *_ = emulator.thread_ids(order="asc")
    emulator.set_status(oldest, "locked", "only a whole sync sees it")
    request_sync.request_sync()
    request_sync.request_sync()
    assert SyncRequest.objects.count() == 1
    tasks._keep_up()
    assert archive() == upstream(emulator)
    (request,) = SyncRequest.objects.all()
    assert request.started_at
    assert request.finished_at
    assert request.started_at < request.finished_at
    assert outcomes()[-2:] == ["intent", "done"]
    request_sync.request_sync()
    assert SyncRequest.objects.count() == 2


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
def test_a_run_that_is_ended_leaves_it_for_the_next(emulator: Emulator, end: type[BaseException]) -> None:
    """And so does one that is killed: it does nothing more at all."""

    def watch(_tally: object) -> None:
        raise end

    request_sync.request_sync()
    with pytest.raises(end):
        run(emulator, watch=watch)
    assert sync_requests.pending().exclude(started_at=None).exists()
    tasks._sync_now()
    assert not sync_requests.pending().exists()
    assert archive() == upstream(emulator)


def test_a_run_that_loses_its_lease_has_not_failed(emulator: Emulator) -> None:
    def watch(_tally: object) -> None:
        Lease.objects.update(holder="elsewhere 1 1700000000 x")

    request_sync.request_sync()
    with pytest.raises(LeaseLostError):
        run(emulator, watch=watch)
    assert outcomes() == ["intent", "partial"]
    assert AuditEvent.objects.latest("id").detail["why"] == "another worker has taken over"
    assert sync_requests.pending().exists(), "it is for the other to end it"


def test_a_run_that_fails_has_ended_it(emulator: Emulator) -> None:
    """The page says why; what fails is not tried anew each minute."""
    request_sync.request_sync()
    emulator.fault = Fault.ERROR_503
    with pytest.raises(ChatKitError):
        run(emulator)
    assert not sync_requests.pending().exists()


def test_a_run_of_what_is_due_does_not_end_it(emulator: Emulator) -> None:
    request_sync.request_sync()
    sync(emulator)
    assert sync_requests.pending().filter(started_at=None).exists()


def test_a_failing_run_of_what_is_due_does_not_end_it(emulator: Emulator) -> None:
    """Begun by a worker that was killed, it is for the next whole sync."""
    request_sync.request_sync()
    sync_requests.mark_started()
    emulator.fault = Fault.ERROR_503
    client = asking(emulator)
    with pytest.raises(ChatKitError):
        Sync(client, pauses=()).run()
    client.close()
    assert sync_requests.pending().exists()


def test_it_ends_where_threads_alone_are_kept(emulator: Emulator, settings: Any) -> None:
    request_sync.request_sync()
    run(emulator, with_items=False)
    assert sync_requests.pending().filter(started_at=None).exists(), "it was to be the items, too"
    settings.ARCHIVE = "threads"
    tasks._sync_now()
    assert not sync_requests.pending().exists()


def test_what_is_asked_for_during_a_run_is_for_the_next(emulator: Emulator) -> None:
    run(emulator, watch=lambda _tally: request_sync.request_sync())
    assert sync_requests.pending().filter(started_at=None).exists()


@pytest.mark.parametrize("begun", [True, False])
def test_an_error_of_ours_is_not_met_again_each_minute(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, begun: bool
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Sync, "run", fail)
    request_sync.request_sync()
    if begun:
        sync_requests.mark_started()
    tasks._sync_now()
    assert not sync_requests.pending().exists()
