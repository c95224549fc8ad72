"""The four calls, above the socket."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict
from responses import matchers

from threads.chatkit import (
    ApiConfig,
    ChatKitClient,
    ChatKitError,
    Garbled,
    Limits,
    NotFound,
    NotSignedIn,
    RateLimited,
    Refused,
    Retired,
    ScopesMissing,
    TimedOut,
    TooLarge,
    Unavailable,
)
from threads.chatkit.transport import server_date
from threads.lib.trace import Trace, trace

KEY = "sk-proj-very-secret"
BASE = "https://api.test/v1"
THREADS = f"{BASE}/chatkit/threads"
PAGE = {"object": "list", "data": [{"id": "cthr_1", "title": None}], "has_more": False}


@pytest.fixture
def api() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatKitClient]:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    made = ChatKitClient(ApiConfig(KEY, BASE, organization="org-1", project="proj_1"), limits=Limits(bytes=10_000))
    yield made
    made.close()


def said(message: str = "", **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None} | fields}


def test_a_list_asks_as_the_api_documents(api: responses.RequestsMock, client: ChatKitClient) -> None:
    wanted = {"limit": "50", "order": "asc", "user": "a b/ü", "after": "x&y"}
    api.get(THREADS, json=PAGE, match=[matchers.query_param_matcher(wanted)])
    page = client.list_threads(user="a b/ü", order="asc", limit=50, after="x&y")
    assert [thread.id for thread in page.rows] == ["cthr_1"]
    headers = api.calls[0].request.headers
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert headers["OpenAI-Beta"] == "chatkit_beta=v1"
    assert (headers["OpenAI-Organization"], headers["OpenAI-Project"]) == ("org-1", "proj_1")
    assert headers["User-Agent"].startswith("threadkeeper/")


@pytest.mark.parametrize(
    ("thread_id", "path"),
    [("cthr_1", "cthr_1"), ("a/b?c#d %", "a%2Fb%3Fc%23d%20%25"), ("../..", "..%2F.."), ("ü", "%C3%BC")],
)
def test_an_id_is_one_segment_of_the_path(
    api: responses.RequestsMock, client: ChatKitClient, thread_id: str, path: str
) -> None:
    api.delete(f"{THREADS}/{path}", json={"id": thread_id, "object": "chatkit.thread.deleted", "deleted": True})
    assert client.delete_thread(thread_id).deleted
    assert api.calls[0].request.url == f"{THREADS}/{path}"


@pytest.mark.parametrize("thread_id", ["", ".", ".."])
def test_an_id_that_names_another_resource_is_never_sent(client: ChatKitClient, thread_id: str) -> None:
    for call in (client.retrieve_thread, client.list_items, client.delete_thread):
        with pytest.raises(NotFound):
            call(thread_id)


def test_one_thread_and_its_items(api: responses.RequestsMock, client: ChatKitClient) -> None:
    api.get(f"{THREADS}/cthr_1", json={"id": "cthr_1", "items": {"data": []}})
    api.get(f"{THREADS}/cthr_1/items", json={"data": [{"id": "cti_1", "type": "task"}], "has_more": True})
    assert client.retrieve_thread("cthr_1").id == "cthr_1"
    items = client.list_items("cthr_1", order="asc", limit=1)
    assert (items.rows[0].id, items.last_id, items.has_more) == ("cti_1", "cti_1", True)


ERRORS: list[tuple[int, dict[str, Any], type[ChatKitError]]] = [
    (401, said("Incorrect API key provided: sk-proj-***cret.", code="invalid_api_key"), NotSignedIn),
    (401, said("You have insufficient permissions. Missing scopes: api.threads.read."), ScopesMissing),
    (403, said("no"), ScopesMissing),
    (404, said("Not found"), Retired),
    (404, {}, Retired),
    (410, said("Gone"), Retired),
    (400, said("Invalid 'limit'", param="limit"), Refused),
    (429, said("slow down"), RateLimited),
    (500, said("oops"), Unavailable),
    (503, {}, Unavailable),
    (302, {}, Garbled),
]


@pytest.mark.parametrize(("status", "body", "kind"), ERRORS)
def test_every_refusal_has_its_error(
    api: responses.RequestsMock, client: ChatKitClient, status: int, body: dict[str, Any], kind: type[ChatKitError]
) -> None:
    api.get(THREADS, json=body, status=status, headers={"x-request-id": "req_1"})
    with pytest.raises(kind) as caught:
        client.list_threads()
    assert (caught.value.status, caught.value.request_id) == (status, "req_1")


def test_a_cursor_that_is_gone_is_not_an_api_that_is_gone(api: responses.RequestsMock, client: ChatKitClient) -> None:
    api.get(THREADS, json=said("No thread found."), status=404)
    with pytest.raises(NotFound):
        client.list_threads(after="cthr_9")
    with pytest.raises(Retired):
        client.list_threads()
    api.replace(responses.GET, THREADS, body="<h1>Not found</h1>", status=404)
    with pytest.raises(Retired):
        client.list_threads(after="cthr_9")


def test_a_get_that_may_pass_is_sent_once_more(api: responses.RequestsMock, client: ChatKitClient) -> None:
    api.get(THREADS, status=503)
    api.get(THREADS, json=PAGE)
    assert client.list_threads().rows
    assert len(api.calls) == 2


@pytest.mark.parametrize("fault", [requests.ConnectionError("down"), requests.exceptions.ChunkedEncodingError("cut")])
def test_a_broken_connection_is_tried_once_more(
    api: responses.RequestsMock, client: ChatKitClient, fault: Exception
) -> None:
    api.get(THREADS, body=fault)
    with pytest.raises(Unavailable):
        client.list_threads()
    assert len(api.calls) == 2


@pytest.mark.parametrize("headers", [{"retry-after": "86400"}, {"x-should-retry": "false"}])
def test_a_get_that_is_told_to_stay_away_stays_away(
    api: responses.RequestsMock, client: ChatKitClient, headers: dict[str, str]
) -> None:
    api.get(THREADS, status=429, headers=headers)
    with pytest.raises(RateLimited) as caught:
        client.list_threads()
    assert len(api.calls) == 1
    assert caught.value.retry_after == (86400 if "retry-after" in headers else None)


def test_a_delete_is_never_repeated(api: responses.RequestsMock, client: ChatKitClient) -> None:
    api.delete(f"{THREADS}/cthr_1", status=503)
    with pytest.raises(Unavailable):
        client.delete_thread("cthr_1")
    assert len(api.calls) == 1


def test_a_deletion_may_be_refused_with_status_200(api: responses.RequestsMock, client: ChatKitClient) -> None:
    api.delete(f"{THREADS}/cthr_1", json={"id": "cthr_1", "deleted": False})
    assert not client.delete_thread("cthr_1").deleted


def test_a_body_over_the_cap_is_not_read_on(api: responses.RequestsMock, client: ChatKitClient) -> None:
    api.get(THREADS, body=b" " * 20_000)
    with pytest.raises(TooLarge, match="larger than"):
        client.list_threads()
    asked = [parse_qs(urlsplit(str(call.request.url)).query) for call in api.calls]
    # Smaller pages, and then the same from the other end of the list.
    assert [query["limit"][0] for query in asked] == "20 10 5 2 1 100 50 25 12 6 3 1".split()
    assert {query["order"][0] for query in asked[5:]} == {"asc"}


def test_a_limit_out_of_range_is_a_mistake_of_ours(client: ChatKitClient) -> None:
    for limit in (-1, 101):
        with pytest.raises(ValueError, match="limit"):
            client.list_threads(limit=limit)


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 401, "json": said(f"Incorrect API key provided: {KEY}.")},
        {"status": 500, "json": said(f"Bearer {KEY} sk-another-one")},
        {"body": requests.ConnectionError("down")},
        {"body": requests.ReadTimeout("late")},
        {"body": b"not json"},
    ],
)
def test_the_key_is_in_nothing_that_can_be_seen(
    api: responses.RequestsMock, client: ChatKitClient, caplog: pytest.LogCaptureFixture, fault: dict[str, Any]
) -> None:
    caplog.set_level(logging.DEBUG)
    api.get(THREADS, **fault)
    with pytest.raises(ChatKitError) as caught:
        client.list_threads(user="u")
    trace = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    seen = "".join(trace.format()) + caplog.text + repr(caught.value) + caught.value.detail + repr(client.__dict__)
    frames = [line for line in seen.splitlines() if "very-secret" in line and "fault" not in line]
    assert frames == []
    assert "sk-another" not in caught.value.detail
    assert caught.value.__cause__ is caught.value.__context__ is None


@pytest.mark.parametrize("sent", [f"Bearer {KEY}", KEY, "sk-other", "x" * 129, "<b>", "req 1"])
def test_what_is_no_request_id_is_not_shown_as_one(
    api: responses.RequestsMock, client: ChatKitClient, sent: str
) -> None:
    api.get(THREADS, status=400, headers={"x-request-id": sent})
    with pytest.raises(Refused) as caught:
        client.list_threads()
    assert caught.value.request_id is None


def test_cookies_are_not_kept(api: responses.RequestsMock, client: ChatKitClient) -> None:
    api.get(THREADS, json=PAGE, headers={"Set-Cookie": "a=b"})
    client.list_threads()
    client.list_threads()
    assert "Cookie" not in api.calls[1].request.headers


def test_a_success_is_not_asked_for_twice(api: responses.RequestsMock, client: ChatKitClient) -> None:
    api.get(THREADS, json=PAGE, headers={"x-should-retry": "true"})
    client.list_threads()
    assert len(api.calls) == 1


def test_a_timeout_is_named_as_one(api: responses.RequestsMock, client: ChatKitClient) -> None:
    api.get(THREADS, body=requests.ReadTimeout("late"))
    with pytest.raises(TimedOut):
        client.list_threads()


def test_a_long_message_is_shortened_and_says_so(api: responses.RequestsMock, client: ChatKitClient) -> None:
    api.get(THREADS, status=400, json=said("word " * 200))
    with pytest.raises(Refused, match=r"\(shortened\)"):
        client.list_threads()


def test_an_account_does_not_show_its_key() -> None:
    assert KEY not in repr(ApiConfig(KEY))


@given(
    said=st.text(max_size=60)
    | st.from_regex(r"\A\w{3}, \d{1,3} \w{3} \d{1,6} \d\d:\d\d:\d\d ([+-]\d{1,6}|GMT|\w*)\Z", fullmatch=True)
)
def test_whatever_stands_as_a_date_is_a_time_or_none(said: str) -> None:
    found = server_date(CaseInsensitiveDict({"date": said}))
    assert found is None or isinstance(found, float)


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Chatham", "America/Los_Angeles"])
def test_a_date_is_in_utc_wherever_this_machine_is(monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        for said in ("Mon, 21 Sep 2026 13:33:20 GMT", "Mon, 21 Sep 2026 13:33:20 -0000", "Mon, 21 Sep 2026 13:33:20"):
            assert server_date(CaseInsensitiveDict({"date": said})) == 1_789_997_600.0
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_trace_has_the_clock_of_the_last_reply(api: responses.RequestsMock, client: ChatKitClient) -> None:
    token = trace.set(Trace("request"))
    try:
        for said, date in (("Mon, 21 Sep 2026 13:33:20 GMT", 1_789_997_600.0), ("", None)):
            api.reset()
            api.get(THREADS, json=PAGE, headers={"Date": said} if said else {})
            client.list_threads()
            known = trace.get()
            assert known is not None
            assert known.clock is not None
            assert known.clock.date == date
            assert time.monotonic() - known.clock.arrived < 30
    finally:
        trace.reset(token)
