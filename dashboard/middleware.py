"""What holds for every reply, and who may have one."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.core.exceptions import PermissionDenied
from django.db import connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect

from threads.audit.record import Actor, acting
from threads.lib.trace import Trace, trace

from . import views
from .accounts import active_sessions
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


def idleness(get_response: GetResponse) -> GetResponse:
    """Ends a session in which nobody has done anything for long."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        active_sessions.still(request)
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


class SignInRequired(LoginRequiredMiddleware):
    """Every view asks for a sign-in unless it says that it does not need one.

    htmx would follow a redirect and put the sign-in page in the middle of the table, so it is told to leave the page.
    """

    def handle_no_permission(  # type: ignore[override]
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponseBase:
        response: HttpResponseBase = super().handle_no_permission(request, view_func)
        if request.headers.get("HX-Request") != "true":
            return response
        if request.headers.get("HX-Target", "browse") == "browse":
            return HttpResponseClientRedirect(response.headers.get("Location", reverse(settings.LOGIN_URL)))
        # A part of a page is nowhere to come back to; the page that asked for it is.
        here = urlsplit(request.headers.get("HX-Current-URL", ""))
        onward = urlencode({"next": f"{here.path}?{here.query}" if here.query else here.path})
        return HttpResponseClientRedirect(f"{reverse(settings.LOGIN_URL)}?{onward}")


class Acting:
    """Says who acts, for the trail."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # By now somebody wants to know who asks, whatever they ask for: the lookup is remembered.
        name = request.user.get_username() if request.user.is_authenticated else ""
        known = trace.get()
        actor = Actor(name, str(request.user.pk or ""), request.META.get("REMOTE_ADDR", ""), known.id if known else "")
        with acting(actor):
            return self._get_response(request)


class Allowed:
    """Lets an account do what it has a right to. A view that says nothing of rights lets nobody in, but those that need
    no sign-in and the admin's, which ask for themselves."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], *_arguments: Any) -> None:
        if not getattr(view, "login_required", True):
            return
        if request.resolver_match is not None and request.resolver_match.app_names[:1] == ["admin"]:
            return
        rights = getattr(view, "rights", None)
        if rights is None or (rights and not any(request.user.has_perm(right) for right in rights)):
            raise PermissionDenied


def give_back() -> None:
    """Gives connections to the database back to their pool."""
    for connection in connections.all(initialized_only=True):
        if "pool" in connection.settings_dict["OPTIONS"] and not connection.in_atomic_block:
            connection.close()


class GiveBackConnection:
    """Before a view waits for the API, the connection that the sign-in was looked up with goes back to its pool: a
    thousand requests may be waiting, and ten connections are for those that ask the database."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_view(self, _request: HttpRequest, *_view: Any) -> None:
        give_back()
