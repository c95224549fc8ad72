"""Faults that reply in place of the API."""

from collections.abc import Callable, Mapping

from threads.emulator.faults import Fault
from threads.emulator.world.state import as_bytes

from .authentication import bearer, missing_scopes, wrong_key
from .replies import ApiError, EmulatorReply, Request, invalid_url

_RETIRED = (
    "The ChatKit threads endpoints have been retired and are no longer available. "
    "See https://platform.openai.com/docs/deprecations for alternatives."
)
_OVERLOADED = "The server is currently overloaded with other requests. Sorry about that! Please try again later."
_SERVER_ERROR = "The server had an error while processing your request. Sorry about that!"
_HTML_PAGE = (
    b"<!DOCTYPE html><html><head><title>Sign in</title><script>alert(1)</script></head>"
    b"<body><h1>Sign in to the corporate network</h1></body></html>"
)
_REDIRECT_TARGET = "http://127.0.0.2:9/"


def _rate_limited(retry_after: str) -> EmulatorReply:
    message = "Rate limit reached for requests. Please slow down and try again later."
    reply = ApiError(429, message, code="rate_limit_exceeded", kind="requests").reply()
    reply.headers["retry-after"] = retry_after
    reply.headers["x-ratelimit-remaining-requests"] = "0"
    return reply


def _server_error(status: int, message: str) -> EmulatorReply:
    return ApiError(status, message, kind="server_error").reply()


_REPLIES: Mapping[Fault, Callable[[Request], EmulatorReply]] = {
    Fault.WRONG_KEY: lambda request: wrong_key(bearer(request)).reply(),
    Fault.MISSING_SCOPES: lambda _: missing_scopes().reply(),
    Fault.GONE_404: lambda request: invalid_url(request).reply(),
    Fault.GONE_410: lambda _: ApiError(410, _RETIRED, code="endpoint_retired").reply(),
    Fault.RATE_LIMIT_2: lambda _: _rate_limited("2"),
    Fault.RATE_LIMIT_ONCE: lambda _: _rate_limited("1"),
    Fault.RATE_LIMIT_86400: lambda _: _rate_limited("86400"),
    Fault.RATE_LIMIT_NAN: lambda _: _rate_limited("nan"),
    Fault.ERROR_500: lambda _: _server_error(500, _SERVER_ERROR),
    Fault.ERROR_503: lambda _: _server_error(503, _OVERLOADED),
    Fault.FLAKY_ONCE: lambda _: _server_error(503, _OVERLOADED),
    Fault.REFUSE: lambda _: EmulatorReply(503, wire=Fault.REFUSE),
    Fault.HTML_200: lambda _: EmulatorReply(200, {"content-type": "text/html; charset=utf-8"}, _HTML_PAGE),
    Fault.ERROR_200: lambda _: EmulatorReply(
        200, body=as_bytes(ApiError(500, _SERVER_ERROR, kind="server_error").body)
    ),
    Fault.REDIRECT: lambda _: EmulatorReply(302, {"location": _REDIRECT_TARGET}),
}


def fault_reply(fault: Fault, request: Request) -> EmulatorReply | None:
    """The reply of a fault that replaces the API; None for any other fault."""
    make_reply = _REPLIES.get(fault)
    return make_reply(request) if make_reply else None
