"""Runs commands of manage.py beside a server, all in one process, because starting a process takes two seconds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Commands:
    """A process that runs commands one after the other. It starts with the first command."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self._environment, self._log = environment, log
        self._process: subprocess.Popen[str] | None = None

    def run(self, *arguments: str) -> None:
        """Runs a command and waits for its end. Raises `RuntimeError` with the traceback if it fails."""
        process = self._process = self._process or self._start()
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps(arguments) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        if not answer or json.loads(answer):
            why = json.loads(answer) if answer else self._log.read_text(encoding="utf-8", errors="replace")
            raise RuntimeError(f"manage.py {' '.join(arguments)} failed:\n{why}")

    def close(self) -> None:
        if self._process is not None:
            with self._process as process:  # closes its pipes
                process.kill()
            self._process = None

    def _start(self) -> subprocess.Popen[str]:
        environment = {**self._environment, "DJANGO_SETTINGS_MODULE": "dashboard.settings"}
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.support.commands"],
                cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip


def main() -> None:
    import django

    replies = os.fdopen(os.dup(1), "w")
    sys.stdout = sys.stderr  # what commands print is for the log
    django.setup()
    from django.core.management import call_command
    from django.db import connections

    from threads.lib import process_state

    for line in sys.stdin:
        failure = ""
        process_state.reset_all()
        try:
            call_command(*json.loads(line))
        except BaseException:  # noqa: BLE001  # the caller raises it
            failure = traceback.format_exc()
        connections.close_all()
        replies.write(json.dumps(failure) + "\n")
        replies.flush()


if __name__ == "__main__":
    main()
