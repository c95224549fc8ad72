"""Each fault, as the API's answer: what can be seen without a socket."""

import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.calls import HEADERS, NOW, THREADS, call, error, get, ids, items_of, walk
from threads.emulator import Emulator, EmulatorReply, Fault
from threads.emulator.api.fault_corruption import BOMB_BYTES
from threads.emulator.faults import CONNECTION_FAULTS, DATA_LOSS_FAULTS

STATUS = {
    Fault.WRONG_KEY: 401,
    Fault.MISSING_SCOPES: 401,
    Fault.GONE_404: 404,
    Fault.GONE_410: 410,
    Fault.RATE_LIMIT_2: 429,
    Fault.RATE_LIMIT_ONCE: 429,
    Fault.RATE_LIMIT_86400: 429,
    Fault.RATE_LIMIT_NAN: 429,
    Fault.ERROR_500: 500,
    Fault.ERROR_503: 503,
    Fault.FLAKY_ONCE: 503,
    Fault.REDIRECT: 302,
}
REFUSALS = {*STATUS, Fault.REFUSE, Fault.HTML_200, Fault.ERROR_200}
NO_THREADS = {Fault.THREADS_404, Fault.OTHER_PROJECT}
"""Faults that answer the list, and 404 to a call for a thread by its id."""
CURSOR_FAULTS = [
    (Fault.CURSORS_404, 404, "No row found with id '{}'.", "not_found"),
    (Fault.CURSORS_400, 400, "Invalid cursor.", "invalid_cursor"),
]


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(300, now=NOW)


def four_calls(emulator: Emulator) -> list[Callable[[], EmulatorReply]]:
    """The four calls of the API, on threads that exist."""
    one = next(emulator.thread_ids())
    return [
        lambda: call(emulator, limit=5),
        lambda: call(emulator, f"/{one}"),
        lambda: call(emulator, items_of(one)),
        lambda: call(emulator, f"/{one}", method="DELETE"),
    ]


def reply_with(fault: Fault, emulator: Emulator, tail: str = "", **parameters: Any) -> EmulatorReply:
    emulator.fault = fault
    return call(emulator, tail, **parameters)


def page_with(fault: Fault, emulator: Emulator, **parameters: Any) -> Any:
    reply = reply_with(fault, emulator, **parameters)
    assert reply.status == 200
    return json.loads(reply.body)


@pytest.mark.parametrize("fault", Fault)
def test_a_fault_strikes_each_of_the_four_calls(emulator: Emulator, fault: Fault) -> None:
    for number, make in enumerate(four_calls(emulator)):
        emulator.fault = fault
        reply = make()
        usual = 404 if fault in NO_THREADS and number > 0 else 503 if fault is Fault.REFUSE else 200
        assert reply.status == STATUS.get(fault, usual)
        assert reply.wire is (fault if fault in CONNECTION_FAULTS else None)


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault in REFUSALS | NO_THREADS])
def test_a_refusal_deletes_nothing(emulator: Emulator, fault: Fault) -> None:
    one = next(emulator.thread_ids())
    emulator.fault = fault
    call(emulator, f"/{one}", method="DELETE")
    assert next(emulator.thread_ids()) == one


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault not in REFUSALS | NO_THREADS])
def test_a_spoilt_answer_comes_after_the_act(emulator: Emulator, fault: Fault) -> None:
    one = next(emulator.thread_ids())
    emulator.fault = fault
    call(emulator, f"/{one}", method="DELETE")
    assert next(emulator.thread_ids()) != one


@pytest.mark.parametrize("fault", Fault)
def test_a_fault_ends_when_it_is_taken_away(emulator: Emulator, fault: Fault) -> None:
    before = get(emulator)
    reply_with(fault, emulator)
    emulator.fault = None
    assert get(emulator) == before


@pytest.mark.parametrize("fault", [Fault.RATE_LIMIT_ONCE, Fault.FLAKY_ONCE])
def test_faults_that_strike_once(emulator: Emulator, fault: Fault) -> None:
    for _ in range(2):
        emulator.fault = fault
        assert [call(emulator).status for _ in range(3)] == [STATUS[fault], 200, 200]


