"""Django's admin, as the desk has it."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from threads.roles import Right


class DeskSite(admin.AdminSite):
    """For those who look after accounts, whether or not they are "staff" in Django's sense."""

    site_header = "Threadkeeper: accounts and roles"
    site_title = "Threadkeeper"
    index_title = "Accounts and roles"
    site_url = "/"

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active) and request.user.has_perm(Right.ADMINISTER)
