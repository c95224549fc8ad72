"""The application `exports`, with tables of its own."""

from django.apps import AppConfig


class ExportsConfig(AppConfig):
    name = "threads.exports"
    label = "exports"
    default_auto_field = "django.db.models.BigAutoField"
