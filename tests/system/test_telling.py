"""A real server of two processes, through a bad hour: what it logs, what it counts, and whether it is ready."""

from __future__ import annotations

import http.cookiejar
import json
import re
import socket
import sqlite3
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.serving import NAME, PASSWORD, Desk, serve
from tests.support.working import ask, started, until
from threads.emulator import Emulator, EmulatorServer, Fault

pytestmark = pytest.mark.timeout(180)

KEY, TOKEN = "sk-right-and-secret", "a-token-for-scrapers"
SOUGHT = "zeppelinfahrt"


@pytest.fixture
def upstream() -> Iterator[EmulatorServer]:
    with EmulatorServer(Emulator(threads=45, seed=7, api_key=KEY)) as made:
        yield made


@pytest.fixture
def desk(tmp_path: Path, upstream: EmulatorServer) -> Iterator[Desk]:
    settings = {
        "OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": upstream.base_url, "SECRET_KEY": "of this test alone",
        "LOG_FORMAT": "json", "ACCESS_LOG": "-", "METRICS": "1", "METRICS_TOKEN": TOKEN, "WEB_CONCURRENCY": "2",
        "CHATKIT_DEADLINE": "1",
    }  # fmt: skip
    with serve(tmp_path / "desks" / "desk", settings, account=True) as made:
        yield made


def test_a_bad_hour(desk: Desk, upstream: EmulatorServer, tmp_path: Path) -> None:
    """One server for all of it: to start one takes longer than the rest."""
    _tells_nothing_without_the_token(desk)
    _counts_over_all_processes(desk)
    _leaves_nobodys_words_in_the_log(desk, upstream)
    _is_ready_and_asks_nobody(desk, upstream)
    _has_a_worker_that_lives_and_counts_with_it(desk, tmp_path)


