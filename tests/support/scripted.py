"""An upstream that fails to order, call by call, and tells what it was asked and what it did."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Collection, Mapping
from enum import Enum, auto

from tests.support.mirror import asking
from tests.support.upstream import NOW
from threads.chatkit import ChatKitClient
from threads.emulator import Emulator, Fault, Reply


class Turn(Enum):
    """What becomes of one call for one thread."""

    FINE = auto()
    LOST_AFTER = auto()
    """It is done, and no answer comes."""
    LOST_BEFORE = auto()
    """No answer comes, and nothing was done."""
    NOT_DELETED = auto()
    """200, `deleted: false`."""
    TOO_MANY = auto()
    BROKEN = auto()
    BROKEN_AFTER = auto()
    """500 for what was done."""
    REFUSED = auto()
    KEY_REVOKED = auto()


_STATUS = {Turn.TOO_MANY: 429, Turn.BROKEN: 500, Turn.REFUSED: 400, Turn.KEY_REVOKED: 401}


class Scripted(Emulator):
    """`turns` are what the next calls for single threads meet; after the last, and for lists, all is fine."""

    def __init__(self, threads: int = 45, *, turns: list[Turn] | None = None) -> None:
        super().__init__(threads=threads, seed=7, now=NOW)
        self.calls = deque()
        self.turns = deque(turns or [])
        self.always: dict[str, Turn] = {}
        """What every call for a thread meets."""
        self.told: list[tuple[str, str, bool]] = []
        """Method, thread, and whether the thread was there, of each call for a single thread."""

    def client(self) -> ChatKitClient:
        return asking(self)

    def handle(self, method: str, path: str, query: str, headers: Mapping[str, str]) -> Reply:
        thread = path.removeprefix("/v1/chatkit/threads").strip("/")
        if not thread or thread.endswith("/items"):
            return super().handle(method, path, query, headers)
        turn = self.always.get(thread) or (self.turns.popleft() if self.turns else Turn.FINE)
        if turn is Turn.NOT_DELETED and method != "DELETE":
            turn = Turn.FINE
        self.told.append((method, thread, self._state.find(thread) is not None))
        if turn in {Turn.LOST_BEFORE, Turn.NOT_DELETED, *_STATUS}:
            self.calls.append((method, path, query))
            return self._refusal(turn, thread)
        reply = super().handle(method, path, query, headers)
        if turn is Turn.LOST_AFTER:
            reply.wire = Fault.REFUSE
        elif turn is Turn.BROKEN_AFTER:
            return Reply(500, body=b'{"error":{"message":"after all"}}')
        return reply

    def blind(self, twice: Collection[str] = ()) -> list[str]:
        """Threads that were asked to be deleted a second time (those that were ordered `twice`: a third time) without
        having been looked for, and found, between."""
        asked: dict[str, int] = {}
        found = []
        for method, thread, there in self.told:
            if method == "GET" and there:
                asked[thread] = 0
            elif method == "DELETE":
                asked[thread] = asked.get(thread, 0) + 1
                if asked[thread] > 1 + (thread in twice):
                    found.append(thread)
        return found

    def _refusal(self, turn: Turn, thread: str) -> Reply:
        if turn is Turn.LOST_BEFORE:
            return Reply(503, wire=Fault.REFUSE)
        if turn is Turn.NOT_DELETED:
            body = {"id": thread, "object": "chatkit.thread.deleted", "deleted": False}
            return Reply(200, body=json.dumps(body).encode())
        error = {"error": {"message": turn.name, "type": "x", "param": None, "code": None}}
        return Reply(_STATUS[turn], body=json.dumps(error).encode())
