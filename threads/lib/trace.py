"""Trace context: ids that connect log lines and upstream calls with the request or job that causes them."""

from __future__ import annotations

from collections import deque
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Clock:
    """The upstream's clock in one reply: its `Date` in Unix seconds, None where missing or invalid, and the value of
    `time.monotonic()` when the reply arrived."""

    date: float | None
    arrived: float


@dataclass(slots=True)
class Trace:
    """The trace of one request or job.

    - `id`: for the logs, and sent upstream as `X-Client-Request-Id`, by which its support finds a call.
    - `upstream`: the upstream's own ids of the last 20 calls.
    - `job`: id of the job, "" for none.
    - `client_id`: the request id that the client sent, for the logs alone, "" for none.
    - `clock`: the upstream's clock in the last reply.
    """

    id: str
    upstream: deque[str] = field(default_factory=lambda: deque(maxlen=20))
    job: str = ""
    client_id: str = ""
    clock: Clock | None = None


trace: ContextVar[Trace | None] = ContextVar("trace", default=None)
