"""The archive is a Django application with its own tables."""

from django.apps import AppConfig


class ArchiveConfig(AppConfig):
    name = "threads.archive"
    label = "archive"
    default_auto_field = "django.db.models.BigAutoField"
