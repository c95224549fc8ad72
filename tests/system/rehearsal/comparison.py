"""Compares the archive's database with the emulator: every thread and item, field by field."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from tests.support.working import ask
from tests.system.rehearsal.checks import CheckFailedError, require
from threads.emulator import Emulator

Json = dict[str, Any]

_HEADERS = {"Authorization": "Bearer sk-test", "OpenAI-Beta": "chatkit_beta=v1"}
_SHOWN_IDS = 3


@dataclass(frozen=True, slots=True)
class Conversation:
    """A thread and its items, oldest first, in the form of the API."""

    thread: Json
    items: list[Json]


Conversations = Mapping[str, Conversation]
"""Conversations by thread id, oldest first."""


def emulator_conversations(emulator: Emulator) -> Conversations:
    """All conversations of the emulator, which must have no fault set."""
    return {
        thread["id"]: Conversation(thread, list(_pages(emulator, f"/v1/chatkit/threads/{quote(thread['id'])}/items")))
        for thread in _pages(emulator, "/v1/chatkit/threads")
    }


def _pages(emulator: Emulator, path: str) -> Iterator[Json]:
    after: dict[str, str] = {}
    while True:
        reply = emulator.handle("GET", path, urlencode({"order": "asc", "limit": "100"} | after), _HEADERS)
        require(reply.status == 200, f"The emulator answered {reply.status} for {path}.")
        page = json.loads(reply.body)
        yield from page["data"]
        if not page["has_more"]:
            return
        after = {"after": page["last_id"]}


def archived_conversations(data: Path) -> Conversations:
    """All conversations in the database in `data`."""
    threads = ask(data, "SELECT number, raw FROM archive_archivedthread ORDER BY number")
    items: dict[object, list[Json]] = {number: [] for number, _ in threads}
    for number, raw in ask(data, "SELECT thread_id, raw FROM archive_archiveditem ORDER BY thread_id, place"):
        items[number].append(json.loads(str(raw)))
    found = [Conversation(json.loads(str(raw)), items[number]) for number, raw in threads]
    return {conversation.thread["id"]: conversation for conversation in found}


def archive_checks(data: Path, expected: Conversations) -> Iterator[tuple[str, Callable[[], str]]]:
    """Yields the checks of the database in `data` as (name, check)."""
    yield "Threads in the database", lambda: _count(data, "archive_archivedthread", len(expected))
    yield "Items in the database", lambda: _count(data, "archive_archiveditem", items_of(expected))
    yield "Threads equal to OpenAI's, field by field", lambda: _threads_equal(data, expected)
    yield "Items equal to OpenAI's, field by field", lambda: _items_equal(data, expected)


def items_of(conversations: Conversations) -> int:
    return sum(len(each.items) for each in conversations.values())


def _count(data: Path, table: str, expected: int) -> str:
    ((found,),) = ask(data, f"SELECT count(*) FROM {table}")
    require(found == expected, f"{found:,} in place of {expected:,}")
    return f"{found:,} of {expected:,}"


def _threads_equal(data: Path, expected: Conversations) -> str:
    found = archived_conversations(data)
    different = [each for each in expected if each not in found or found[each].thread != expected[each].thread]
    _none_differs("threads", different, len(expected))
    require(list(found) == list(expected), "The threads are in another order, or there are more of them.")
    return f"{len(expected):,} compared, 0 differ"


def _items_equal(data: Path, expected: Conversations) -> str:
    found = archived_conversations(data)
    different = [each for each in expected if each not in found or found[each].items != expected[each].items]
    _none_differs("conversations", different, len(expected))
    return f"{items_of(expected):,} compared, 0 differ"


def _none_differs(what: str, different: list[str], among: int) -> None:
    if different:
        raise CheckFailedError(f"{len(different):,} of {among:,} {what} differ: {', '.join(different[:_SHOWN_IDS])}")
