"""kill -9 at random moments, with real processes, a real socket and a real file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.effort import times
from tests.support.mirror import upstream
from tests.support.upstream import NOW
from threads.emulator import Emulator, EmulatorServer

ROOT = Path(__file__).resolve().parents[3]
ROUNDS = times(50)


def test_killed_fifty_times_it_ends_equal_to_the_upstream(tmp_path: Path) -> None:
    emulator = Emulator(threads=1200, seed=11, now=NOW, latency_ms=5)
    long = list(emulator.thread_ids())[40]
    emulator.set_items(long, [{"type": "chatkit.task", "task_type": "custom", "heading": str(n)} for n in range(650)])
    with EmulatorServer(emulator) as server:
        settings = {
            "DJANGO_SETTINGS_MODULE": "dashboard.settings", "DATA_DIR": str(tmp_path), "PYTHONPATH": str(ROOT),
            "OPENAI_API_KEY": "sk-test", "SECRET_KEY": "of this test alone", "PATH": os.environ["PATH"],
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "tests.system.archive.killed", server.base_url, str(ROUNDS)],
            cwd=ROOT, env=settings, capture_output=True, text=True, timeout=110,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert found["status"] == 0, done.stderr[-3000:]
    assert found["complete"]
    emulator.latency_ms = 0
    held = {thread: [raw, items] for thread, (raw, items) in upstream(emulator).items()}
    assert list(found["held"]) == list(held)
    assert found["held"] == held
