"""The desk's own application."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ThreadsConfig(AppConfig):
    name = "threads"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import roles  # noqa: PLC0415  # models are there only now

        post_migrate.connect(roles.make, sender=roles.last_application(), dispatch_uid="roles")
