"""What the official client never sends, over plain HTTP."""

from collections.abc import Iterator

import httpx2
import pytest

from tests.contract.conftest import check_reply
from threads.emulator import EmulatorServer

GOOD = {"Authorization": "Bearer sk-anything", "OpenAI-Beta": "chatkit_beta=v1"}


@pytest.fixture
def http(server: EmulatorServer) -> Iterator[httpx2.Client]:
    """A plain client whose replies are held against the schemas."""
    hooks = {"response": [check_reply]}
    with httpx2.Client(base_url=server.base_url, headers=GOOD, trust_env=False, event_hooks=hooks) as client:
        yield client


@pytest.mark.parametrize(
    ("query", "status", "param"),
    [
        ("limit=101", 400, "limit"),
        ("limit=-1", 400, "limit"),
        ("limit=many", 400, "limit"),
        ("order=newest", 400, "order"),
        ("user=", 400, "user"),
        ("user=" + 513 * "u", 400, "user"),
        ("after=cthr_unknown", 404, "after"),
        ("before=cthr_unknown", 404, "before"),
    ],
)
def test_wrong_parameters(http: httpx2.Client, query: str, status: int, param: str) -> None:
    reply = http.get(f"chatkit/threads?{query}")
    assert reply.status_code == status
    assert reply.json()["error"]["param"] == param
    assert reply.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("header", "status", "message"),
    [
        ("authorization", 401, "You didn't provide an API key"),
        ("openai-beta", 400, "You must provide the 'OpenAI-Beta' header"),
    ],
)
def test_missing_headers(http: httpx2.Client, header: str, status: int, message: str) -> None:
    del http.headers[header]
    reply = http.get("chatkit/threads")
    assert reply.status_code == status
    assert reply.json()["error"]["message"].startswith(message)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "chatkit/nothing", 404),
        ("GET", "models", 404),
        ("POST", "chatkit/threads", 405),
        ("PUT", "chatkit/threads/cthr_x", 405),
    ],
)
def test_what_there_is_not(http: httpx2.Client, method: str, path: str, status: int) -> None:
    assert http.request(method, path).status_code == status


def test_an_id_is_opaque(http: httpx2.Client) -> None:
    for path in ("..%2F..", "a%2Fb", "%25", "%00", "%E2%80%AE", "x" * 3000):
        assert http.get(f"chatkit/threads/{path}").status_code == 404
