"""An upstream that fails as scripted, call by call, and records the calls."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Collection, Mapping
from enum import Enum, auto

from tests.support.mirror import asking
from tests.support.upstream import NOW
from threads.chatkit import ChatKitClient
from threads.emulator import Emulator, EmulatorReply, Fault


class Turn(Enum):
    """The outcome of one call for one thread."""

    FINE = auto()
    LOST_AFTER = auto()
    """The call takes effect, and the reply is lost."""
    LOST_BEFORE = auto()
    """The call is lost before it takes effect."""
    NOT_DELETED = auto()
    """200, `deleted: false`."""
    TOO_MANY = auto()
    BROKEN = auto()
    BROKEN_AFTER = auto()
    """500 after the call took effect."""
    REFUSED = auto()
    KEY_REVOKED = auto()


_STATUS = {Turn.TOO_MANY: 429, Turn.BROKEN: 500, Turn.REFUSED: 400, Turn.KEY_REVOKED: 401}


class Scripted(Emulator):
    """`turns` are the outcomes of the next calls for single threads. Calls after the last, and of lists, succeed."""

    def __init__(self, threads: int = 45, *, turns: list[Turn] | None = None) -> None:
        super().__init__(threads=threads, seed=7, now=NOW)
        self.calls = deque()
        self.turns = deque(turns or [])
        self.always: dict[str, Turn] = {}
        """By thread id, the outcome of every call for it."""
        self.told: list[tuple[str, str, bool]] = []
        """Method, thread id, and whether the thread existed, for each call for a single thread."""

    def client(self) -> ChatKitClient:
        return asking(self)

    def handle(self, method: str, path: str, query: str, headers: Mapping[str, str]) -> EmulatorReply:
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
            return EmulatorReply(500, body=b'{"error":{"message":"after all"}}')
        return reply

    def blind(self, twice: Collection[str] = ()) -> list[str]:
        """Threads whose deletion was repeated without a GET that found them in between. Those in `twice` may be deleted
        twice."""
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

    def _refusal(self, turn: Turn, thread: str) -> EmulatorReply:
        if turn is Turn.LOST_BEFORE:
            return EmulatorReply(503, wire=Fault.REFUSE)
        if turn is Turn.NOT_DELETED:
            body = {"id": thread, "object": "chatkit.thread.deleted", "deleted": False}
            return EmulatorReply(200, body=json.dumps(body).encode())
        error = {"error": {"message": turn.name, "type": "x", "param": None, "code": None}}
        return EmulatorReply(_STATUS[turn], body=json.dumps(error).encode())
