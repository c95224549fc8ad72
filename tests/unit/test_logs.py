"""A line of the log: what it has, what it never has, and whose request or job it belongs to."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from typing import Any

import pytest
import requests
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from dashboard.middleware import assign_request_id
from dashboard.monitoring import logs
from tests.support.accounts import account
from tests.support.upstream import NOW, use_upstream
from threads.audit.record import Actor, acting_as
from threads.chatkit import ApiConfig, ChatKitClient
from threads.emulator import Emulator, EmulatorAdapter
from threads.lib.trace import Trace, trace


def record(message: str, *arguments: object, error: BaseException | None = None, **more: Any) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error is not None else None
    made = logging.LogRecord(more.pop("name", "desk"), logging.WARNING, __file__, 1, message, arguments, info)
    made.__dict__.update(more)
    return made


def raised(raise_it: Callable[[], object]) -> BaseException:
    try:
        raise_it()
    except Exception as error:  # noqa: BLE001  # whatever it is, it is looked at
        return error
    raise AssertionError("it raised nothing")


def told(made: logging.LogRecord) -> dict[str, Any]:
    """As JSON, in one line."""
    line = logs.JsonFormatter().format(made)
    assert "\n" not in line
    found: dict[str, Any] = json.loads(line)
    return found


def test_what_a_line_has() -> None:
    assert told(record("Copied %d threads", 3, created=NOW)) == {
        "time": "2026-09-21T14:13:20.000Z", "level": "WARNING", "logger": "desk", "message": "Copied 3 threads",
        "request_id": None,
    }  # fmt: skip
    assert logs.LineFormatter().format(record("Copied", created=NOW)) == "2026-09-21T14:13:20.000Z WARNING desk Copied"


def test_whose_it_is() -> None:
    with acting_as(Actor("ada", "1", request_id="request-1", job="job-1")):
        found = told(record("done"))
        assert (found["request_id"], found["job"]) == ("request-1", "job-1")
        assert logs.LineFormatter().format(record("done")).endswith("done [request_id=request-1 job=job-1]")
    assert "job" not in told(record("done"))


def test_a_job_that_no_request_asked_for_is_known_by_its_own_id() -> None:
    with acting_as(Actor("(Threadkeeper)", job="job-1")):
        assert told(record("done"))["request_id"] == "job-1"


def test_what_django_says_when_a_request_is_over_is_of_that_request(
    client: Client, caplog: pytest.LogCaptureFixture, db: None
) -> None:
    reply = client.get("/healthz/nothing/")
    assert reply.status_code == 404
    assert told(caplog.records[-1])["request_id"] == reply.headers["X-Request-ID"]


@pytest.mark.parametrize(
    ("brought", "kept"),
    [
        ("0af7651916cd43dd8448eb211c80319c", "0af7651916cd43dd8448eb211c80319c"),
        ("Root=1-67891233-abcdef012345678912345678", "Root=1-67891233-abcdef012345678912345678"),
        ("user 42 <x>\u202e", "user?42??x??"),
        ("x" * 65, "x" * 64 + "..."),
    ],
)
@pytest.mark.parametrize("behind", [False, True])
def test_an_id_that_a_client_brings_stands_beside_ours(
    client: Client, caplog: pytest.LogCaptureFixture, db: None, settings: Any, brought: str, kept: str, behind: bool
) -> None:
    settings.BEHIND_PROXY = behind
    reply = client.get("/healthz/nothing/", headers={"X-Request-ID": brought})
    ours = reply.headers["X-Request-ID"]
    assert re.fullmatch("[0-9a-f]{32}", ours)
    assert reply.headers["X-Client-Request-ID"] == kept
    found = told(caplog.records[-1])
    assert (found["request_id"], found["client_request_id"]) == (ours, kept)
    assert f"[request_id={ours} client_request_id={kept}]" in logs.LineFormatter().format(caplog.records[-1])


def test_within_a_view_it_stands_there_too(rf: RequestFactory) -> None:
    lines: list[dict[str, Any]] = []

    def view(request: HttpRequest) -> HttpResponse:
        lines.append(told(record("before it is known who asks")))
        with acting_as(Actor("ada", "1", request_id=request.request_id)):  # type: ignore[attr-defined]
            lines.append(told(record("afterwards")))
        with acting_as(Actor("(Threadkeeper)", job="another")):
            lines.append(told(record("of a job")))
        return HttpResponse()

    assign_request_id(view)(rf.get("/", headers={"X-Request-ID": "theirs-1"}))
    assert [each.get("client_request_id") for each in lines] == ["theirs-1", "theirs-1", None]


def test_an_error_is_told_with_where_and_from_what_it_came_in_one_line() -> None:
    typed = ["user_42", "no number: 'words of a customer'\nDETAIL: and more of them"]

    def chained() -> None:
        try:
            dict[str, str]()[typed[0]]
        except KeyError as error:
            raise ValueError(typed[1]) from error

    found = told(record("Internal Server Error", error=raised(chained)))
    assert "KeyError" in found["stack"]
    assert "builtins.ValueError: no number: '…'" in found["stack"]
    assert "in chained" in found["stack"]
    for each in ("user_42", "words of", "DETAIL"):
        assert each not in found["stack"]


def test_an_error_that_a_message_names_says_no_more() -> None:
    error = ValueError('duplicate key value violates unique constraint "one"\nDETAIL:  Key (name)=(user_42) exists')
    assert told(record("It failed: %s", error))["message"] == (
        'It failed: duplicate key value violates unique constraint "…"'
    )


def test_what_was_refused_on_purpose_is_one_line() -> None:
    def refuse() -> None:
        raise PermissionDenied

    made = record("Forbidden (Permission denied): %s", "/audit/", error=raised(refuse))
    assert "stack" not in told(made)
    assert "\n" not in logs.LineFormatter().format(made)


@pytest.mark.django_db
def test_so_it_is_where_django_says_it(caplog: pytest.LogCaptureFixture) -> None:
    client = Client()
    client.force_login(account("viewer", "Viewer"))
    assert client.get("/audit/").status_code == 403
    lines = [logs.LineFormatter().format(each) for each in caplog.records if each.name == "django.request"]
    assert len(lines) == 1
    assert "Forbidden (Permission denied): /audit/" in lines[0]
    assert "\n" not in lines[0]


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("Error handling request GET /threads/?user=u_1&q=x", "Error handling request GET /threads/?…"),
        ("Invalid request from ip=1.2.3.4: Invalid HTTP request line: 'GET /threads/?user=u 1'",
         "Invalid request from ip=1.2.3.4: Invalid HTTP request line"),
        ("Is that so? Yes", "Is that so? Yes"),
        ("one\r\ntwo \u202e\x1b[31m", "one\\r\\ntwo \\u202e\\x1b[31m"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["line", "json"])
def test_what_a_message_does_not_have(kind: str, message: str, line: str) -> None:
    made = record(message)
    assert line == (told(made)["message"] if kind == "json" else logs.LineFormatter().format(made).split(" desk ")[1])


def test_no_secret_comes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    monkeypatch.setenv("DATABASE_URL", "postgres://desk:p%40ssword@db/desk")

    said = "no sk-very-secret at p@ssword"

    def fail() -> None:
        raise OSError(said)

    line = logs.JsonFormatter().format(record("sk-very-secret %s", "p%40ssword", error=raised(fail)))
    assert not [each for each in ("very-secret", "p@ssword", "p%40ssword") if each in line]
    assert line.count("***") == 4


def test_the_servers_access_log_is_in_fields_too() -> None:
    atoms = {"h": "::1", "m": "GET", "U": "/threads/", "s": "200", "M": 3, "{x-request-id}o": "request-1"}
    assert "client_request_id" not in told(record("%(m)s", atoms, name="gunicorn.access", args=atoms))
    atoms["{x-client-request-id}o"] = "theirs-1"
    found = told(record("%(m)s %(U)s %(s)s", atoms, name="gunicorn.access", args=atoms))
    assert found["message"] == "GET /threads/ 200"
    assert (found["path"], found["status"], found["request_id"]) == ("/threads/", "200", "request-1")
    assert found["client_request_id"] == "theirs-1"


class Listening(EmulatorAdapter):
    """Keeps the ids that calls came with."""

    def __init__(self, emulator: Emulator) -> None:
        super().__init__(emulator)
        self.ids: list[str | None] = []

    def send(self, request: requests.PreparedRequest, *arguments: Any, **how: Any) -> requests.Response:
        self.ids.append(request.headers.get("X-Client-Request-Id"))
        return super().send(request, *arguments, **how)


@pytest.fixture
def listening(monkeypatch: pytest.MonkeyPatch) -> Listening:
    made = Listening(Emulator(threads=5, seed=7, now=NOW))
    use_upstream(monkeypatch, ChatKitClient(ApiConfig("sk-test"), adapter=made))
    return made


def test_the_id_of_a_request_goes_with_its_calls(agent: Client, listening: Listening) -> None:
    reply = agent.get("/threads/")
    assert listening.ids == [reply.headers["X-Request-ID"]]


def test_the_id_of_a_request_goes_with_the_calls_of_its_job(listening: Listening) -> None:
    from threads.exports.models import Export
    from threads.sources import upstream

    job = Export(account="ada", account_id="1", request_id="request-1")
    with acting_as(job.actor):
        upstream.client().list_threads()
        assert told(record("done"))["job"] == str(job.pk)
    assert listening.ids == ["request-1"]


def test_a_call_of_nobodys_has_no_id(listening: Listening) -> None:
    from threads.sources import upstream

    upstream.client().list_threads()
    token = trace.set(Trace(""))
    upstream.client().list_threads()
    trace.reset(token)
    assert listening.ids == [None, None]
