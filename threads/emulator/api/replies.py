"""Requests, replies, common headers and the API's error bodies."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from secrets import token_hex
from urllib.parse import parse_qsl

from threads.emulator.faults import Fault
from threads.emulator.world.state import as_bytes


@dataclass(frozen=True, slots=True)
class Request:
    """One call. `path` and `query` are still percent-encoded; header names are lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]

    def parameters(self) -> dict[str, str]:
        """The query parameters. Of duplicates, the last one counts."""
        return dict(parse_qsl(self.query, keep_blank_values=True))


@dataclass(slots=True)
class EmulatorReply:
    """One reply. `wire` is the connection fault, if any, that the adapter or the server acts out."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    wire: Fault | None = None

    @property
    def phrase(self) -> str:
        """The reason phrase of the status."""
        return HTTPStatus(self.status).phrase


class ApiError(Exception):
    """Ends a call with an error reply."""

    def __init__(
        self,
        status: int,
        message: str,
        param: str | None = None,
        code: str | None = None,
        kind: str = "invalid_request_error",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"message": message, "type": kind, "param": param, "code": code}}

    def reply(self) -> EmulatorReply:
        """The error as a reply."""
        return EmulatorReply(self.status, body=as_bytes(self.body))


def invalid_url(request: Request) -> ApiError:
    """The error for an unknown path."""
    return ApiError(404, f"Invalid URL ({request.method} {request.path})")


class RateLimitHeaders:
    """The rate-limit headers. It counts requests but refuses none: faults do that."""

    LIMIT = 5000
    """Requests per window."""
    WINDOW_SECONDS = 360

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._used = 0

    def headers(self) -> dict[str, str]:
        """Counts one request and returns its headers."""
        passed = time.monotonic() - self._started
        if passed >= self.WINDOW_SECONDS:
            self._started, self._used, passed = time.monotonic(), 0, 0.0
        self._used += 1
        minutes, seconds = divmod(round(self.WINDOW_SECONDS - passed), 60)
        return {
            "x-ratelimit-limit-requests": str(self.LIMIT),
            "x-ratelimit-remaining-requests": str(max(self.LIMIT - self._used, 0)),
            "x-ratelimit-reset-requests": f"{minutes}m{seconds}s" if minutes else f"{seconds}s",
        }


OLD_DATE_SECONDS = 2 * 365 * 86_400
"""How far `Fault.OLD_DATE` is in the past."""


def common_headers(rate_limit: RateLimitHeaders, started: float, now: float) -> dict[str, str]:
    """The headers of every reply. `started` is the call's `time.perf_counter()`; `now` is Unix seconds, for `Date`."""
    return {
        "content-type": "application/json",
        "date": formatdate(now, usegmt=True),
        "x-request-id": "req_" + token_hex(16),
        "openai-processing-ms": str(max(1, round((time.perf_counter() - started) * 1000))),
        "openai-version": "2020-10-01",
        **rate_limit.headers(),
    }
