"""`python -m benchmarks.busy`: pages on SQLite during a sync without a rate limit.

Prints refused requests, searches missing in the audit log, waiting times of pages and of the database's lock, and the
largest size of the write-ahead log.
"""

from __future__ import annotations

import argparse
import os
import re
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parent.parent
MANAGE = [sys.executable, "manage.py"]
NAME, PASSWORD, CLIENTS = "measurer", "measures all day long", 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--reader", action="store_true", help="with a read transaction that stays open")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as data, ExitStack() as stack:
        upstream, port = _port(), _port()
        settings = os.environ | {
            "DATA_DIR": data, "OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": f"http://127.0.0.1:{upstream}/v1",
            "PORT": str(port), "SECRET_KEY": "of this measurement alone", "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        }  # fmt: skip
        for command in (
            ["migrate", "--verbosity", "0"],
            ["createsuperuser", "--noinput", "--username", NAME, "--email", "m@example.com", "--verbosity", "0"],
        ):
            subprocess.run([*MANAGE, *command], cwd=ROOT, env=settings, check=True)
        emulator = ["emulator", "--quiet", "--port", str(upstream), "--threads", str(options.threads)]
        stack.enter_context(_running([*MANAGE, *emulator], settings))
        stack.enter_context(
            _running([sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "dashboard.wsgi"], settings)
        )
        for address in (f"http://127.0.0.1:{upstream}/", f"http://127.0.0.1:{port}/healthz"):
            while not _answers(address):
                time.sleep(0.2)
        sync = ["archive", "sync", "--everything", "--requests-per-minute", "100000000"]
        stack.enter_context(_running([*MANAGE, *sync], settings))
        measure(Path(data) / "threadkeeper.sqlite3", f"http://127.0.0.1:{port}", options.seconds, reader=options.reader)


def measure(file: Path, url: str, seconds: float, *, reader: bool) -> None:
    while not _count(file, "archive_archivedthread"):
        time.sleep(0.2)
    before, until = _rows(file), time.monotonic() + seconds
    with closing(sqlite3.connect(file)) as held:
        if reader:
            held.execute("BEGIN")
            held.execute("SELECT count(*) FROM audit_auditevent").fetchone()
        clients, lock, log = [Client(url) for _ in range(CLIENTS)], Lock(file), Log(Path(f"{file}-wal"))
        work = [each.work for each in clients] + [lock.work, log.work]
        at_work = [threading.Thread(target=each, args=[until]) for each in work]
        for each in at_work:
            each.start()
        for each in at_work:
            each.join()
        copied = _rows(file) - before
    time.sleep(5)
    recorded = _count(file, "audit_auditevent WHERE action = 'search'")
    asked = Counter[str]()
    waits: dict[str, list[float]] = {"lock": lock.waits}
    for client in clients:
        asked.update(client.asked)
        for name, found in client.waits.items():
            waits.setdefault(name, []).extend(found)
    lines = [
        f"{asked}, {asked['search 200'] - recorded} searches served without a record",
        *(f"{name}: {_quantiles(found)}" for name, found in waits.items()),
        f"write-ahead log: at most {log.max_bytes / 2**20:.0f} MB; {copied / seconds:,.0f} rows a second copied",
    ]
    print("\n".join(lines))


class Client:
    """A client that signs in and searches."""

    def __init__(self, url: str) -> None:
        self._url, self._session = url, requests.Session()
        self.asked: Counter[str] = Counter()
        self.waits: dict[str, list[float]] = {}

    def work(self, until: float) -> None:
        while time.monotonic() < until:
            self._session = requests.Session()
            form = self._session.get(f"{self._url}/sign-in/").text
            found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
            token = found[1] if found else ""
            sent = {"username": NAME, "password": PASSWORD, "csrfmiddlewaretoken": token}
            self._timed("sign-in", self._session.post(f"{self._url}/sign-in/", data=sent, allow_redirects=False))
            for _ in range(20):
                self._timed("search", self._session.get(f"{self._url}/threads/?q=word{time.monotonic_ns()}"))

    def _timed(self, name: str, response: requests.Response) -> None:
        self.asked[f"{name} {response.status_code}"] += 1
        self.waits.setdefault(name, []).append(response.elapsed.total_seconds())


class Lock:
    """A writer that tries to take the lock a hundred times a second."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.waits: list[float] = []

    def work(self, until: float) -> None:
        with closing(sqlite3.connect(self._file, timeout=0, isolation_level=None)) as connection:
            while time.monotonic() < until:
                began = time.monotonic()
                while True:
                    try:
                        connection.execute("BEGIN IMMEDIATE")
                        connection.execute("ROLLBACK")
                        break
                    except sqlite3.OperationalError:
                        time.sleep(0.01)
                self.waits.append(time.monotonic() - began)
                time.sleep(0.05)


class Log:
    """Tracks the largest size of the write-ahead log, in bytes."""

    def __init__(self, file: Path) -> None:
        self._file, self.max_bytes = file, 0

    def work(self, until: float) -> None:
        while time.monotonic() < until:
            self.max_bytes = max(self.max_bytes, self._file.stat().st_size if self._file.exists() else 0)
            time.sleep(0.1)


def _quantiles(waits: list[float]) -> str:
    found = sorted(waits)
    return f"half {found[len(found) // 2]:.2f} s, 95 % {found[len(found) * 95 // 100]:.2f} s, longest {found[-1]:.2f} s"


@contextmanager
def _running(command: list[str], settings: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(command, cwd=ROOT, env=settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        requests.get(url, timeout=2)
    except requests.RequestException:
        return False
    return True


def _rows(file: Path) -> int:
    return _count(file, "archive_archiveditem") + _count(file, "archive_archivedthread")


def _count(file: Path, what: str) -> int:
    with closing(sqlite3.connect(file, timeout=20)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {what}").fetchone()[0])


if __name__ == "__main__":
    main()
