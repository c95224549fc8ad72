"""The application `audit`, with a table of its own."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "threads.audit"
    label = "audit"
    default_auto_field = "django.db.models.BigAutoField"
