"""Two real workers at the same archive: one copies at a time, and what a dead one left is taken over."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from pathlib import Path

from tests.support.copied import COMPLETE, ITEMS, is_equal
from tests.support.databases import migrated
from tests.support.upstream import NOW
from tests.support.working import ask, environment, manage, started, until
from threads.emulator import Emulator, EmulatorServer

UNREAD = "SELECT count(*) FROM archive_archivedthread WHERE read_at IS NULL"
REQUEST = "from threads.archive.models import SyncRequest; SyncRequest.objects.create()"


def test_two_at_once_end_equal_to_the_upstream(tmp_path: Path) -> None:
    emulator = Emulator(threads=300, seed=5, now=NOW, latency_ms=5)
    with EmulatorServer(emulator) as server, ExitStack() as stack:
        settings = environment(tmp_path, server.base_url)
        migrated(tmp_path)
        workers = [stack.enter_context(started(settings, "worker", log=tmp_path / f"log{n}")) for n in range(2)]
        until(lambda: ask(tmp_path, COMPLETE))
        for each in workers:
            each.send_signal(signal.SIGTERM)
        assert [each.wait(25) for each in workers] == [0, 0]
    is_equal(tmp_path, emulator)
    assert any("Another worker is syncing" in (tmp_path / f"log{n}").read_text() for n in range(2))


def test_a_killed_one_is_taken_over(tmp_path: Path) -> None:
    emulator = Emulator(threads=300, seed=5, now=NOW, latency_ms=20)
    with EmulatorServer(emulator) as server, ExitStack() as stack:
        settings = environment(tmp_path, server.base_url, ARCHIVE_EVERY="1440")
        migrated(tmp_path)
        # No message for any worker.
        manage(settings, "shell", "--no-imports", "--command", REQUEST)
        first = stack.enter_context(started(settings, "worker", log=tmp_path / "first"))
        until(lambda: ask(tmp_path, ITEMS) > [(0,)])
        first.kill()
        first.wait()
        assert ask(tmp_path, UNREAD) > [(0,)]
        (oldest, *_) = emulator.thread_ids(order="asc")
        emulator.set_status(oldest, "locked", "seen by a whole sync alone")
        emulator.latency_ms = 0
        second = stack.enter_context(started(settings, "worker", log=tmp_path / "second"))
        until(lambda: ask(tmp_path, "SELECT 1 FROM archive_syncrequest WHERE finished_at IS NOT NULL"))
        assert ask(tmp_path, COMPLETE)
        second.send_signal(signal.SIGTERM)
        assert second.wait(25) == 0
    is_equal(tmp_path, emulator)
