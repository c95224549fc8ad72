"""The desk as a Django application."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ThreadsConfig(AppConfig):
    """Creates the roles after each `migrate`."""

    name = "threads"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import roles  # noqa: PLC0415  # needs the models to be loaded

        post_migrate.connect(roles.create_roles, sender=roles.last_migrated_app(), dispatch_uid="roles")
