"""The official client against the emulator, every reply held against the published schemas."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import openai
import pytest
from jsonschema import Draft202012Validator
from openai.resources.beta.chatkit.threads import Threads

from tests.contract import schemas
from threads.emulator import Emulator, EmulatorServer

MakeThreads = Callable[..., Threads]

_THREAD = r"/v1/chatkit/threads/[^/]+"
_SCHEMAS: tuple[tuple[str, str, schemas.Schema], ...] = (
    ("GET", r"/v1/chatkit/threads", schemas.THREAD_PAGE),
    ("GET", _THREAD, schemas.THREAD),
    ("DELETE", _THREAD, schemas.DELETED),
    ("GET", _THREAD + "/items", schemas.ITEM_PAGE),
)
_VALIDATORS = [(method, path, Draft202012Validator(schema)) for method, path, schema in _SCHEMAS]
_ERROR = Draft202012Validator(schemas.ERROR)


def validator_for(method: str, path: str, status: int) -> Draft202012Validator:
    """What a reply to this call must look like."""
    if status != 200:
        return _ERROR
    return next(one for known, pattern, one in _VALIDATORS if known == method and re.fullmatch(pattern, path))


def check_reply(response: httpx2.Response) -> None:
    """Holds a reply against the schemas."""
    response.read()
    path = response.request.url.raw_path.decode().partition("?")[0]
    validator_for(response.request.method, path, response.status_code).validate(response.json())
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-request-id"].startswith("req_")


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(threads=430, now=1_790_000_000)


@pytest.fixture
def server(emulator: Emulator) -> Iterator[EmulatorServer]:
    with EmulatorServer(emulator) as server:
        yield server


@pytest.fixture
def make_threads(server: EmulatorServer) -> Iterator[MakeThreads]:
    """Makes the official client's `threads`; it never retries unless told to."""
    clients: list[openai.OpenAI] = []

    def make(**given: Any) -> Threads:
        http = openai.DefaultHttpxClient(trust_env=False, event_hooks={"response": [check_reply]})
        options: dict[str, Any] = {"api_key": "sk-anything", "max_retries": 0, "timeout": 10} | given
        clients.append(openai.OpenAI(base_url=server.base_url, http_client=http, **options))
        return clients[-1].beta.chatkit.threads

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def threads(make_threads: MakeThreads) -> Threads:
    """The official client's `threads`."""
    return make_threads()
