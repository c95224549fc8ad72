"""Everything an upstream can do wrong, over a real socket, and the page that an agent gets."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator

import pytest
from django.test import Client

from tests.support.reader import Get, reader
from tests.support.upstream import NOW, use_upstream
from threads.chatkit import ApiConfig, ChatKitClient, Limits
from threads.emulator import Emulator, EmulatorServer, Fault
from threads.emulator.api.fault_corruption import gzip_bomb

DEADLINE = 1.7
PATIENCE = 20
"""Seconds for a page on a busy machine. Without a deadline, an upstream that hangs is waited for longer."""
SHORT = 0.5
"""Seconds, for the faults that last until the deadline is over."""

FAILING: list[tuple[Fault, int, str]] = [
    (Fault.WRONG_KEY, 502, "The API key was not accepted"),
    (Fault.MISSING_SCOPES, 502, "The API key may not read threads"),
    (Fault.GONE_404, 502, "OpenAI no longer offers this"),
    (Fault.GONE_410, 502, "OpenAI no longer offers this"),
    (Fault.RATE_LIMIT_86400, 503, "Too many requests"),
    (Fault.RATE_LIMIT_2, 503, "Too many requests"),
    (Fault.RATE_LIMIT_NAN, 503, "Too many requests"),
    (Fault.ERROR_500, 502, "can't be reached"),
    (Fault.ERROR_503, 502, "can't be reached"),
    (Fault.REFUSE, 502, "can't be reached"),
    (Fault.HANG, 504, "took too long"),
    (Fault.DRIP, 504, "took too long"),
    (Fault.DRIP_HEADERS, 504, "took too long"),
    (Fault.CUT_SHORT, 502, "can't be reached"),
    (Fault.NOT_JSON, 502, "isn't valid"),
    (Fault.HTML_200, 502, "isn't valid"),
    (Fault.ERROR_200, 502, "isn't valid"),
    (Fault.DATA_NULL, 502, "isn't valid"),
    (Fault.GZIP_BOMB, 502, "too large"),
    (Fault.DEEP_NESTING, 502, "too large"),
    (Fault.REDIRECT, 502, "isn't valid"),
    (Fault.EMPTY_HAS_MORE, 502, "isn't valid"),
]

COPING: list[tuple[Fault, str]] = [
    (Fault.FLAKY_ONCE, ""),
    (Fault.RATE_LIMIT_ONCE, ""),
    (Fault.HUGE_NUMBER, "created_at is not a time"),
    (Fault.NAN, "created_at is a number outside the calendar"),
    (Fault.SURROGATES, "\ufffd"),
    (Fault.TOO_MANY_ROWS, "more than the 20 rows asked for"),
    (Fault.BAD_ROWS, "Part of this row could not be read"),
    (Fault.SPARSE_ROWS, "Not given"),
    (Fault.LOOP, ""),
    (Fault.EMPTY_LIST, "No threads yet"),
    (Fault.CURSORS_404, ""),
    (Fault.CURSORS_400, ""),
    (Fault.THREADS_404, ""),
    (Fault.OTHER_PROJECT, ""),
    (Fault.OLD_DATE, ""),
    (Fault.NO_DATE, ""),
]


@pytest.fixture
def upstream(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """An upstream of 45 threads behind a real socket, which the desk asks with a short deadline."""
    emulator = Emulator(threads=45, seed=7, now=NOW)
    gzip_bomb()  # takes a second to make, once
    with EmulatorServer(emulator) as server:
        fault = request.node.callspec.params.get("fault") if hasattr(request.node, "callspec") else None
        deadline = SHORT if fault in {Fault.HANG, Fault.DRIP, Fault.DRIP_HEADERS} else DEADLINE
        client = ChatKitClient(ApiConfig("sk-test", server.base_url), limits=Limits(deadline, 0.5, 2_000_000))
        use_upstream(monkeypatch, client)
        yield emulator
        client.close()


@pytest.fixture
def get(agent: Client) -> Get:
    agent.cookies["tz"] = "UTC"
    return reader(agent)


def test_every_fault_is_here() -> None:
    assert {fault for fault, *_ in [*FAILING, *COPING]} == set(Fault)


@pytest.mark.parametrize(("fault", "status", "words"), FAILING, ids=[fault.value for fault, *_ in FAILING])
@pytest.mark.parametrize("part", [False, True], ids=["page", "part"])
def test_a_fault_is_a_page_in_plain_words(
    get: Get, upstream: Emulator, fault: Fault, status: int, words: str, part: bool
) -> None:
    get("/threads/?limit=5")  # the connection is warm, and so is everything that is made once
    upstream.fault = fault
    started = time.monotonic()
    page = get("/threads/?user=u%201&limit=50&order=asc", status=status, part=part)
    assert time.monotonic() - started < PATIENCE
    said = page.said(page.one("div", id="summary"))
    assert words in said
    assert "Try again" in said
    assert "Request id" in said
    ways_on = ("passes", "wait", "If this lasts", "omeone who runs Threadkeeper")
    assert any(words in said for words in ways_on), "whether waiting helps, or who can change it"
    assert page.one("a", id="again").get("href") == "/threads/?user=u+1&order=asc&limit=50"
    assert page.one("input", id="user").get("value") == "u 1"
    assert page.whole is not part
    assert "alert(1)" not in page.text
    assert "Traceback" not in page.text
    upstream.fault = None
    assert len(get("/threads/").thread_ids) == 20


@pytest.mark.parametrize(("fault", "words"), COPING, ids=[fault.value for fault, _ in COPING])
@pytest.mark.parametrize("part", [False, True], ids=["page", "part"])
def test_what_can_be_read_is_shown_and_what_can_not_is_said(
    get: Get, upstream: Emulator, fault: Fault, words: str, part: bool
) -> None:
    upstream.fault = fault
    # The bad rows come behind the good ones, so the page asks for more than there are of those.
    page = get("/threads/?limit=100" if fault is Fault.BAD_ROWS else "/threads/", part=part)
    assert bool(page.thread_ids) is (fault is not Fault.EMPTY_LIST)
    assert words in page.said()


def test_a_list_that_runs_in_a_circle_is_not_followed(get: Get, upstream: Emulator) -> None:
    upstream.fault = Fault.LOOP
    onward = get("/threads/").link("next")
    assert "isn't valid" in get(onward or "", status=502).said()


def test_rows_beyond_those_asked_for_are_on_the_next_page(get: Get, upstream: Emulator) -> None:
    truth = list(upstream.thread_ids())
    upstream.fault = Fault.TOO_MANY_ROWS
    first = get("/threads/?limit=10")
    upstream.fault = None
    assert get(first.link("next") or "").thread_ids != first.thread_ids
    assert len(first.thread_ids) == 10
    assert truth


def test_a_long_wait_is_told_with_its_end(get: Get, upstream: Emulator) -> None:
    upstream.fault = Fault.RATE_LIMIT_86400
    page = get("/threads/", status=503)
    assert page.headers["Retry-After"] == "86400"
    assert "It asks to wait 1 day, until " in page.said()
    assert len(upstream.calls) == 1, "a long wait is not sat out, and not ignored"


def test_the_request_id_is_the_upstreams(get: Get, upstream: Emulator) -> None:
    upstream.fault = Fault.ERROR_500
    assert "req_" in get("/threads/", status=502).said()


def test_a_port_where_nobody_listens(get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    client = ChatKitClient(ApiConfig("sk-test", "http://127.0.0.1:9/v1"), limits=Limits(seconds=DEADLINE, connect=0.5))
    use_upstream(monkeypatch, client)
    page = get("/threads/", status=502)
    assert "None: no reply came" in page.said()
    client.close()


@pytest.mark.parametrize(
    "fault",
    [Fault.GZIP_BOMB, Fault.DEEP_NESTING, Fault.HUGE_NUMBER, Fault.TOO_MANY_ROWS, Fault.DRIP, Fault.HTML_200],
    ids=lambda value: value.value,
)
def test_no_fault_costs_much_memory(agent: Client, upstream: Emulator, fault: Fault) -> None:
    agent.get("/threads/")
    upstream.fault = fault
    agent.get("/threads/")
    tracemalloc.start()
    try:
        agent.get("/threads/")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 60_000_000