def test_a_fault_can_be_there_from_the_beginning() -> None:
    assert call(Emulator(3, now=NOW, fault=Fault.FLAKY_ONCE)).status == 503


@pytest.mark.parametrize(
    ("fault", "wait"),
    [
        (Fault.RATE_LIMIT_2, "2"),
        (Fault.RATE_LIMIT_ONCE, "1"),
        (Fault.RATE_LIMIT_86400, "86400"),
        (Fault.RATE_LIMIT_NAN, "nan"),
    ],
)
def test_rate_limits_say_how_long(emulator: Emulator, fault: Fault, wait: str) -> None:
    reply = reply_with(fault, emulator)
    assert reply.headers["retry-after"] == wait
    assert reply.headers["x-ratelimit-remaining-requests"] == "0"
    assert error(reply)["code"] == "rate_limit_exceeded"


def test_errors_have_the_apis_shape(emulator: Emulator) -> None:
    for fault in STATUS.keys() - {Fault.REDIRECT}:
        assert set(error(reply_with(fault, emulator))) == {"message", "type", "param", "code"}
    assert "Missing scopes: " in error(reply_with(Fault.MISSING_SCOPES, emulator))["message"]
    assert error(reply_with(Fault.WRONG_KEY, emulator))["code"] == "invalid_api_key"
    assert "retired" in error(reply_with(Fault.GONE_410, emulator))["message"]
    assert "error" in page_with(Fault.ERROR_200, emulator)


def test_a_redirect_names_another_host(emulator: Emulator) -> None:
    assert reply_with(Fault.REDIRECT, emulator).headers["location"] == "http://127.0.0.2:9/"


def test_bodies_that_are_no_json(emulator: Emulator) -> None:
    html = reply_with(Fault.HTML_200, emulator)
    assert html.headers["content-type"].startswith("text/html")
    assert b"<script>alert(1)</script>" in html.body
    for fault, wrong in (
        (Fault.HTML_200, ValueError),
        (Fault.NOT_JSON, ValueError),
        (Fault.HUGE_NUMBER, ValueError),
        (Fault.DEEP_NESTING, RecursionError),
    ):
        with pytest.raises(wrong):
            json.loads(reply_with(fault, emulator).body)


def test_the_bomb_is_small_and_inflates(emulator: Emulator) -> None:
    reply = reply_with(Fault.GZIP_BOMB, emulator)
    assert reply.headers["content-encoding"] == "gzip"
    assert len(reply.body) < 400_000
    unpacker, size, chunk = zlib.decompressobj(31), 0, reply.body
    while not unpacker.eof:
        size += len(unpacker.decompress(chunk, 10_000_000))
        chunk = unpacker.unconsumed_tail
    assert BOMB_BYTES < size < BOMB_BYTES + 1000


def test_numbers_that_json_has_not(emulator: Emulator) -> None:
    body = reply_with(Fault.NAN, emulator).body
    assert all(b'"created_at":' + value in body for value in (b"NaN", b"Infinity", b"-Infinity"))


def test_surrogates_and_nul_stand_in_texts(emulator: Emulator) -> None:
    page = page_with(Fault.SURROGATES, emulator, limit=50)
    assert all(row["user"].endswith("\ud800\x00") for row in page["data"])
    assert any(row["title"] and "\ud800" in row["title"] for row in page["data"])
    assert any("\ud800" in (row["status"].get("reason") or "") for row in page["data"])
    assert ids(page) == list(emulator.thread_ids())[:50]
    emulator.fault = None
    tail = items_of(ids(page)[0])
    assert b"\\ud800\\u0000" in reply_with(Fault.SURROGATES, emulator, tail).body


def test_more_rows_than_asked_for(emulator: Emulator) -> None:
    assert len(page_with(Fault.TOO_MANY_ROWS, emulator, limit=2)["data"]) == 250
    assert len(page_with(Fault.TOO_MANY_ROWS, emulator, limit=30)["data"]) == 300
    tail = items_of(next(emulator.thread_ids()))
    assert len(json.loads(reply_with(Fault.TOO_MANY_ROWS, emulator, tail).body)["data"]) == 250


