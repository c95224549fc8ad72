"""The app for the database backends: connects the receiver for new SQLite connections."""

from django.apps import AppConfig


class DatabasesConfig(AppConfig):
    """Loads `sqlite`, which connects its receiver."""

    name = "dashboard.databases"

    def ready(self) -> None:
        from . import sqlite  # noqa: F401, PLC0415  # connects its receiver
