"""The emulator: one upstream with its data, its faults and a log of its calls."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from urllib.parse import parse_qsl, urlencode

from .api.endpoints import ThreadsApi
from .api.fault_corruption import MIN_EXCESS_ROWS, corrupt
from .api.fault_replies import fault_reply
from .api.paging import BeforeReading, HasMoreReading, Readings
from .api.parameters import DEFAULT_LIMIT
from .api.replies import OLD_DATE_SECONDS, EmulatorReply, RateLimitHeaders, Request, common_headers
from .faults import DATA_LOSS_FAULTS, ONE_SHOT_FAULTS, Fault
from .world.conversation import Json
from .world.showcase import scenes
from .world.state import WorldState
from .world.world import World

_CALL_LOG_SIZE = 1000
_OTHER_PROJECT_SEED_OFFSET = 1_000_003
_OTHER_PROJECT_FIRST_USER = 10_000_000


def _requested_limit(request: Request) -> int:
    limit = request.parameters().get("limit", "")
    return int(limit) if limit.isdecimal() else DEFAULT_LIMIT


def _without_cursors(request: Request) -> Request:
    kept = [pair for pair in parse_qsl(request.query, keep_blank_values=True) if pair[0] not in ("after", "before")]
    return Request(request.method, request.path, urlencode(kept), request.headers)


class Emulator:
    """Emulates the ChatKit threads API over generated data: the same `seed`, `threads` and `now` give the same data.

    All methods are thread-safe.

    - `now`: Unix seconds; by default the current time.
    - `latency_ms`: how long the adapter and the server wait before each reply.
    - `api_key`: the only valid key. Without it every key is valid, except that keys with the prefix `sk-wrong`
      are unknown and keys with the prefix `sk-scopes` lack scopes.
    - `before`, `has_more`, `gone_cursor_status` (404 or 400, for a deleted, hidden or unknown cursor): behaviour
      that the documentation leaves open.
    - `ties`: the size of the groups of neighbouring threads that share the `created_at` of the oldest. From 2 on,
      the list orders threads with the same `created_at` by id.
    - `fault`: makes every call fail; can be set or removed (None) at any time.
    - `showcase`: the 2nd, 5th, 8th and 12th newest threads get special conversations: every kind of item, the same
      with the documentation's type names, 10,000 items, and hostile content. Needs 12 threads or more.
    - `clock`: returns the time for the `Date` header, in Unix seconds; can be replaced at any time.
    - `calls`: (method, path, query) of the last 1,000 calls.

    Raises ValueError for an invalid `gone_cursor_status` or `ties`.
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
        self._state = WorldState(self._world, scenes(self._world) if showcase else {})
        self._api_key = api_key
        self._readings = Readings(before, has_more, gone_cursor_status)
        self._api = ThreadsApi(self._state, api_key, self._readings)
        self._rate_limit = RateLimitHeaders()
        self._lock = threading.Lock()
        self._one_shot_used = False
        self._fault = fault
        self.latency_ms = latency_ms
        self.clock: Callable[[], float] = time.time
        self.calls: deque[tuple[str, str, str]] = deque(maxlen=_CALL_LOG_SIZE)

    @property
    def fault(self) -> Fault | None:
        """The active fault, or None. Setting a one-shot fault re-arms it."""
        return self._fault

    @fault.setter
    def fault(self, fault: Fault | None) -> None:
        with self._lock:
            self._fault, self._one_shot_used = fault, False

    def handle(self, method: str, path: str, query: str, headers: Mapping[str, str]) -> EmulatorReply:
        """Returns the reply to one call. `path` begins with `/v1`; it and `query` are percent-encoded."""
        started = time.perf_counter()
        self.calls.append((method, path, query))
        request = Request(method, path, query, {name.lower(): value for name, value in headers.items()})
        fault = self._fault_for_call()
        reply = self._answer(request, fault)
        now = self.clock() - (OLD_DATE_SECONDS if fault is Fault.OLD_DATE else 0)
        reply.headers = common_headers(self._rate_limit, started, now) | reply.headers
        if fault is Fault.NO_DATE:
            del reply.headers["date"]
        return reply

    def _fault_for_call(self) -> Fault | None:
        """The fault for this call. Uses up a one-shot fault."""
        with self._lock:
            if self._fault not in ONE_SHOT_FAULTS:
                return self._fault
            used, self._one_shot_used = self._one_shot_used, True
            return None if used else self._fault

    def _answer(self, request: Request, fault: Fault | None) -> EmulatorReply:
        if fault in (None, Fault.OLD_DATE, Fault.NO_DATE):
            return self._api.handle(request)
        replacement = fault_reply(fault, request)
        if replacement:
            return replacement
        if fault in DATA_LOSS_FAULTS:
            return ThreadsApi(self._state, self._api_key, self._readings, fault).handle(request)
        if fault is Fault.OTHER_PROJECT:
            with self._lock:
                other = self._other_project
            return other.handle(request)
        if fault is Fault.TOO_MANY_ROWS:
            rows = max(10 * _requested_limit(request), MIN_EXCESS_ROWS)
            return corrupt(fault, self._api.handle(request, rows))
        return corrupt(fault, self._api.handle(_without_cursors(request) if fault is Fault.LOOP else request))

    @cached_property
    def _other_project(self) -> ThreadsApi:
        """A second project of the same size that shares no thread id and no user with this one."""
        own = self._world
        world = World(own.threads, own.seed + _OTHER_PROJECT_SEED_OFFSET, own.now, own.ties, _OTHER_PROJECT_FIRST_USER)
        return ThreadsApi(WorldState(world, {}), self._api_key, self._readings)

    # Changes to the data while clients read it. Those that take a thread id raise KeyError for an unknown one.

    def arrive(self, count: int = 1, user: str | None = None) -> list[str]:
        """Adds `count` new threads, of `user` or of random users. Returns their ids, oldest first."""
        return self._state.arrive(count, user)

    def delete(self, thread_id: str) -> None:
        """Deletes a thread without an API call. Raises KeyError for an unknown id."""
        self._state.delete(self._find(thread_id))

    def hide(self, thread_id: str) -> None:
        """Hides a thread from all calls. Raises KeyError for an unknown id.

        The methods of this class still accept its id; `thread_ids` leaves it out.
        """
        self._state.hide(self._find(thread_id))

    def reveal(self, thread_id: str) -> None:
        """Shows a hidden thread again, at its place in the order. Raises KeyError for an unknown id."""
        self._state.reveal(self._find(thread_id))

    def set_created_at(self, thread_id: str, seconds: int) -> None:
        """Changes the `created_at` that a thread shows, in Unix seconds. Raises KeyError for an unknown id.

        Its place in the order and its items do not change.
        """
        self._state.set_created_at(self._find(thread_id), seconds)

    def set_status(self, thread_id: str, type: str, reason: str | None = None) -> None:  # noqa: A002
        """Sets a thread's status: active, locked or closed. Raises KeyError for an unknown id."""
        status = {"type": type} if type == "active" else {"type": type, "reason": reason}
        self._state.set_status(self._find(thread_id), status)

    def set_title(self, thread_id: str, title: str | None) -> None:
        """Sets a thread's title. Raises KeyError for an unknown id."""
        self._state.set_title(self._find(thread_id), title)

    def set_items(self, thread_id: str, items: Sequence[Json]) -> None:
        """Replaces a thread's items, oldest first. Raises KeyError for an unknown or deleted thread.

        Each item has `type` and the fields of that type, as in the API. Missing `id`, `object`, `thread_id` and
        `created_at` are filled in.
        """
        if not self._state.set_items(self._find(thread_id), items):
            raise KeyError(thread_id)

    def add_items(self, thread_id: str, items: Sequence[Json]) -> None:
        """Appends items, in the form that `set_items` takes. Raises KeyError for an unknown or deleted thread."""
        if not self._state.add_items(self._find(thread_id), items):
            raise KeyError(thread_id)

    def thread_ids(self, order: str = "desc", user: str | None = None) -> Iterator[str]:
        """Yields the ids of all visible threads, or of those of `user`, in list order: what a client should find."""
        rows = self._state.rows(user)
        for index in rows if order == "asc" else reversed(rows):
            if index not in self._state.invisible:
                yield self._state.thread_id(index)

    def users(self) -> list[str]:
        """The users of the initial threads."""
        return self._world.users.names()

    def _find(self, thread_id: str) -> int:
        index = self._state.find_hidden(thread_id)
        if index is None:
            raise KeyError(thread_id)
        return index
