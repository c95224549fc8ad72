"""Keeps apart the databases of the API and of the emulator. Whoever forgets the key on a machine whose database holds
customers' threads must not open them to everybody who presses "Open the demo", nor have made-up threads among them."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError
from django.db import DatabaseError, connection

from .archive.models import ArchivedThread
from .models import Origin

_WITHOUT_KEY = (
    "This database holds the threads of the API, and OPENAI_API_KEY is not set. Set it; or, to see the demo, name "
    "another database with DATABASE_URL or DATA_DIR."
)
_WITH_KEY = (
    "This database holds the emulator's made-up threads, and OPENAI_API_KEY is set. Name another database with "
    "DATABASE_URL or DATA_DIR, so that they do not get among your customers'."
)


def claim() -> None:
    """Notes whose threads the database holds, where nobody has yet. Raises `ImproperlyConfigured` where it holds the
    other's, and `DatabaseError`."""
    noted = Origin.objects.first()
    if noted is None:
        if settings.EMULATOR and not _is_its_own() and ArchivedThread.objects.exists():
            raise ImproperlyConfigured(_WITHOUT_KEY)
        noted, _ = Origin.objects.get_or_create(pk=1, defaults={"emulator": settings.EMULATOR})
    if noted.emulator and not settings.EMULATOR and not ArchivedThread.objects.exists():
        # A demo that kept nothing, or a migration that ran without the key.
        Origin.objects.filter(pk=noted.pk).update(emulator=False)
    elif noted.emulator != settings.EMULATOR:
        raise ImproperlyConfigured(_WITHOUT_KEY if settings.EMULATOR else _WITH_KEY)


def claim_for_command() -> None:
    """The same for a command. Raises `CommandError`; a database that is not there, or not migrated, it finds itself."""
    try:
        claim()
    except ImproperlyConfigured as error:
        raise CommandError(str(error)) from None
    except DatabaseError:
        return


def _is_its_own() -> bool:
    """Whether this is the file that only the emulator is given."""
    return connection.vendor == "sqlite" and Path(str(connection.settings_dict["NAME"])).name == "emulator.sqlite3"
