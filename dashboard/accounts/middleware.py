"""Middlewares for access: idle timeout, required sign-in, the actor for the audit log, and rights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from threads.audit.record import Actor, acting_as
from threads.lib.trace import trace
from threads.roles import MissingRightError

from . import active_sessions

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def expire_idle_session(get_response: GetResponse) -> GetResponse:
    """Ends idle sessions."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        active_sessions.expire_idle_session(request)
        return get_response(request)

    return middleware


class SignInRequired(LoginRequiredMiddleware):
    """Requires a sign-in for every view that is not marked `login_not_required`.

    htmx would follow a redirect and put the sign-in page into the table, so its requests get `HX-Redirect`.
    """

    def handle_no_permission(  # type: ignore[override]
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponseBase:
        response: HttpResponseBase = super().handle_no_permission(request, view_func)
        htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]  # set by HtmxMiddleware
        if not htmx:
            return response
        if htmx.target in {None, "browse"}:
            return HttpResponseClientRedirect(response.headers.get("Location", reverse(settings.LOGIN_URL)))
        # The address of a partial is no page to return to; the page that requested it is.
        here = urlsplit(htmx.current_url or "")
        onward = urlencode({"next": f"{here.path}?{here.query}" if here.query else here.path})
        return HttpResponseClientRedirect(f"{reverse(settings.LOGIN_URL)}?{onward}")


class AuditActor:
    """Sets the actor for the audit log: account, address and request id."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # No extra query: the middlewares before have loaded the account.
        name = request.user.get_username() if request.user.is_authenticated else ""
        current = trace.get()
        actor = Actor(
            name, str(request.user.pk or ""), request.META.get("REMOTE_ADDR", ""), current.id if current else ""
        )
        with acting_as(actor):
            return self._get_response(request)


class RightsRequired:
    """Checks the rights that a view declares with `threads.roles.needs`. A view without a declaration is refused,
    except views without sign-in and Django's admin, which checks for itself."""

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
            raise MissingRightError(*(rights or ()))
