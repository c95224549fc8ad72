"""The app for accounts: sessions, identities of single sign-on, sign-in locks."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Connects the signal receivers, and checks the settings of single sign-on."""

    name = "dashboard.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # They connect their receivers, which are called in this order: the audit event of a sign-in or of a changed
        # account comes first, and where it can't be written, no session is begun or ended.
        from . import lockouts, signals  # noqa: F401, PLC0415, I001
        from . import active_sessions, backends, sso, throttle  # noqa: F401, PLC0415

        sso.check()
