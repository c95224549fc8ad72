"""An application of its own, so that its tables are named for it."""

from django.apps import AppConfig


class ErasureConfig(AppConfig):
    name = "threads.erasure"
    label = "erasure"
    default_auto_field = "django.db.models.BigAutoField"
