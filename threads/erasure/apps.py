"""The application `erasure`, with tables of its own."""

from django.apps import AppConfig


class ErasureConfig(AppConfig):
    name = "threads.erasure"
    label = "erasure"
    default_auto_field = "django.db.models.BigAutoField"
