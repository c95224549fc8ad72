"""Signing in and out, and the pages for what goes wrong on our side."""

from __future__ import annotations

import sys
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model, login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.contrib.auth.views import LoginView, LogoutView, redirect_to_login
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from threads.archive import database_guard
from threads.roles import ROLES, Right, for_everybody, names
from threads.web.fetch_metadata import linked

from . import database_errors
from .accounts.sessions import ACCOUNTS, DEMO_USER

_FIRST = ((Right.READ, "threads"), (Right.AUDIT, "audit"), (Right.ADMINISTER, "admin:index"))
"""Where who has this right begins."""


@linked
@for_everybody
def home(request: HttpRequest) -> HttpResponse:
    """Leads to the first page that the account may see."""
    for right, name in _FIRST:
        if request.user.has_perm(right):
            return HttpResponseRedirect(resolve_url(name))
    raise PermissionDenied


@method_decorator(require_http_methods(["GET", "HEAD", "POST"]), name="dispatch")
class SignIn(LoginView):
    template_name = "sign_in.html"
    redirect_authenticated_user = True

    def get_redirect_url(self, _request: HttpRequest | None = None) -> str:
        """Where to go afterwards; "" for the default, also where that would be back here."""
        onward: str = super().get_redirect_url()
        return "" if urlsplit(onward).path.startswith(resolve_url(settings.LOGIN_URL)) else onward

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        passwords = settings.LOCAL_PASSWORDS
        return super().get_context_data(**kwargs) | {
            "no_accounts": passwords and not settings.EMULATOR and not get_user_model().objects.exists(),
            "passwords": passwords,
            "minutes": settings.SIGN_IN_WAIT,
            "provider": settings.OIDC_NAME if settings.OIDC_ISSUER else "",
        }


class SignOut(LogoutView):
    """Signs out and lets the browser drop what it still keeps of the pages seen."""

    @method_decorator(login_not_required)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response


@login_not_required
@require_POST
def demo(request: HttpRequest) -> HttpResponse:
    """One click into the emulator's made-up data. Outside emulator mode there is no such address."""
    if not settings.EMULATOR:
        raise Http404
    try:
        database_guard.claim()
    except ImproperlyConfigured as error:
        return problem(request, 403, "There is no demo here", str(error))
    account, _ = get_user_model().objects.get_or_create(username=DEMO_USER, defaults={"password": make_password(None)})
    account.groups.add(*Group.objects.filter(name__in=[role.name for role in ROLES]))
    login(request, account, backend=ACCOUNTS)
    return HttpResponseRedirect(onward(request, request.POST.get("next", "")))


def onward(request: HttpRequest, url: str) -> str:
    """Where to go after a sign-in: to `url` where that is a page of the desk, but for the one on which one signs in."""
    ours = url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())
    if not ours or urlsplit(url).path.startswith(resolve_url(settings.LOGIN_URL)):
        return resolve_url(settings.LOGIN_REDIRECT_URL)
    return url


@linked
@login_not_required
def admin_sign_in(request: HttpRequest) -> HttpResponse:
    """The admin sends here whom it does not let in: to sign in, or, who is signed in already, to be told."""
    if request.user.is_authenticated:
        return forbidden(request, PermissionDenied())
    return redirect_to_login(request.GET.get("next", resolve_url("admin:index")))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem(request, 400, "This request can't be answered", "Something in its address or its form is not valid.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    roles = names(request.user) if request.user.is_authenticated else []
    if not roles and not getattr(request.user, "is_superuser", False):
        text = "It has no role yet. Ask an administrator to give it one: what it may do depends on that."
        return problem(request, 403, "Your account can't do anything here", text, account=True)
    held = f"Your roles: {', '.join(roles)}. " if roles else ""
    return problem(
        request, 403, "This is not for your account", f"{held}Ask an administrator if you need it for your work."
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem(request, 404, "There is no such page", "The address may be mistyped or out of date.")


def server_error(request: HttpRequest) -> HttpResponse:
    words = database_errors.of(sys.exception())
    if words is not None:
        response = problem(request, 503, *words)
        response.headers["Retry-After"] = "5"
        return response
    return problem(
        request, 500, "Threadkeeper made a mistake", "It has been logged. Trying again may help; nothing was lost."
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return problem(
        request, 403, "This form is out of date", "Go back, reload the page and send it again. Cookies must be allowed."
    )


def too_long(request: HttpRequest) -> HttpResponse:
    return problem(request, 413, "This is too long", "No form of Threadkeeper is that long, and none takes a file.")


def busy(request: HttpRequest) -> HttpResponse:
    response = problem(
        request, 503, "Too many sign in at once", "Nothing was looked at. Try again in a moment.", again=True
    )
    response.headers["Retry-After"] = "10"
    return response


def problem(request: HttpRequest, status: int, title: str, text: str, **more: bool) -> HttpResponse:
    """A page that says what went wrong. `account=True` leads to the account's own page, from where one signs out;
    `again=True` to the sign-in."""
    return render(request, "problem.html", {"title": title, "text": text} | more, status=status)
