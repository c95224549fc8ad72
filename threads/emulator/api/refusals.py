"""Faults that answer instead of the API."""

from collections.abc import Callable, Mapping

from threads.emulator.faults import Fault
from threads.emulator.world.desk import as_bytes

from .keys import bearer, missing_scopes, wrong_key
from .replies import ApiError, Reply, Request, invalid_url

_GONE = (
    "The ChatKit threads endpoints have been retired and are no longer available. "
    "See https://platform.openai.com/docs/deprecations for alternatives."
)
_OVERLOADED = "The server is currently overloaded with other requests. Sorry about that! Please try again later."
_FAILED = "The server had an error while processing your request. Sorry about that!"
_PAGE = (
    b"<!DOCTYPE html><html><head><title>Sign in</title><script>alert(1)</script></head>"
    b"<body><h1>Sign in to the corporate network</h1></body></html>"
)
ELSEWHERE = "http://127.0.0.2:9/"


def _too_many(retry_after: str) -> Reply:
    message = "Rate limit reached for requests. Please slow down and try again later."
    reply = ApiError(429, message, code="rate_limit_exceeded", kind="requests").reply()
    reply.headers["retry-after"] = retry_after
    reply.headers["x-ratelimit-remaining-requests"] = "0"
    return reply


def _broken(status: int, message: str) -> Reply:
    return ApiError(status, message, kind="server_error").reply()


_REFUSALS: Mapping[Fault, Callable[[Request], Reply]] = {
    Fault.WRONG_KEY: lambda request: wrong_key(bearer(request)).reply(),
    Fault.MISSING_SCOPES: lambda _: missing_scopes().reply(),
    Fault.GONE_404: lambda request: invalid_url(request).reply(),
    Fault.GONE_410: lambda _: ApiError(410, _GONE, code="endpoint_retired").reply(),
    Fault.RATE_LIMIT_2: lambda _: _too_many("2"),
    Fault.RATE_LIMIT_ONCE: lambda _: _too_many("1"),
    Fault.RATE_LIMIT_86400: lambda _: _too_many("86400"),
    Fault.RATE_LIMIT_NAN: lambda _: _too_many("nan"),
    Fault.ERROR_500: lambda _: _broken(500, _FAILED),
    Fault.ERROR_503: lambda _: _broken(503, _OVERLOADED),
    Fault.FLAKY_ONCE: lambda _: _broken(503, _OVERLOADED),
    Fault.REFUSE: lambda _: Reply(503, wire=Fault.REFUSE),
    Fault.HTML_200: lambda _: Reply(200, {"content-type": "text/html; charset=utf-8"}, _PAGE),
    Fault.ERROR_200: lambda _: Reply(200, body=as_bytes(ApiError(500, _FAILED, kind="server_error").body)),
    Fault.REDIRECT: lambda _: Reply(302, {"location": ELSEWHERE}),
}


def refusal(fault: Fault, request: Request) -> Reply | None:
    """The answer of a fault that keeps the call from the API; None for any other fault."""
    answer = _REFUSALS.get(fault)
    return answer(request) if answer else None
