"""Threadkeeper as it is run in earnest: migrated, under gunicorn, a process of its own on a port of its own."""

from __future__ import annotations

import fcntl
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

ROOT = Path(__file__).resolve().parents[2]
NAME, PASSWORD = "ada", "a loom of one's own"
_START = 60.0
_STOP = 30.0


@dataclass(frozen=True, slots=True)
class Desk:
    """A Threadkeeper that serves at `url` and writes what it has to say to `log`."""

    url: str
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def manage(self, *arguments: str) -> None:
        """Runs a command of manage.py beside the server, on its database."""
        _manage(self.environment, *arguments)


@contextmanager
def serve(data: Path, settings: Mapping[str, str], *, account: bool = False) -> Iterator[Desk]:
    """A desk with its data in `data`, and where `account` is true with NAME and PASSWORD to sign in with."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    data.mkdir(parents=True)
    environment = kept | {"DATA_DIR": str(data), "PORT": str(port)} | dict(settings)
    _manage(environment, "migrate", "--verbosity", "0")
    if account:
        made = {"DJANGO_SUPERUSER_USERNAME": NAME, "DJANGO_SUPERUSER_PASSWORD": PASSWORD}
        _manage(environment | made | {"DJANGO_SUPERUSER_EMAIL": "ada@desk.example"}, "createsuperuser", "--noinput")
    desk = Desk(f"http://127.0.0.1:{port}", data / "desk.log", environment)
    with ExitStack() as stack:
        with static_files(data):
            stack.enter_context(_started(desk, environment))
        yield desk


@contextmanager
def static_files(data: Path) -> Iterator[None]:
    """While a desk starts whose data are in `data`: the first one of a run of the tests compresses the static files,
    which takes seconds; the others wait for that, and start with a copy."""
    run = next((each for each in data.parents if each.name.startswith("pytest-")), data.parent)
    with (run / "starting").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
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
    raise RuntimeError(f"The desk did not start. It said:\n{desk.said()}")