class Visitor:
    """Asks as a browser does, cookies and all."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._jar = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._jar))

    def get(self, address: str, **headers: str) -> tuple[int, str]:
        return self._ask(urllib.request.Request(f"{self._desk.url}{address}", headers=headers))

    def post(self, address: str, **form: str) -> tuple[int, str]:
        _, page = self.get(address)
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert found, page
        sent = urllib.parse.urlencode({"csrfmiddlewaretoken": found[1]} | form).encode()
        return self._ask(urllib.request.Request(f"{self._desk.url}{address}", data=sent))

    def _ask(self, request: urllib.request.Request) -> tuple[int, str]:
        try:
            with self._opener.open(request, timeout=20) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


def figures(desk: Desk) -> dict[str, float]:
    status, text = Visitor(desk).get("/metrics", Authorization=f"Bearer {TOKEN}")
    assert status == 200
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def spoken(emulator: Emulator, headers: dict[str, str]) -> tuple[list[str], list[str], list[str]]:
    """The ids, the users and what was said of the newest threads."""
    listed = json.loads(emulator.handle("GET", "/v1/chatkit/threads", "limit=5", headers).body)["data"]
    ids = [each["id"] for each in listed]
    said: list[str] = []
    for thread_id in ids:
        items = json.loads(emulator.handle("GET", f"/v1/chatkit/threads/{thread_id}/items", "", headers).body)["data"]
        said += [part["text"] for each in items for part in each.get("content", []) if len(part.get("text", "")) > 20]
    return ids, [each["user"] for each in listed], said


def _leaves_nobodys_words_in_the_log(desk: Desk, upstream: EmulatorServer) -> None:
    sent = {"authorization": f"Bearer {KEY}", "openai-beta": "chatkit_beta=v1"}
    ids, users, said = spoken(upstream.emulator, sent)
    assert said
    visitor = Visitor(desk)
    visitor.post("/sign-in/", username=NAME, password="not this one")
    assert visitor.post("/sign-in/", username=NAME, password=PASSWORD)[0] == 200
    before = figures(desk)
    for thread_id, user in zip(ids, users, strict=True):
        assert visitor.get(f"/threads/{thread_id}/")[0] == 200
        assert visitor.get(f"/threads/?{urllib.parse.urlencode({'user': user})}")[0] == 200
    for fault in (Fault.WRONG_KEY, Fault.ERROR_500, Fault.HANG, Fault.CUT_SHORT, Fault.HTML_200, Fault.REDIRECT):
        upstream.emulator.fault = fault
        for address in (f"/threads/?user={users[0]}", f"/threads/{ids[0]}/"):
            assert visitor.get(address)[0] in {502, 503, 504}
    upstream.emulator.fault = None
    visitor.get(f"/threads/?q={SOUGHT}&user={users[0]}")
    visitor.get(f"/nowhere/?user={users[0]}&q={SOUGHT}")
    visitor.get("/threads/", Host=f"{SOUGHT}.example")
    Visitor(desk).get(f"/threads/?user={users[0]}")
    with socket.create_connection(("127.0.0.1", int(desk.url.rpartition(":")[2])), timeout=5) as raw:
        raw.sendall(f"GET /threads/?user={users[0]} and more HTTP/1.1\r\n\r\n".encode())
        raw.recv(1000)
    # What Threadkeeper does not expect leaves a stack.
    with closing(sqlite3.connect(Path(desk.environment["DATA_DIR"]) / "threadkeeper.sqlite3")) as file:
        file.execute("ALTER TABLE archive_syncrun RENAME TO away")
        assert visitor.get(f"/sync/?user={users[0]}&q={SOUGHT}")[0] >= 500
        file.execute("ALTER TABLE away RENAME TO archive_syncrun")

    lines = desk.said().splitlines()
    for line in lines:
        entry = json.loads(line)
        assert {"time", "level", "logger", "message", "request_id"} <= set(entry), line
    text = "\n".join(lines)
    for hidden in (KEY, TOKEN, PASSWORD, "not this one", SOUGHT + "&", f"q={SOUGHT}", *users, *said):
        assert hidden not in text, hidden
    served = [json.loads(line) for line in lines if '"gunicorn.access"' in line]
    assert [each for each in served if each.get("path") == f"/threads/{ids[0]}/" and each["request_id"]]
    assert any("Invalid request" in line for line in lines)
    assert any("no such table: archive_syncrun" in json.loads(line).get("stack", "") for line in lines)

    after = figures(desk)
    shown = 'threadkeeper_requests_total{method="GET",status="200",view="thread"}'
    assert after[shown] - before.get(shown, 0) == len(ids)
    failed = {name for name in after if name.startswith("threadkeeper_upstream_calls_total") and "answered" not in name}
    assert {re.findall(r'outcome="(\w+)"', name)[0] for name in failed} == {
        "NotSignedIn", "Unavailable", "TimedOut", "Garbled",
    }  # fmt: skip
    assert after["threadkeeper_sign_in_failures_total"] == 1
    assert not [name for name in after for each in (*ids, *users, NAME) if each in name]


def _counts_over_all_processes(desk: Desk) -> None:
    """Whichever of them is asked."""
    name = 'threadkeeper_requests_total{method="GET",status="200",view="healthz"}'
    before = figures(desk).get(name, 0)
    for _ in range(40):
        assert Visitor(desk).get("/healthz")[0] == 200
    counted = {figures(desk)[name] - before for _ in range(10)}
    assert counted == {40.0}
    directory = Path(desk.environment["DATA_DIR"]) / "metrics"
    assert len(list(directory.glob("counter_*.db"))) == 2


def _tells_nothing_without_the_token(desk: Desk) -> None:
    assert Visitor(desk).get("/metrics")[0] == 401
    assert Visitor(desk).get("/metrics", Authorization="Bearer none")[0] == 403


def _is_ready_and_asks_nobody(desk: Desk, upstream: EmulatorServer) -> None:
    began = time.monotonic()
    calls = len(upstream.emulator.calls)
    for _ in range(20):
        status, text = Visitor(desk).get("/readyz", Host="10.0.0.1")
        assert status == 200, text
    assert time.monotonic() - began < 5
    assert len(upstream.emulator.calls) == calls


def _has_a_worker_that_lives_and_counts_with_it(desk: Desk, tmp_path: Path) -> None:
    data, environment = Path(desk.environment["DATA_DIR"]), dict(desk.environment)
    with started(environment, "worker", log=tmp_path / "log") as worker:
        until(lambda: ask(data, "SELECT 1 FROM archive_lease WHERE name = 'worker'"))
        until((data / "metrics" / f"counter_{worker.pid}.db").exists)
        until(lambda: any('call="items",outcome="answered"' in name for name in figures(desk)))
        worker.terminate()
        assert worker.wait(20) == 0
    for line in (tmp_path / "log").read_text().splitlines():
        assert json.loads(line)["level"] == "INFO", line
