"""What holds for every reply, and who may have one."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from threads.lib.db import give_back
from threads.lib.trace import Trace, trace

from . import views
from .monitoring.health import alive, ready
from .monitoring.metrics import figures

_UNUSUAL = re.compile(r"[^A-Za-z0-9._:/+=-]")
_LONGEST_ID = 64

GetResponse = Callable[[HttpRequest], HttpResponseBase]

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ]
)


_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def headers(get_response: GetResponse) -> GetResponse:
    """What every reply has, whoever of us answers; and on all but static files, that nobody keeps a copy. Django's own
    middleware sets most of these, but not where it is the one that refuses the request."""
    strict = f"max-age={settings.SECURE_HSTS_SECONDS}" if settings.SECURE_HSTS_SECONDS else ""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if strict and request.is_secure():
            response.headers.setdefault("Strict-Transport-Security", strict)
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
            patch_vary_headers(response, ["HX-Request", "Cookie"])
        return response

    return middleware


def bounded(get_response: GetResponse) -> GetResponse:
    """Refuses a request whose body is longer than any form of ours, before anybody reads it."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdecimal() and int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return views.too_long(request)
        return get_response(request)

    return middleware


def tracing(get_response: GetResponse) -> GetResponse:
    """Gives each request an id, which its log lines, its rows of the trail and its calls to the upstream carry, and the
    reply too. One that a client or a proxy brings is anybody's to choose: it stands beside ours in logs and reply."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        known, brought = uuid4().hex, _harmless(request.headers.get("X-Request-ID", ""))
        request.request_id = known  # type: ignore[attr-defined]  # for what Django logs when all this is over
        request.client_request_id = brought  # type: ignore[attr-defined]
        token = trace.set(Trace(known, client_id=brought))
        try:
            response = get_response(request)
        finally:
            trace.reset(token)
        response.headers["X-Request-ID"] = known
        if brought:
            response.headers["X-Client-Request-ID"] = brought
        return response

    return middleware


def _harmless(brought: str) -> str:
    """An id that somebody else chose, as a log can hold it."""
    kept = _UNUSUAL.sub("?", brought)
    return kept if len(kept) <= _LONGEST_ID else f"{kept[:_LONGEST_ID]}..."


_MACHINES = {"/healthz": alive, "/readyz": ready, "/metrics": figures}


def health(get_response: GetResponse) -> GetResponse:
    """Answers machines before much else does, by whatever name and scheme they ask, and without a sign-in."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        answer = _MACHINES.get(request.path_info)
        if answer is not None and request.method in {"GET", "HEAD"}:
            return answer(request)
        return get_response(request)

    return middleware


def remote_address(get_response: GetResponse) -> GetResponse:
    """Behind a proxy, REMOTE_ADDR becomes the address that the proxy saw: the last one in X-Forwarded-For, since
    what stands before it came with the request and can be anything."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        forwarded = request.headers.get("X-Forwarded-For", "")
        if settings.BEHIND_PROXY and forwarded:
            request.META["REMOTE_ADDR"] = forwarded.rsplit(",", 1)[-1].strip()
        return get_response(request)

    return middleware


class GiveBackConnection:
    """Before a view waits for the API, the connection that the sign-in was looked up with goes back to its pool: a
    thousand requests may be waiting, and ten connections are for those that ask the database."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_view(self, _request: HttpRequest, *_view: Any) -> None:
        give_back()
