"""kill -9 of real workers in the middle of exports: the next one goes on, and nothing is lost or there twice."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import random
import sqlite3
import time
from functools import partial
from pathlib import Path
from zipfile import ZipFile

from tests.support.databases import migrated
from tests.support.mirror import asking
from tests.support.upstream import NOW
from tests.support.working import ask, environment, manage, started, until
from threads.emulator import Emulator, EmulatorServer

ROUNDS = 3

_ASKS = """
from tests.support.accounts import account
from threads.audit.record import Actor, acting_as
from threads.exports import orders, tasks
from threads.sources.query import ThreadQuery
import datetime
who = account("somebody", "Exporter")
with acting_as(Actor("somebody", str(who.pk))):
    orders.order_list("csv", ThreadQuery(order="asc"), datetime.UTC)
    orders.order_user({user!r}, datetime.UTC)
"""


def _progress(data: Path) -> tuple[int, ...]:
    return tuple(
        int(str(each)) for (each,) in ask(data, 'SELECT pages + done + "offset" FROM exports_export ORDER BY kind')
    )


def _free(data: Path) -> None:
    """What a minute does: nobody waits here until the dead worker's time is over."""
    connection = sqlite3.connect(data / "threadkeeper.sqlite3", timeout=20)
    with connection:
        connection.execute("UPDATE exports_export SET until = NULL WHERE finished_at IS NULL")
    connection.close()


def _moved(data: Path, before: tuple[int, ...]) -> bool:
    return _progress(data) != before


def test_killed_again_and_again_the_files_are_whole(tmp_path: Path) -> None:
    emulator = Emulator(threads=6000, seed=7, now=NOW, latency_ms=25)
    client = asking(emulator)
    owners = [row.user or "" for row in client.list_threads(order="desc", limit=100).rows]
    client.close()
    user = max(set(owners), key=owners.count)
    with EmulatorServer(emulator) as server:
        settings = environment(tmp_path, server.base_url, ARCHIVE="off")
        migrated(tmp_path)
        manage(settings, "shell", "--no-imports", "--command", _ASKS.format(user=user))
        for _ in range(ROUNDS):
            with started(settings, "worker", log=tmp_path / "log") as worker:
                until(partial(_moved, tmp_path, _progress(tmp_path)))
                time.sleep(random.uniform(0, 0.4))
                worker.kill()
                worker.wait()
            assert ask(tmp_path, "SELECT count(*) FROM exports_export WHERE finished_at IS NULL") != [(0,)]
            _free(tmp_path)
        emulator.latency_ms = 0
        with started(settings, "worker", log=tmp_path / "log"):
            until(lambda: ask(tmp_path, "SELECT count(*) FROM exports_export WHERE finished_at IS NULL") == [(0,)])
    found = {
        kind: (outcome, key) for kind, outcome, key in ask(tmp_path, "SELECT kind, outcome, id FROM exports_export")
    }
    assert {outcome for outcome, _ in found.values()} == {"whole"}, (tmp_path / "log").read_text()
    files = {each.stem.replace("-", ""): each for each in (tmp_path / "exports").iterdir() if each.is_file()}
    assert len(files) == 2
    text = files[str(found["csv"][1])].read_bytes().decode("utf-8-sig")
    assert [row["id"] for row in csv.DictReader(io.StringIO(text, newline=""))] == list(
        emulator.thread_ids(order="asc")
    )
    with ZipFile(files[str(found["zip"][1])]) as zipped:
        manifest = json.loads(zipped.read("manifest.json"))
        assert manifest["complete"]
        assert manifest["threads"] * 2 + 2 == len(zipped.namelist())
        for each in manifest["files"]:
            assert hashlib.sha256(zipped.read(each["name"])).hexdigest() == each["sha256"]
    ends = ask(tmp_path, "SELECT outcome, count(*) FROM audit_auditevent WHERE action = 'export' GROUP BY 1 ORDER BY 1")
    assert ends == [("done", 2), ("intent", 2)]
