"""The account page: roles, active sessions and password of the signed-in account."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, logout
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import password_validators_help_texts
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.urls import reverse_lazy
from django.views.decorators.http import require_POST, require_safe

from threads.lib import times
from threads.roles import ROLES, for_every_account, role_names
from threads.web.fetch_metadata import linkable
from threads.web.request import account, now_and_zone

from . import active_sessions
from .backends import DEMO_USER
from .throttle import TOO_MANY_ATTEMPTS


@linkable
@for_every_account
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Shows the account's roles, active sessions and password settings."""
    user, held = account(request), role_names(account(request))
    now, zone = now_and_zone(request)
    moments = [
        {
            "browser": each.browser,
            "address": each.address,
            "began": times.exact(each.began_at, zone),
            "seen": times.relative(each.seen_at, now),
            "here": each.here,
        }
        for each in active_sessions.list_sessions(user, request.session.session_key)
    ]
    context = {
        "roles": [role for role in ROLES if role.name in held],
        "everything": user.is_superuser,
        "shared": _is_shared(user),
        "sessions": moments,
        "may_change": _may_change_password(user),
        "provider": settings.OIDC_NAME if hasattr(user, "identity") else "",
        "hours": settings.SESSION_COOKIE_AGE // 3600,
        "idle": times.duration(settings.SESSION_IDLE * 60),
        "said": [str(each) for each in messages.get_messages(request)],
    }
    return render(request, "account.html", context)


@for_every_account
@require_POST
def sign_out_everywhere(request: HttpRequest) -> HttpResponse:
    """Ends all sessions of the account, the current one included."""
    user = account(request)
    if _is_shared(user):
        raise PermissionDenied
    active_sessions.end_sessions(user, "signed out everywhere", keep=request.session.session_key)
    logout(request)
    response = HttpResponseRedirect(resolve_url(settings.LOGOUT_REDIRECT_URL))
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


class _PasswordForm(PasswordChangeForm):
    """Checks the current password through the authentication backends, so that the rate limit of the sign-in page
    applies here too."""

    request: HttpRequest

    def clean_old_password(self) -> str:
        typed: str = self.cleaned_data["old_password"]
        if authenticate(self.request, username=self.user.get_username(), password=typed) is None:
            raise ValidationError(
                f"This is not your current password, {TOO_MANY_ATTEMPTS} {times.duration(settings.SIGN_IN_WAIT * 60)}.",
                code="password_incorrect",
            )
        return typed


class ChangePassword(PasswordChangeView):
    """Changes the password and ends all other sessions of the account."""

    template_name = "account_password.html"
    form_class = _PasswordForm
    success_url = reverse_lazy("account")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not _may_change_password(account(request)):
            raise PermissionDenied
        return cast(HttpResponse, super().dispatch(request, *args, **kwargs))

    def get_form(self, form_class: Any = None) -> _PasswordForm:
        form = cast(_PasswordForm, super().get_form(form_class))
        form.request = self.request
        return form

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"demands": password_validators_help_texts()}

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        messages.success(self.request, "Your password is changed. Your other sessions have ended.")
        return response


def _is_shared(user: User) -> bool:
    """Whether this is the demo account, which many people use at once: they must not see or end each other's
    sessions."""
    return user.get_username() == DEMO_USER


def _may_change_password(user: User) -> bool:
    return (
        settings.LOCAL_PASSWORDS
        and not _is_shared(user)
        and user.has_usable_password()
        and not hasattr(user, "identity")
    )
