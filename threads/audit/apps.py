"""The trail as an application of its own, so that its table is named for it."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "threads.audit"
    label = "audit"
    default_auto_field = "django.db.models.BigAutoField"
