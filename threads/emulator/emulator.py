"""The emulator: one upstream, to be called in process or over a socket."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from urllib.parse import parse_qsl, urlencode

from .api.api import Api
from .api.paging import BeforeReading, HasMoreReading, Readings
from .api.parameters import DEFAULT_LIMIT
from .api.refusals import refusal
from .api.replies import OLD, Meter, Reply, Request, common_headers
from .api.spoilers import LEAST_TOO_MANY, spoil
from .faults import LOST, ONCE, Fault
from .world.conversation import Json
from .world.desk import Desk
from .world.showcase import scenes
from .world.world import World

_REMEMBERED_CALLS = 1000
_OTHER_SEED = 1_000_003
_OTHER_USERS = 10_000_000


def _asked_limit(request: Request) -> int:
    limit = request.parameters().get("limit", "")
    return int(limit) if limit.isdecimal() else DEFAULT_LIMIT


def _without_cursors(request: Request) -> Request:
    kept = [pair for pair in parse_qsl(request.query, keep_blank_values=True) if pair[0] not in ("after", "before")]
    return Request(request.method, request.path, urlencode(kept), request.headers)


class Emulator:
    """Answers as the ChatKit threads API does, from a world that `seed`, `threads` and `now` decide.

    `now` is Unix seconds, and the present when not given. `latency_ms` is how long the adapter and
    the server wait before they answer. `api_key` is the only right key; without it any key is,
    except that one which begins with `sk-wrong` is unknown and one with `sk-scopes` lacks scopes.
    `before` and `has_more` choose among the readings of what the documentation leaves open, and so
    does `gone_cursor_status`, 404 or 400: the answer to a cursor that is deleted, hidden or unknown.
    `ties` neighbours of the world's threads share one `created_at`, that of the oldest of them; with
    more than one, the list orders threads that share a `created_at` by id.
    `fault` makes every call fail in that way, and may be set and taken away (None) at any time.
    `showcase` gives four of the newest threads, the 2nd, 5th, 8th and 12th counted from the newest,
    conversations worth a look: every kind of item, the same in the documentation's spelling, 10,000
    items, and what a stranger may write. A world of fewer than 12 threads has none of them.
    `clock` gives what the `Date` of its replies says, in Unix seconds; it may be replaced at any time.
    `calls` holds (method, path, query) of the last thousand calls. Safe to share among threads.
    """

    def __init__(
        self,
        threads: int = 5000,
        seed: int = 7,
        now: float | None = None,
        latency_ms: float = 0,
        api_key: str | None = None,
        before: BeforeReading = BeforeReading.ADJACENT,
        has_more: HasMoreReading = HasMoreReading.DIRECTION,
        fault: Fault | None = None,
        showcase: bool = False,
        gone_cursor_status: int = 404,
        ties: int = 1,
    ) -> None:
        if gone_cursor_status not in (404, 400):
            raise ValueError(f"gone_cursor_status must be 404 or 400, not {gone_cursor_status}")
        if ties < 1:
            raise ValueError(f"ties must be at least 1, not {ties}")
        self._world = World(threads, seed, time.time() if now is None else now, ties)
        self._desk = Desk(self._world, scenes(self._world) if showcase else {})
        self._api_key = api_key
        self._readings = Readings(before, has_more, gone_cursor_status)
        self._api = Api(self._desk, api_key, self._readings)
        self._meter = Meter()
        self._lock = threading.Lock()
        self._spent = False
        self._fault = fault
        self.latency_ms = latency_ms
        self.clock: Callable[[], float] = time.time
        self.calls: deque[tuple[str, str, str]] = deque(maxlen=_REMEMBERED_CALLS)

    @property
    def fault(self) -> Fault | None:
        """How calls fail at present; None when they don't. Setting a fault that strikes once arms it anew."""
        return self._fault

    @fault.setter
    def fault(self, fault: Fault | None) -> None:
        with self._lock:
            self._fault, self._spent = fault, False

    def handle(self, method: str, path: str, query: str, headers: Mapping[str, str]) -> Reply:
        """Answers one call. `path` begins with `/v1`; it and `query` are percent-encoded."""
        started = time.perf_counter()
        self.calls.append((method, path, query))
        request = Request(method, path, query, {name.lower(): value for name, value in headers.items()})
        fault = self._strike()
        reply = self._answer(request, fault)
        now = self.clock() - (OLD if fault is Fault.OLD_DATE else 0)
        reply.headers = common_headers(self._meter, started, now) | reply.headers
        if fault is Fault.NO_DATE:
            del reply.headers["date"]
        return reply

    def _strike(self) -> Fault | None:
        """The fault for this call; one that strikes once is spent by it."""
        with self._lock:
            if self._fault not in ONCE:
                return self._fault
            spent, self._spent = self._spent, True
            return None if spent else self._fault

    def _answer(self, request: Request, fault: Fault | None) -> Reply:
        if fault in (None, Fault.OLD_DATE, Fault.NO_DATE):
            return self._api.handle(request)
        refused = refusal(fault, request)
        if refused:
            return refused
        if fault in LOST:
            return Api(self._desk, self._api_key, self._readings, fault).handle(request)
        if fault is Fault.OTHER_PROJECT:
            with self._lock:
                other = self._other_project
            return other.handle(request)
        if fault is Fault.TOO_MANY_ROWS:
            rows = max(10 * _asked_limit(request), LEAST_TOO_MANY)
            return spoil(fault, self._api.handle(request, rows))
        return spoil(fault, self._api.handle(_without_cursors(request) if fault is Fault.LOOP else request))

    @cached_property
    def _other_project(self) -> Api:
        """Another project of the same size; it shares no id and no user with this one."""
        own = self._world
        world = World(own.threads, own.seed + _OTHER_SEED, own.now, own.ties, _OTHER_USERS)
        return Api(Desk(world, {}), self._api_key, self._readings)

    # What happens upstream while somebody looks.

    def arrive(self, count: int = 1, user: str | None = None) -> list[str]:
        """`count` new threads begin, of `user` or of anybody; returns their ids, oldest first."""
        return self._desk.arrive(count, user)

    def delete(self, thread_id: str) -> None:
        """A thread is deleted behind the client's back. Raises KeyError when there is none such."""
        self._desk.delete(self._find(thread_id))

    def hide(self, thread_id: str) -> None:
        """A thread is not visible yet: no call finds it. Raises KeyError when there is none such.

        The methods of this class still take its id, except that `thread_ids` leaves it out.
        """
        self._desk.hide(self._find(thread_id))

    def reveal(self, thread_id: str) -> None:
        """A hidden thread becomes visible, at its place in the order. Raises KeyError when there is none such."""
        self._desk.reveal(self._find(thread_id))

    def set_created_at(self, thread_id: str, seconds: int) -> None:
        """A thread shows another `created_at`, in Unix seconds. Raises KeyError when there is none such.

        Its place in the order and its items stay.
        """
        self._desk.set_created_at(self._find(thread_id), seconds)

    def set_status(self, thread_id: str, type: str, reason: str | None = None) -> None:  # noqa: A002
        """A thread is locked, closed or active again. Raises KeyError when there is none such."""
        status = {"type": type} if type == "active" else {"type": type, "reason": reason}
        self._desk.set_status(self._find(thread_id), status)

    def set_title(self, thread_id: str, title: str | None) -> None:
        """A thread gets another title. Raises KeyError when there is none such."""
        self._desk.set_title(self._find(thread_id), title)

    def set_items(self, thread_id: str, items: Sequence[Json]) -> None:
        """A thread gets another conversation, oldest item first. Raises KeyError when there is none such.

        An item is `type` and what belongs to it, as the API shows it. `id`, `object`, `thread_id` and
        `created_at` are filled in where an item does not bring them.
        """
        if not self._desk.set_items(self._find(thread_id), items):
            raise KeyError(thread_id)

    def add_items(self, thread_id: str, items: Sequence[Json]) -> None:
        """Somebody writes on: items, as for `set_items`, follow those there are. Raises KeyError likewise."""
        if not self._desk.add_items(self._find(thread_id), items):
            raise KeyError(thread_id)

    def thread_ids(self, order: str = "desc", user: str | None = None) -> Iterator[str]:
        """The ids of all visible threads, or of those of `user`, in list order: what a client should find."""
        rows = self._desk.rows(user)
        for index in rows if order == "asc" else reversed(rows):
            if index not in self._desk.gone:
                yield self._desk.thread_id(index)

    def users(self) -> list[str]:
        """The users that the world began with."""
        return self._world.people.names()

    def _find(self, thread_id: str) -> int:
        index = self._desk.find_hidden(thread_id)
        if index is None:
            raise KeyError(thread_id)
        return index
