"""The archive as an application of its own, so that its tables are named for it."""

from django.apps import AppConfig


class ArchiveConfig(AppConfig):
    name = "threads.archive"
    label = "archive"
    default_auto_field = "django.db.models.BigAutoField"
