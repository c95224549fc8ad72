"""Who may have a reply: idle sessions, sign-in, the actor for the audit log, and rights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from threads.audit.record import Actor, acting
from threads.lib.trace import trace

from . import active_sessions

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def idleness(get_response: GetResponse) -> GetResponse:
    """Ends a session in which nobody has done anything for long."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        active_sessions.still(request)
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
