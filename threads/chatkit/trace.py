"""What a call belongs to: the request or the job for which it is made."""

from __future__ import annotations

from collections import deque
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(slots=True)
class Trace:
    """`id` stands in our logs, and goes to the upstream as `X-Client-Request-Id`, so that its support finds our call.
    `upstream` holds the ids that the upstream gave the last calls; `job` is the id of the job that makes them, "" where
    none does; `client_id` the one that whoever asks us brought, for the logs alone, "" where they brought none."""

    id: str
    upstream: deque[str] = field(default_factory=lambda: deque(maxlen=20))
    job: str = ""
    client_id: str = ""


trace: ContextVar[Trace | None] = ContextVar("trace", default=None)
