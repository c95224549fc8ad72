"""Each kind of queue really carries work from a page to a worker."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured

from dashboard import env
from tests.support.databases import migrated
from tests.support.services import postgres, redis_server
from tests.support.upstream import NOW
from tests.support.working import ask, environment, manage, started, until
from threads.archive import request_sync
from threads.emulator import Emulator, EmulatorServer
from threads.jobs import queue

ASKS = "from threads.archive.request_sync import request_sync; request_sync()"


@pytest.fixture(params=["sqlite", "postgres", "redis"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with ExitStack() as stack:
        kind = request.param
        yield "" if kind == "sqlite" else stack.enter_context(postgres() if kind == "postgres" else redis_server())


def test_what_a_page_asks_for_a_worker_does(tmp_path: Path, url: str) -> None:
    emulator = Emulator(threads=20, seed=7, now=NOW)
    with EmulatorServer(emulator) as server:
        settings = environment(tmp_path, server.base_url, QUEUE_URL=url, ARCHIVE_EVERY="1440")
        migrated(tmp_path)
        with started(settings, "worker", log=tmp_path / "log") as worker:
            until(lambda: ask(tmp_path, "SELECT 1 FROM archive_syncrun WHERE finished_at IS NOT NULL"))
            (oldest, *_) = emulator.thread_ids(order="asc")
            emulator.set_status(oldest, "locked", "seen by a whole copying alone")
            manage(settings, "shell", "--no-imports", "--command", ASKS)
            until(lambda: ask(tmp_path, "SELECT 1 FROM archive_archivedthread WHERE reason LIKE 'seen%'"))
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(25) == 0, (tmp_path / "log").read_text()
    assert ask(tmp_path, "SELECT count(*) FROM archive_archivedthread WHERE read_at IS NOT NULL") == [(20,)]


@pytest.mark.postgres
def test_a_connection_that_the_server_has_closed_is_opened_anew(settings: Any) -> None:
    """A restart of PostgreSQL costs nobody their request."""
    with postgres() as address:
        settings.QUEUE_URL = f"{address}?application_name=queue"
        queue.huey.cache_clear()
        try:
            storage = queue.huey().storage
            for number in range(3):
                storage.enqueue(b"work")
                assert queue.waiting() == number + 1
                with psycopg.connect(address) as other:
                    sql = (
                        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'queue'"
                    )
                    assert other.execute(sql).fetchall()
            assert [storage.dequeue() for _ in range(4)] == [b"work"] * 3 + [None]
            storage.close()
        finally:
            queue.huey.cache_clear()


def test_a_queue_that_is_not_there_is_said_and_nothing_more(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    settings.QUEUE_URL = "postgres://nobody:secret@127.0.0.1:1/none"
    monkeypatch.delitem(sys.modules, "threads.archive.tasks", raising=False)
    monkeypatch.delattr("threads.archive.tasks", raising=False)
    queue.huey.cache_clear()
    with pytest.raises(queue.QueueError) as caught, queue.translated_errors():
        request_sync._start_sync_task()
    queue.huey.cache_clear()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("value", ["mysql://x", "http://x", "redis", "[", "amqp://u:secret@x"])
def test_queues_that_are_none(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("T", value)
    with pytest.raises(ImproperlyConfigured, match="T takes an address") as caught:
        env.queue_url("T")
    assert "secret" not in str(caught.value)
