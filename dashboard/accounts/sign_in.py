"""Sign-in by name and password, sign-out, and the demo sign-in."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model, login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.contrib.auth.views import LoginView, LogoutView, redirect_to_login
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from threads.archive import database_guard
from threads.roles import ROLES, MissingRightError, Right
from threads.web.error_page import problem_page
from threads.web.fetch_metadata import linkable

from .backends import BACKEND, DEMO_USER
from .throttle import TOO_MANY_ATTEMPTS


@method_decorator(require_http_methods(["GET", "HEAD", "POST"]), name="dispatch")
class SignIn(LoginView):
    """The sign-in page."""

    template_name = "sign_in.html"
    redirect_authenticated_user = True

    def get_redirect_url(self, _request: HttpRequest | None = None) -> str:
        """The address to return to; "" for the default, also instead of the sign-in page itself."""
        onward: str = super().get_redirect_url()
        return "" if urlsplit(onward).path.startswith(resolve_url(settings.LOGIN_URL)) else onward

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        passwords = settings.LOCAL_PASSWORDS
        return super().get_context_data(**kwargs) | {
            "no_accounts": passwords and not settings.EMULATOR and not get_user_model().objects.exists(),
            "passwords": passwords,
            "minutes": settings.SIGN_IN_WAIT,
            "too_many_attempts": TOO_MANY_ATTEMPTS,
            "provider": settings.OIDC_NAME if settings.OIDC_ISSUER else "",
        }


class SignOut(LogoutView):
    """Signs out and clears the browser's cache and storage."""

    @method_decorator(login_not_required)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response


@login_not_required
@require_POST
def demo(request: HttpRequest) -> HttpResponse:
    """Signs in to the demo account with all roles. 404 outside emulator mode."""
    if not settings.EMULATOR:
        raise Http404
    try:
        database_guard.claim()
    except ImproperlyConfigured as error:
        return problem_page(request, 403, "There is no demo here", str(error))
    account, _ = get_user_model().objects.get_or_create(username=DEMO_USER, defaults={"password": make_password(None)})
    account.groups.add(*Group.objects.filter(name__in=[role.name for role in ROLES]))
    login(request, account, backend=BACKEND)
    return HttpResponseRedirect(next_url(request, request.POST.get("next", "")))


def next_url(request: HttpRequest, url: str) -> str:
    """`url` if it is a page of this desk other than the sign-in page, else the default."""
    is_ours = url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())
    if not is_ours or urlsplit(url).path.startswith(resolve_url(settings.LOGIN_URL)):
        return resolve_url(settings.LOGIN_REDIRECT_URL)
    return url


@linkable
@login_not_required
def admin_sign_in(request: HttpRequest) -> HttpResponse:
    """Replaces the admin's sign-in page: redirects to the desk's, or answers 403 to an account that is signed in."""
    if request.user.is_authenticated:
        raise MissingRightError(Right.ADMINISTER)
    return redirect_to_login(request.GET.get("next", resolve_url("admin:index")))