def test_pages_that_lead_nowhere(emulator: Emulator) -> None:
    assert page_with(Fault.DATA_NULL, emulator)["data"] is None
    empty: Any = {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": True}
    assert page_with(Fault.EMPTY_HAS_MORE, emulator) == empty
    first = page_with(Fault.LOOP, emulator, limit=100)
    assert first["has_more"]
    assert page_with(Fault.LOOP, emulator, limit=100, after=first["last_id"]) == first
    user = "ACME Corp/ops team 100% #7"
    assert {row["user"] for row in page_with(Fault.LOOP, emulator, user=user)["data"]} == {user}


def test_bad_rows_stand_among_good_ones(emulator: Emulator) -> None:
    rows = page_with(Fault.BAD_ROWS, emulator, limit=4)["data"]
    good, broken = rows[:4], rows[4:]
    assert [row["id"] for row in good] == list(emulator.thread_ids())[:4]
    assert broken[:2] == ["a bare string", None]
    assert "id" not in broken[2]
    assert broken[3]["id"] == 12345
    assert isinstance(broken[4]["title"], list)
    assert [row["status"] for row in broken[5:7]] == ["active", {"type": "archived"}]
    assert [row["created_at"] for row in broken[7:9]] == ["2026-01-01T00:00:00Z", 10**18]
    assert broken[9] == good[0]


def test_sparse_rows_are_the_documentations_example(emulator: Emulator) -> None:
    page = page_with(Fault.SPARSE_ROWS, emulator)
    assert set(page) == {"object", "data", "has_more"}
    assert all(set(row) == {"id", "object", "title"} for row in page["data"])


def test_an_error_is_not_spoilt_further(emulator: Emulator) -> None:
    for fault in set(Fault) - REFUSALS - CONNECTION_FAULTS:
        assert error(reply_with(fault, emulator, limit=101))["param"] == "limit"


def test_gone_404_has_the_words_for_an_unknown_path(emulator: Emulator) -> None:
    one = next(emulator.thread_ids())
    emulator.fault = Fault.GONE_404
    for method, tail in (("GET", ""), ("GET", f"/{one}"), ("GET", items_of(one)), ("DELETE", f"/{one}")):
        reply = call(emulator, tail, method=method, **({} if tail else {"limit": 5}))
        assert reply.status == 404
        assert json.loads(reply.body) == {
            "error": {
                "message": f"Invalid URL ({method} {THREADS}{tail})",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        }
    unknown = emulator.handle("GET", "/v1/nothing", "", HEADERS)
    emulator.fault = None
    assert emulator.handle("GET", "/v1/nothing", "", HEADERS).body == unknown.body


@pytest.mark.parametrize(("fault", "status", "message", "code"), CURSOR_FAULTS)
@pytest.mark.parametrize("name", ["after", "before"])
@pytest.mark.parametrize("gone_cursor_status", [404, 400])
def test_cursors_fail_and_all_else_works(
    fault: Fault, status: int, message: str, code: str, name: str, gone_cursor_status: int
) -> None:
    emulator = Emulator(60, now=NOW, gone_cursor_status=gone_cursor_status)
    one = list(emulator.thread_ids())[30]
    item = get(emulator, items_of(one))["first_id"]
    usual = [get(emulator), get(emulator, f"/{one}"), get(emulator, items_of(one))]
    emulator.fault = fault
    assert [get(emulator), get(emulator, f"/{one}"), get(emulator, items_of(one))] == usual
    for tail, cursor in (("", one), (items_of(one), item), ("", "cthr_invented")):
        reply = call(emulator, tail, **{name: cursor})
        assert reply.status == status
        expected = {"message": message.format(cursor), "type": "invalid_request_error", "param": name, "code": code}
        assert error(reply) == expected
    assert call(emulator, f"/{one}", method="DELETE").status == 200


@pytest.mark.parametrize("gone_cursor_status", [404, 400])
def test_an_empty_list_has_no_rows_and_knows_no_cursor(gone_cursor_status: int) -> None:
    emulator = Emulator(60, now=NOW, gone_cursor_status=gone_cursor_status)
    one = next(emulator.thread_ids())
    thread, items = get(emulator, f"/{one}"), get(emulator, items_of(one), order="asc")
    emulator.fault = Fault.EMPTY_LIST
    empty: Any = {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
    assert get(emulator) == get(emulator, user=thread["user"], order="asc", limit=5) == empty
    for name in ("after", "before"):
        reply = call(emulator, **{name: one})
        assert (reply.status, error(reply)["param"], error(reply)["code"]) == (404, name, "not_found")
        assert error(reply)["message"] == f"No row found with id '{one}'."
    assert get(emulator, f"/{one}") == thread
    assert get(emulator, items_of(one), order="asc") == items
    rest = [item for item in ids(items) if item != items["first_id"]]
    assert ids(get(emulator, items_of(one), order="asc", after=items["first_id"])) == rest
    assert call(emulator, items_of(one), after="cti_invented").status == gone_cursor_status


def test_the_list_works_while_no_thread_is_found(emulator: Emulator) -> None:
    every = list(emulator.thread_ids())
    emulator.fault = Fault.THREADS_404
    assert walk(emulator, limit=100) == every
    for tail, method in ((f"/{every[0]}", "GET"), (items_of(every[0]), "GET"), (f"/{every[0]}", "DELETE")):
        reply = call(emulator, tail, method=method)
        assert reply.status == 404
        assert error(reply) == {
            "message": f"No thread found with id '{every[0]}'.",
            "type": "invalid_request_error",
            "param": "thread_id",
            "code": "not_found",
        }
    emulator.fault = None
    assert walk(emulator, limit=100) == every


def test_another_project_shares_nothing_with_the_first(emulator: Emulator) -> None:
    def contents() -> tuple[list[str], set[str], set[str]]:
        threads = walk(emulator, limit=100)
        users = {get(emulator, f"/{one}")["user"] for one in threads}
        return threads, users, {item for one in threads for item in walk(emulator, items_of(one), limit=100)}

    first = contents()
    emulator.fault = Fault.OTHER_PROJECT
    other = contents()
    assert len(other[0]) == len(first[0]) == 300
    for own, others in zip(first, other, strict=True):
        assert not set(own) & set(others)
    assert contents() == other
    one = first[0][0]
    for reply in (call(emulator, f"/{one}"), call(emulator, items_of(one)), call(emulator, f"/{one}", method="DELETE")):
        assert reply.status == 404
        assert error(reply)["message"] == f"No thread found with id '{one}'."
    assert call(emulator, after=one).status == 404
    assert get(emulator, user=next(iter(first[1])))["data"] == []
    user = next(iter(other[1]))
    assert {row["user"] for row in get(emulator, user=user)["data"]} == {user}
    assert call(emulator, f"/{other[0][0]}", method="DELETE").status == 200
    assert walk(emulator, limit=100) == other[0][1:]
    emulator.fault = None
    assert contents() == first
    assert call(emulator, f"/{other[0][1]}").status == 404


def test_another_project_has_the_settings_of_the_first() -> None:
    emulator = Emulator(60, now=NOW, ties=3, gone_cursor_status=400, api_key="sk-right", fault=Fault.OTHER_PROJECT)
    assert call(emulator).status == 401
    headers = HEADERS | {"Authorization": "Bearer sk-right"}
    rows = json.loads(emulator.handle("GET", THREADS, "limit=3&order=asc", headers).body)["data"]
    assert len({row["created_at"] for row in rows}) == 1
    assert emulator.handle("GET", THREADS, "after=cthr_invented", headers).status == 400


@pytest.mark.parametrize("fault", [*sorted(DATA_LOSS_FAULTS, key=lambda fault: fault.value), Fault.OTHER_PROJECT])
def test_lost_data_comes_after_the_checks_of_the_request(fault: Fault) -> None:
    emulator = Emulator(60, now=NOW, fault=fault)
    one = next(emulator.thread_ids())
    for tail in ("", f"/{one}", items_of(one)):
        path, beta = THREADS + tail, HEADERS["OpenAI-Beta"]
        assert emulator.handle("GET", path, f"after={one}", {"OpenAI-Beta": beta}).status == 401
        reply = emulator.handle("GET", path, f"after={one}", {"Authorization": HEADERS["Authorization"]})
        assert (reply.status, error(reply)["code"]) == (400, "invalid_beta")
    assert call(emulator, after=one, limit=101).status == 400
    assert call(emulator, "/a/b/c").status == 404
    assert call(emulator, method="PUT").status == 405
