"""An application of its own, so that its tables are named for it."""

from django.apps import AppConfig


class ExportsConfig(AppConfig):
    name = "threads.exports"
    label = "exports"
    default_auto_field = "django.db.models.BigAutoField"
