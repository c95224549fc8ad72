"""Two who erase the same, and one who stores what another erases."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.db import connections, transaction
from django.utils import timezone

from tests.support.scripted import Scripted
from tests.support.services import postgres
from tests.support.syncing import sync
from tests.support.working import ROOT
from threads.archive import removal as erasing
from threads.archive.models import ArchivedThread
from threads.archive.store import write
from threads.emulator import EmulatorServer


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_both_end_and_each_thread_is_deleted_once(tmp_path: Path, database: str) -> None:
    world = Scripted(120)
    world.latency_ms = 5
    user = max(world.users(), key=lambda name: len(list(world.thread_ids(user=name))))
    theirs = set(world.thread_ids(user=user))
    settings = {
        "DJANGO_SETTINGS_MODULE": "dashboard.settings", "DATA_DIR": str(tmp_path), "PYTHONPATH": str(ROOT),
        "OPENAI_API_KEY": "sk-test", "SECRET_KEY": "of this test alone", "PATH": os.environ["PATH"],
        "ERASE_REWRITE_MB": "0",
    }  # fmt: skip
    with ExitStack() as stack:
        if database == "postgresql":
            settings["DATABASE_URL"] = stack.enter_context(postgres())
        server = stack.enter_context(EmulatorServer(world))
        done = subprocess.run(
            [sys.executable, "-m", "tests.system.archive.erasing_two", server.base_url, user],
            cwd=ROOT, env=settings, capture_output=True, text=True, timeout=100,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert found["ends"] == [0, 0], done.stderr[-3000:]
    first, second = (job["states"] for job in found["jobs"])
    assert all(job["ended"] for job in found["jobs"])
    assert first.keys() | second.keys() == theirs
    for thread in theirs:
        said = sorted(filter(None, (first.get(thread), second.get(thread))))
        assert said in (["erased"], ["erased", "gone"])
    assert not set(world.thread_ids()) & theirs


@pytest.mark.database("postgresql")  # SQLite lets one transaction write at a time
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", ["storing", "erasing"])
def test_who_stores_and_who_erases_wait_for_each_other(first: str) -> None:
    """Whichever transaction is the first: what was erased is not there afterwards."""
    world = Scripted(10)
    sync(world)
    one = list(world.thread_ids())[4]
    client = world.client()
    row = client.retrieve_thread(one)
    client.close()
    # One that is not kept yet: there is no row that both would wait for.
    write.delete_thread(ArchivedThread.objects.get(thread_id=one))
    begun, waited = threading.Event(), []

    def store() -> None:
        write.store_threads([row], timezone.now())

    def erase() -> None:
        erasing.erase([one])

    def other() -> None:
        try:
            begun.wait(5)
            with transaction.atomic():
                (erase if first == "storing" else store)()
                waited.append(True)
        finally:
            connections.close_all()

    beside = threading.Thread(target=other)
    beside.start()
    with transaction.atomic():
        (store if first == "storing" else erase)()
        begun.set()
        beside.join(0.5)
        assert not waited, "the other went on meanwhile"
    beside.join(10)
    assert waited
    assert not ArchivedThread.objects.filter(thread_id=one).exists()
