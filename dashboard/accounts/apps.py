"""The app for accounts: sessions, identities of single sign-on, sign-in locks."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Connects the signal receivers, and checks the settings of single sign-on."""

    name = "dashboard.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import active_sessions, backends, lockouts, signals, sso, throttle  # noqa: F401, PLC0415  # they need the models and connect their signals

        sso.check()
