"""A real server: its database locked, its processes killed, and bytes on its port that no browser sends."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
import requests

from tests.support.desk import Browser, desk, exchange, said
from tests.support.seen import Seen
from tests.support.serving import Desk
from tests.support.upstream import NOW
from tests.support.working import until
from threads.emulator import Emulator, EmulatorServer

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def emulator() -> Emulator:
    return Emulator(threads=45, seed=7, now=NOW)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, emulator: Emulator) -> Iterator[tuple[Desk, Browser]]:
    folder = tmp_path_factory.mktemp("server")
    with EmulatorServer(emulator) as upstream, desk(folder / "desk", upstream.base_url) as made:
        yield made


@contextmanager
def locked(served: Desk) -> Iterator[None]:
    """Another process writes, and does not come to an end."""
    file = Path(served.environment["DATA_DIR"]) / "threadkeeper.sqlite3"
    with closing(sqlite3.connect(file, timeout=20, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")


@pytest.mark.parametrize("address", ["/threads/", "/threads/?user=u", "/threads/?status=locked", "/reports/", "THREAD"])
def test_a_locked_database_is_read(served: tuple[Desk, Browser], emulator: Emulator, address: str, seen: Seen) -> None:
    made, browser = served
    path = f"/threads/{next(emulator.thread_ids())}/" if address == "THREAD" else address
    with locked(made):
        began = time.monotonic()
        response = browser.get(path)
        took = time.monotonic() - began
    assert response.status_code == 200
    assert took < 8
    seen(f"200 after {took:.1f} s")


def test_a_locked_database_is_not_written(served: tuple[Desk, Browser], seen: Seen) -> None:
    made, browser = served
    with locked(made), ThreadPoolExecutor(1) as pool:
        began, meanwhile = time.monotonic(), 0
        saving = pool.submit(browser.post, "/views/", name="Mine", query="limit=5")
        while not saving.done():
            assert requests.get(f"{made.url}/healthz", timeout=5).status_code == 200
            meanwhile += not saving.done()
            time.sleep(0.02)
        took = time.monotonic() - began
    assert meanwhile > 5, "who waits for the lock holds up the others"
    response = saving.result()
    assert response.status_code == 503
    assert "The database can't be reached" in said(response)
    assert response.headers["Retry-After"] == "5"
    assert "Traceback" not in response.text
    assert took < 8
    assert browser.post("/views/", name="Mine", query="limit=5").status_code == 303
    seen(f"503 in words after {took:.1f} s, others answered meanwhile; saved at the next try")


def workers_of(made: Desk) -> list[int]:
    """The processes that answer, found by their port: the children of the one that listens."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            environ = (entry / "environ").read_bytes()
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        if f"PORT={made.environment['PORT']}\0".encode() in environ and parent != os.getpid():
            found.append(int(entry.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are looked up in Linux's /proc")
def test_a_web_process_that_is_killed(served: tuple[Desk, Browser], seen: Seen) -> None:
    made, browser = served
    before = workers_of(made)
    assert before
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    began = time.monotonic()

    def answers() -> bool:
        try:
            return browser.get("/threads/").status_code == 200
        except OSError:
            return False

    until(answers, 20)
    assert not set(workers_of(made)) & set(before)
    seen(f"another answers {time.monotonic() - began:.1f} s later, the session still there")


def test_nothing_but_static_files_is_served(served: tuple[Desk, Browser], seen: Seen) -> None:
    made, _ = served
    paths = [
        "/static/../dashboard/settings.py", "/static/..%2fdashboard/settings.py", "/static/%2e%2e/%2e%2e/etc/passwd",
        "/static/....//....//etc/passwd", "/static/..\\..\\etc\\passwd", "/static//etc/passwd", "/static/", "/static",
        "/static/%00", "/.git/config", "/var/secret_key", "/threadkeeper.sqlite3",
        "/static/staticfiles.json/..", "/static/staticfiles.json", "/static/.gathered", "/static/.lock",
        "//etc/passwd", "/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    ]  # fmt: skip
    for path in paths:
        got = exchange(made.url, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        status = int(got.split(b" ", 2)[1])
        assert status in {301, 302, 400, 404}, path
        assert b"root:" not in got, path
        assert b"SECRET" not in got, path
        assert b"Index of" not in got, path
    seen(f"404, 400 or the sign-in for {len(paths)} paths")


SMUGGLED = b"GET /threads/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
POST = b"POST /sign-in/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
MESSAGES = {
    "two lengths": POST + b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + SMUGGLED,
    "length and chunks": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "odd chunks": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "negative length": POST + b"Content-Length: -5\r\n\r\n" + SMUGGLED,
    "a folded header": b"GET /sign-in/ HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: b\r\n c\r\n\r\n",
    "space before the colon": b"GET /sign-in/ HTTP/1.1\r\nHost : 127.0.0.1\r\n\r\n",
    "no host": b"GET /sign-in/ HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /sign-in/ HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n",
    "a long line": b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "a long header": b"GET /sign-in/ HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: " + b"a" * 60_000 + b"\r\n\r\n",
    "many headers": b"GET /sign-in/ HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X-A: b\r\n" * 500 + b"\r\n",
    "no http": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
    "a nul": b"GET /\x00 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "a proxy's request": b"GET http://169.254.169.254/latest/ HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n",
    "a tunnel": b"CONNECT 127.0.0.1:5432 HTTP/1.1\r\nHost: 127.0.0.1:5432\r\n\r\n",
    "version 9": b"GET /sign-in/ HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n",
}  # fmt: skip

HARMLESS = {"length and chunks", "a folded header", "no host"}
"""Of these one reply may come, to the one message that they are."""


@pytest.mark.parametrize("kind", MESSAGES)
def test_a_message_that_no_browser_sends(served: tuple[Desk, Browser], kind: str, seen: Seen) -> None:
    made, browser = served
    got = exchange(made.url, MESSAGES[kind], wait=0.7)
    statuses = [int(line.split(b" ")[1]) for line in got.split(b"\r\n") if line.startswith(b"HTTP/1.")]
    assert len(statuses) <= 1, "one message, one reply"
    assert all(400 <= status < 506 for status in statuses) or kind in HARMLESS
    assert b"Traceback" not in got
    assert b"data-thread-id" not in got
    assert browser.get("/healthz").status_code == 200
    seen(f"{statuses[0] if statuses else 'the connection is closed'}, and nothing more is read")


def test_connections_that_say_nothing_hinder_nobody(served: tuple[Desk, Browser], seen: Seen) -> None:
    made, browser = served
    host, port = made.url.removeprefix("http://").split(":")
    with ExitStack() as stack:
        for number in range(200):
            connection = stack.enter_context(socket.create_connection((host, int(port)), timeout=5))
            connection.sendall(
                b"POST /sign-in/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9000\r\n"[: 20 + number % 60]
            )
        began = time.monotonic()
        assert browser.get("/threads/").status_code == 200
        took = time.monotonic() - began
    assert took < 3
    seen(f"a page in {took:.2f} s beside 200 of them")
