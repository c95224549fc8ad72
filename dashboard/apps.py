"""Django's admin with the desk's site: `accounts/admin_site.py`."""

from django.contrib.admin.apps import AdminConfig


class DeskAdminConfig(AdminConfig):
    """Installs `DeskAdminSite` as the admin's default site."""

    default_site = "dashboard.accounts.admin_site.DeskAdminSite"
