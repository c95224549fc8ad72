"""Django's admin site, open to accounts that may administer."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url

from threads.roles import Right

from .sign_in import SignOut


class DeskAdminSite(admin.AdminSite):
    """Checks the right to administer instead of `is_staff`. Sign-out and password change are the desk's own views, so
    that each exists once."""

    site_header = "Threadkeeper: people and roles"
    site_title = "Threadkeeper"
    index_title = "People and roles"
    site_url = "/"

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        return HttpResponseRedirect(resolve_url("password"))

    def logout(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:  # type: ignore[override]
        return SignOut.as_view()(request)

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active) and request.user.has_perm(Right.ADMINISTER)
