"""Calls of an emulator in this process."""

import json
from typing import Any
from urllib.parse import quote, urlencode

from threads.emulator import Emulator, EmulatorReply

NOW = 1_790_000_000.0
THREADS = "/v1/chatkit/threads"
HEADERS = {"Authorization": "Bearer sk-test-0123456789abcdef", "OpenAI-Beta": "chatkit_beta=v1"}


def call(emulator: Emulator, tail: str = "", method: str = "GET", **parameters: Any) -> EmulatorReply:
    """One call; `tail` follows `/v1/chatkit/threads`."""
    return emulator.handle(method, THREADS + tail, urlencode(parameters), HEADERS)


def get(emulator: Emulator, tail: str = "", **parameters: Any) -> Any:
    """The JSON of a successful call."""
    reply = call(emulator, tail, **parameters)
    assert reply.status == 200, reply.body
    return json.loads(reply.body)


def error(reply: EmulatorReply) -> Any:
    """The error of a failed call."""
    return json.loads(reply.body)["error"]


def items_of(thread_id: str) -> str:
    """The tail of a call for a thread's items."""
    return f"/{quote(thread_id, safe='')}/items"


def ids(page: Any) -> list[str]:
    """The ids of a page's rows."""
    return [row["id"] for row in page["data"]]


def walk(emulator: Emulator, tail: str = "", **parameters: Any) -> list[str]:
    """The ids of all pages, forward by `after`."""
    found: list[str] = []
    page = get(emulator, tail, **parameters)
    while True:
        found += ids(page)
        if not page["has_more"]:
            return found
        page = get(emulator, tail, **(parameters | {"after": page["last_id"]}))


def thread_at(emulator: Emulator, place: int) -> str:
    """The id of the thread at this place, counted from the newest."""
    return list(emulator.thread_ids())[place]


def items_at(emulator: Emulator, place: int) -> list[Any]:
    """All items of that thread, oldest first."""
    tail = items_of(thread_at(emulator, place))
    page = get(emulator, tail, limit=100, order="asc")
    items: list[Any] = page["data"]
    while page["has_more"]:
        page = get(emulator, tail, limit=100, order="asc", after=page["last_id"])
        items += page["data"]
    return items
