"""Loads what listens for new database connections."""

from django.apps import AppConfig


class DatabasesConfig(AppConfig):
    name = "dashboard.databases"

    def ready(self) -> None:
        from . import sqlite  # noqa: F401, PLC0415  # connects its receiver
