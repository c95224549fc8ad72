"""The trail as an application of its own, so that its table is named for it."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "threads.audit"
    label = "audit"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from dashboard.accounts import signals  # noqa: F401, PLC0415  # models are there only now
