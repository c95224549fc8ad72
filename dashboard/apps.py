"""The admin, as the desk has it."""

from django.contrib.admin.apps import AdminConfig


class DeskAdmin(AdminConfig):
    default_site = "dashboard.accounts.admin_site.DeskSite"
