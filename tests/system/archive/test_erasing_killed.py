"""kill -9 at random moments of erasures, with real processes, a real socket and a real file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.effort import times
from tests.support.scripted import Scripted, Turn
from tests.support.working import ROOT
from threads.emulator import EmulatorServer

ROUNDS = times(50)


def test_killed_fifty_times_every_thread_has_an_end_and_none_was_deleted_blind(tmp_path: Path) -> None:
    world = Scripted(260)
    world.latency_ms = 4
    by_threads = sorted(world.users(), key=lambda user: -len(list(world.thread_ids(user=user))))
    users = by_threads[:3]
    theirs = {each for user in users for each in world.thread_ids(user=user)}
    chosen = [each for each in world.thread_ids() if each not in theirs][:40]
    refused = chosen[7]
    world.always[refused] = Turn.NOT_DELETED
    # Two of them are about the same threads.
    again = list(world.thread_ids(user=users[1]))[:5]
    orders = [[users[0]], ["", *chosen], [users[1]], ["", *again], [users[2]]]
    with EmulatorServer(world) as server:
        settings = {
            "DJANGO_SETTINGS_MODULE": "dashboard.settings", "DATA_DIR": str(tmp_path), "PYTHONPATH": str(ROOT),
            "OPENAI_API_KEY": "sk-test", "SECRET_KEY": "of this test alone", "PATH": os.environ["PATH"],
            "ERASE_REWRITE_MB": "0",
        }  # fmt: skip
        done = subprocess.run(
            [
                sys.executable, "-m", "tests.system.archive.erasing_killed", server.base_url, str(ROUNDS),
                json.dumps(orders),
            ],
            cwd=ROOT, env=settings, capture_output=True, text=True, timeout=110,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert found["open"] == 0, done.stderr[-3000:]
    wanted = theirs | set(chosen)
    assert {thread for thread, _, _ in found["targets"]} == wanted, "none was forgotten"
    states: dict[str, set[str]] = {}
    for thread, state, reason in found["targets"]:
        states.setdefault(thread, set()).add(state)
        assert state in {"erased", "gone"} or (thread == refused and state == "failed" and reason), (state, reason)
    there = set(world.thread_ids())
    assert there & wanted == {refused}
    assert not set(found["kept"]) & (wanted - {refused}), "a copy is left, or came back"
    assert refused in found["kept"]
    assert world.blind(twice=again) == []
    assert any(method == "GET" for method, _, _ in world.told), "nobody was killed while it asked"
    _is_on_record(found["events"], world)


def _is_on_record(events: list[list[str]], world: Scripted) -> None:
    """Each deletion was announced before it was asked for, and each announcement has an end."""
    intents: dict[str, int] = {}
    last: dict[tuple[str, str], str] = {}
    for thread, outcome, erasure in events:
        intents[thread] = intents.get(thread, 0) + (outcome == "intent")
        last[thread, erasure] = outcome
    deletions: dict[str, int] = {}
    for method, thread, _ in world.told:
        if method == "DELETE":
            deletions[thread] = deletions.get(thread, 0) + 1
    assert all(count <= intents[thread] for thread, count in deletions.items())
    assert set(last.values()) <= {"done", "already gone", "failed"}
