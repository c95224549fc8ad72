"""Threadkeeper as in production: migrated, under gunicorn, in a process of its own on a port of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.commands import Commands
from tests.support.databases import NAME, PASSWORD, ROOT, locked, migrated, run_folder

__all__ = ["NAME", "PASSWORD", "ROOT", "Desk", "serve", "static_files"]

_START = 60.0
_STOP = 30.0
"""Seconds that the server may take to start and to stop."""


@dataclass(frozen=True, slots=True)
class Desk:
    """A server at `url`, and its log file. `environment` is what it was started with."""

    url: str
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    _commands: Commands | None = field(default=None, repr=False)

    def said(self) -> str:
        """The server's log so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def manage(self, *arguments: str) -> None:
        """Runs a command of manage.py beside the server, on its database."""
        assert self._commands
        self._commands.run(*arguments)


@contextmanager
def serve(data: Path, settings: Mapping[str, str], *, account: bool = False) -> Iterator[Desk]:
    """A server with its data in `data`, and with NAME and PASSWORD to sign in with if `account`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    data.mkdir(parents=True)
    environment = kept | {"DATA_DIR": str(data), "PORT": str(port)} | dict(settings)
    if "DATABASE_URL" not in settings:
        demo = not settings.keys() & {"OPENAI_API_KEY", "ARCHIVE_ONLY"}
        migrated(data, demo=demo, account=account)
    else:
        _manage(environment, "migrate", "--verbosity", "0")
        if account:
            made = {"DJANGO_SUPERUSER_USERNAME": NAME, "DJANGO_SUPERUSER_PASSWORD": PASSWORD}
            _manage(environment | made | {"DJANGO_SUPERUSER_EMAIL": "ada@desk.example"}, "createsuperuser", "--noinput")
    commands = Commands(environment, data / "commands.log")
    desk = Desk(f"http://127.0.0.1:{port}", data / "desk.log", environment, commands)
    with ExitStack() as stack:
        with static_files(data):
            stack.enter_context(_started(desk, environment))
        stack.callback(commands.close)
        yield desk


@contextmanager
def static_files(data: Path) -> Iterator[None]:
    """Wraps the start of a server whose data are in `data`. The first one of a run of the tests compresses the static
    files, which takes seconds; the others wait for it and start with a copy."""
    run = run_folder(data)
    with locked(run, "starting"):
        ready, own = run / "static", data / "static"
        if ready.exists():
            shutil.copytree(ready, own)
        yield
        if not ready.exists():
            shutil.copytree(own, ready)


@contextmanager
def _started(desk: Desk, environment: Mapping[str, str]) -> Iterator[None]:
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "dashboard.wsgi"]
    with desk.log.open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        _wait(desk, process)
        yield
    finally:
        process.terminate()
        try:
            process.wait(_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _manage(environment: Mapping[str, str], *arguments: str) -> None:
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=_START)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


def _wait(desk: Desk, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _START
    while process.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{desk.url}/healthz", timeout=2):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"The server did not start. Its log:\n{desk.said()}")
