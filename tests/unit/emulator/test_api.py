"""The four calls, in process."""

import json
import re
from typing import Any

import pytest

from tests.support.calls import HEADERS, NOW, THREADS, call, error, get, ids, items_of, walk
from threads.emulator import BeforeReading, Emulator
from threads.emulator.world.usernames import AWKWARD_USERNAMES


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(400, now=NOW)


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 7, 20, 100])
def test_forward_pages_are_complete(emulator: Emulator, order: str, limit: int) -> None:
    assert walk(emulator, limit=limit, order=order) == list(emulator.thread_ids(order))


def test_ascending_is_descending_reversed(emulator: Emulator) -> None:
    assert list(emulator.thread_ids("asc")) == list(emulator.thread_ids("desc"))[::-1]


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_of_a_user_are_complete(emulator: Emulator, order: str) -> None:
    for user in emulator.users():
        found = walk(emulator, limit=9, order=order, user=user)
        assert found == list(emulator.thread_ids(order, user))
        assert all(get(emulator, f"/{thread_id}")["user"] == user for thread_id in found[:3])
    assert set(AWKWARD_USERNAMES.values()) <= set(emulator.users())


def test_an_unknown_user_has_no_threads(emulator: Emulator) -> None:
    empty: Any = {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
    assert get(emulator, user="nobody") == empty


def test_a_cursor_of_another_user_is_still_a_place(emulator: Emulator) -> None:
    everybody = list(emulator.thread_ids())
    user = get(emulator, f"/{everybody[0]}")["user"]
    stranger = next(one for one in everybody[50:] if get(emulator, f"/{one}")["user"] != user)
    rest = everybody[everybody.index(stranger) :]
    own = [one for one in emulator.thread_ids(user=user) if one in rest]
    assert walk(emulator, limit=5, user=user, after=stranger) == own


def test_limit_zero_is_an_empty_page(emulator: Emulator) -> None:
    page = get(emulator, limit=0)
    assert (page["data"], page["first_id"], page["last_id"]) == ([], None, None)


def test_before_takes_the_reading_it_was_given() -> None:
    for reading, expected in (
        (BeforeReading.ADJACENT, slice(8, 10)),
        (BeforeReading.FIRST, slice(0, 2)),
        (BeforeReading.OLDER, slice(11, 13)),
    ):
        emulator = Emulator(50, now=NOW, before=reading)
        every = list(emulator.thread_ids())
        assert ids(get(emulator, limit=2, before=every[10])) == every[expected]


def test_items_page_in_both_orders_and_back(emulator: Emulator) -> None:
    busiest = max(emulator.thread_ids(), key=lambda one: len(get(emulator, items_of(one), limit=100)["data"]))
    tail = items_of(busiest)
    oldest_first = walk(emulator, tail, limit=3, order="asc")
    assert len(oldest_first) > 20
    assert walk(emulator, tail, limit=3) == oldest_first[::-1]
    assert ids(get(emulator, tail, limit=2, order="asc", before=oldest_first[5])) == oldest_first[3:5]


def test_a_thread_alone_is_as_in_the_list(emulator: Emulator) -> None:
    for row in get(emulator)["data"]:
        assert get(emulator, f"/{row['id']}") == row


def test_delete_removes_for_good(emulator: Emulator) -> None:
    victim, *rest = emulator.thread_ids()
    reply = call(emulator, f"/{victim}", method="DELETE")
    assert json.loads(reply.body) == {"id": victim, "object": "chatkit.thread.deleted", "deleted": True}
    assert list(emulator.thread_ids()) == rest == walk(emulator, limit=100)
    for again in (
        call(emulator, f"/{victim}", method="DELETE"),
        call(emulator, f"/{victim}"),
        call(emulator, items_of(victim)),
        call(emulator, after=victim),
    ):
        assert again.status == 404
        assert victim in error(again)["message"]


def test_arrivals_come_first_and_push_nothing_out(emulator: Emulator) -> None:
    page = get(emulator, limit=10)
    arrived = emulator.arrive(3)
    assert ids(get(emulator, limit=13)) == arrived[::-1] + ids(page)
    assert ids(get(emulator, limit=10, after=page["last_id"])) == list(emulator.thread_ids())[13:23]
    times = [row["created_at"] for row in get(emulator, limit=13)["data"]]
    assert times == sorted(times, reverse=True)
    assert {row["status"]["type"] for row in get(emulator, limit=3)["data"]} == {"active"}


def test_arrivals_have_hardly_begun(emulator: Emulator) -> None:
    for one in emulator.arrive(20):
        items = get(emulator, items_of(one), order="asc")["data"]
        assert 1 <= len(items) <= 2
        assert all(0 < item["created_at"] - NOW < 60 for item in items)


def test_arrivals_of_a_user_are_the_users(emulator: Emulator) -> None:
    [known], [new] = emulator.arrive(user=AWKWARD_USERNAMES[6]), emulator.arrive(user="somebody new")
    assert walk(emulator, limit=9, user=AWKWARD_USERNAMES[6])[0] == known
    assert walk(emulator, user="somebody new") == [new]
    assert get(emulator, f"/{new}")["user"] == "somebody new"


def test_what_happens_upstream_shows(emulator: Emulator) -> None:
    first, second, third, *rest = emulator.thread_ids()
    emulator.set_status(first, "locked", "spam")
    emulator.set_status(second, "active", "ignored")
    emulator.set_title(second, None)
    emulator.delete(third)
    rows = get(emulator, limit=3)["data"]
    assert rows[0]["status"] == {"type": "locked", "reason": "spam"}
    assert rows[1]["status"] == {"type": "active"}
    assert rows[1]["title"] is None
    assert rows[2]["id"] == rest[0]
    with pytest.raises(KeyError):
        emulator.delete(third)


@pytest.mark.parametrize(
    ("query", "status", "param", "code"),
    [
        ("limit=101", 400, "limit", "integer_above_max_value"),
        ("limit=-1", 400, "limit", "integer_below_min_value"),
        ("limit=ten", 400, "limit", "invalid_type"),
        ("limit=", 400, "limit", "invalid_type"),
        ("limit=1.5", 400, "limit", "invalid_type"),
        ("limit=" + "9" * 5000, 400, "limit", "invalid_type"),
        ("order=up", 400, "order", "invalid_value"),
        ("user=", 400, "user", "empty_string"),
        ("user=" + "x" * 513, 400, "user", "string_above_max_length"),
        ("after=cthr_invented", 404, "after", "not_found"),
        ("before=cthr_invented", 404, "before", "not_found"),
        ("sort=asc", 400, "sort", "unknown_parameter"),
    ],
)
def test_wrong_parameters(emulator: Emulator, query: str, status: int, param: str, code: str) -> None:
    reply = emulator.handle("GET", THREADS, query, HEADERS)
    assert reply.status == status
    assert (error(reply)["type"], error(reply)["param"], error(reply)["code"]) == ("invalid_request_error", param, code)


def test_limits_are_explained_in_the_apis_words(emulator: Emulator) -> None:
    expected = "Invalid 'limit': integer above maximum value. Expected a value <= 100, but got 101 instead."
    assert error(call(emulator, limit=101))["message"] == expected


def test_items_take_no_user_and_no_cursor_of_another_thread(emulator: Emulator) -> None:
    one, other = list(emulator.thread_ids())[:2]
    assert call(emulator, items_of(one), user="x").status == 400
    stranger = get(emulator, items_of(other))["first_id"]
    assert error(call(emulator, items_of(one), after=stranger))["param"] == "after"
    assert call(emulator, items_of(one), after=one).status == 404


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/chatkit", "/chatkit/threads", THREADS + "/", THREADS + "/a/b"])
def test_unknown_paths(emulator: Emulator, path: str) -> None:
    reply = emulator.handle("GET", path, "", HEADERS)
    assert reply.status == 404
    assert "Invalid URL" in error(reply)["message"]


@pytest.mark.parametrize(("method", "tail"), [("POST", ""), ("DELETE", ""), ("PATCH", "/x"), ("DELETE", "/x/items")])
def test_wrong_methods(emulator: Emulator, method: str, tail: str) -> None:
    assert call(emulator, tail, method=method).status == 405


def test_keys() -> None:
    def answer(emulator: Emulator, key: str) -> tuple[int, str]:
        headers = {"authorization": key, "openai-beta": "chatkit_beta=v1"}
        reply = emulator.handle("GET", THREADS, "limit=0", headers)
        return reply.status, "" if reply.status == 200 else error(reply)["message"]

    free, strict = Emulator(5, now=NOW), Emulator(5, now=NOW, api_key="sk-right")
    assert answer(free, "Bearer anything") == (200, "")
    assert answer(strict, "Bearer sk-right") == (200, "")
    for scheme in ("", "Bearer", "Basic abc"):
        status, message = answer(free, scheme)
        assert (status, message[:29]) == (401, "You didn't provide an API key")
    for emulator in (free, strict):
        status, message = answer(emulator, "Bearer sk-wrong-0123456789abcdef")
        assert status == 401
        assert "Incorrect API key provided: sk-wrong" in message
        assert "0123456789" not in message
    status, message = answer(free, "Bearer sk-scopes")
    assert status == 401
    assert "Missing scopes: " in message


def test_the_beta_header_is_needed(emulator: Emulator) -> None:
    reply = emulator.handle("GET", THREADS, "", {"AUTHORIZATION": "Bearer x"})
    assert reply.status == 400
    assert error(reply)["message"].startswith("You must provide the 'OpenAI-Beta' header")


def test_every_reply_carries_the_common_headers(emulator: Emulator) -> None:
    for reply in (call(emulator), call(emulator, "/nothing"), call(emulator, method="PUT")):
        assert re.fullmatch("req_[0-9a-f]{32}", reply.headers["x-request-id"])
        assert reply.headers["content-type"] == "application/json"
        assert re.fullmatch(r"(\dm)?\d+s", reply.headers["x-ratelimit-reset-requests"])
        assert int(reply.headers["x-ratelimit-remaining-requests"]) < 5000
        assert int(reply.headers["openai-processing-ms"]) >= 1


def test_calls_are_remembered(emulator: Emulator) -> None:
    call(emulator, limit=3)
    call(emulator, "/x", method="DELETE")
    assert list(emulator.calls) == [("GET", THREADS, "limit=3"), ("DELETE", THREADS + "/x", "")]
