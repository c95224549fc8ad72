"""Middlewares for every request: headers, request id, body limit, health endpoints, client address, database
connections."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from threads.lib.db import release_connections
from threads.lib.trace import Trace, trace

from . import views
from .monitoring.health import alive, ready
from .monitoring.metrics import metrics

_UNSAFE = re.compile(r"[^A-Za-z0-9._:/+=-]")
_MAX_ID_LENGTH = 64

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


def security_headers(get_response: GetResponse) -> GetResponse:
    """Sets the security headers on every response, and `no-store` on all but static files. Django's own middleware
    misses responses of the middlewares before it."""
    hsts = f"max-age={settings.SECURE_HSTS_SECONDS}" if settings.SECURE_HSTS_SECONDS else ""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if hsts and request.is_secure():
            response.headers.setdefault("Strict-Transport-Security", hsts)
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
            patch_vary_headers(response, ["HX-Request", "Cookie"])
        return response

    return middleware


def limit_body_size(get_response: GetResponse) -> GetResponse:
    """Answers 413 to a body longer than any form of the desk, before it is read."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdecimal() and int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return views.too_long(request)
        return get_response(request)

    return middleware


def assign_request_id(get_response: GetResponse) -> GetResponse:
    """Gives each request an id, for its log lines, audit events, upstream calls and response.

    A client's own X-Request-ID can be anything, so it is logged and returned beside it, sanitized.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        own_id, client_id = uuid4().hex, _sanitized(request.headers.get("X-Request-ID", ""))
        request.request_id = own_id  # type: ignore[attr-defined]  # for log records after the response
        request.client_request_id = client_id  # type: ignore[attr-defined]
        token = trace.set(Trace(own_id, client_id=client_id))
        try:
            response = get_response(request)
        finally:
            trace.reset(token)
        response.headers["X-Request-ID"] = own_id
        if client_id:
            response.headers["X-Client-Request-ID"] = client_id
        return response

    return middleware


def _sanitized(client_id: str) -> str:
    """A client's id, cut to a length and to characters that are safe in a log."""
    kept = _UNSAFE.sub("?", client_id)
    return kept if len(kept) <= _MAX_ID_LENGTH else f"{kept[:_MAX_ID_LENGTH]}..."


_ENDPOINTS = {"/healthz": alive, "/readyz": ready, "/metrics": metrics}


def health_endpoints(get_response: GetResponse) -> GetResponse:
    """Answers the health checks and /metrics, for any host name and scheme, without a sign-in."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        answer = _ENDPOINTS.get(request.path_info)
        if answer is not None and request.method in {"GET", "HEAD"}:
            return answer(request)
        return get_response(request)

    return middleware


def remote_address(get_response: GetResponse) -> GetResponse:
    """Behind a proxy, sets REMOTE_ADDR to the last address in X-Forwarded-For, which the proxy added. The client can
    forge the others."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        forwarded = request.headers.get("X-Forwarded-For", "")
        if settings.BEHIND_PROXY and forwarded:
            request.META["REMOTE_ADDR"] = forwarded.rsplit(",", 1)[-1].strip()
        return get_response(request)

    return middleware


class ReleaseConnection:
    """Returns the database connection to its pool before the view calls the API: a thousand requests may wait there,
    and the pool has ten connections."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_view(self, _request: HttpRequest, *_view: Any) -> None:
        release_connections()
