"""The supervisor: real processes, which live and end together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.databases import migrated
from tests.support.working import ROOT, until


class Desk:
    def __init__(self, data: Path, **more: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        settings = {
            "DATA_DIR": str(data), "PATH": os.environ["PATH"], "PORT": str(self.port), "EMULATOR_THREADS": "50",
            # Compressed by the first of all these desks.
            "STATIC_ROOT": str(data.parent / "static"),
        } | more  # fmt: skip
        migrated(data, demo=True)
        self.log = data / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve"], cwd=ROOT, env=settings, stdout=log, stderr=log
            )

    def answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=2):
                return True
        except OSError:
            return False

    def children(self) -> dict[str, int]:
        """The processes that it has started, by what they are."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        found = {}
        for pid in path.read_text().split():
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            found[next((each for each in ("gunicorn", "worker", "emulator") if each.encode() in words), "?")] = int(pid)
        return found


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="children are looked up in Linux's /proc"),
    pytest.mark.timeout(180),
]


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[list[Desk]]:
    made: list[Desk] = []
    yield made
    for each in made:
        for pid in [*each.children().values()] if each.process.poll() is None else []:
            with suppress(ProcessLookupError):  # it has ended meanwhile
                os.kill(pid, signal.SIGKILL)
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()


ALL = {"gunicorn", "worker", "emulator"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_all_start_and_all_end_and_who_dies_meanwhile_is_started_again(
    tmp_path: Path, desks: list[Desk], number: signal.Signals
) -> None:
    desk = Desk(tmp_path)
    desks.append(desk)
    until(desk.answers, 90)
    until(lambda: set(desk.children()) == ALL)
    before = desk.children()
    if number == signal.SIGTERM:
        dead = {before["worker"], before["emulator"]}
        for pid in dead:
            os.kill(pid, signal.SIGKILL)
        until(lambda: set(desk.children()) == ALL and not set(desk.children().values()) & dead)
        assert desk.children()["gunicorn"] == before["gunicorn"]
    children = desk.children()
    desk.process.send_signal(number)
    assert desk.process.wait(40) == 0, desk.log.read_text()
    assert not [name for name, pid in children.items() if lives(pid)]


def test_no_child_outlives_one_that_was_killed(tmp_path: Path, desks: list[Desk]) -> None:
    desk = Desk(tmp_path)
    desks.append(desk)
    until(desk.answers, 90)
    until(lambda: set(desk.children()) == ALL)
    children = desk.children()
    desk.process.kill()
    desk.process.wait()
    until(lambda: not [pid for pid in children.values() if lives(pid)])


def test_without_a_worker_where_none_is_wanted(tmp_path: Path, desks: list[Desk]) -> None:
    desk = Desk(tmp_path, WORKER="0")
    desks.append(desk)
    until(desk.answers, 90)
    time.sleep(3)
    assert set(desk.children()) == {"gunicorn", "emulator"}


def test_it_ends_as_the_server_does(tmp_path: Path, desks: list[Desk]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        desk = Desk(tmp_path, PORT=str(taken.getsockname()[1]))
        desks.append(desk)
        assert desk.process.wait(90) == 1
