"""What a call belongs to: the request or the job for which it is made."""

from __future__ import annotations

from collections import deque
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Clock:
    """The upstream's clock in one reply: `date` is its `Date` in Unix seconds, None where there was none that can be
    read, and `arrived` when the reply arrived, by `time.monotonic()`."""

    date: float | None
    arrived: float


@dataclass(slots=True)
class Trace:
    """`id` stands in our logs, and goes to the upstream as `X-Client-Request-Id`, so that its support finds our call.
    `upstream` holds the ids that the upstream gave the last calls; `job` is the id of the job that makes them, "" where
    none does; `client_id` the one that whoever asks us brought, for the logs alone, "" where they brought none. `clock`
    is of the last reply."""

    id: str
    upstream: deque[str] = field(default_factory=lambda: deque(maxlen=20))
    job: str = ""
    client_id: str = ""
    clock: Clock | None = None


trace: ContextVar[Trace | None] = ContextVar("trace", default=None)
