"""Saved views of the list; the desk's permissions; and the upstream that this database belongs to."""

from __future__ import annotations

import secrets
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

MAX_NAME = 80
"""Characters in the name of a view."""


class SavedView(models.Model):
    """A list of threads saved under a name. `query` is its first page as `ThreadQuery` encodes it."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    name = models.CharField(max_length=MAX_NAME)
    query = models.TextField(blank=True)
    shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["owner", "name"], name="threads_one_view_of_a_name")]

    def __str__(self) -> str:
        return self.name


class Right(models.Model):  # noqa: DJ008  # no rows
    """No table: declares the desk's permissions to Django. See `threads.roles`."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions: ClassVar = [
            ("read", "Can find and read threads"),
            ("export", "Can download threads"),
            ("erase", "Can erase threads permanently"),
            ("identify", "Can see user ids and e-mail addresses in full"),
            ("audit", "Can read the audit log"),
        ]


def new_salt() -> str:
    """A random salt for `Origin.salt`: 32 hexadecimal digits."""
    return secrets.token_hex(16)


class Origin(models.Model):
    """Whether this database holds threads of the API or of the emulator. One row. See
    `threads.archive.database_guard`."""

    emulator = models.BooleanField()
    salt = models.CharField(max_length=64, default=new_salt)
    """Salts the fingerprints of API keys in `KnownUpstream`."""

    def __str__(self) -> str:
        return "the emulator's" if self.emulator else "the API's"


class KnownUpstream(models.Model):
    """API settings that are verified to reach the project whose threads this database holds. Several rows, since keys
    are rotated. `fingerprint` is a salted hash of the key; a setting that is not set is ""."""

    base_url = models.CharField(max_length=500)
    organization = models.CharField(max_length=200, blank=True)
    project = models.CharField(max_length=200, blank=True)
    fingerprint = models.CharField(max_length=64)
    noted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["base_url", "organization", "project", "fingerprint"], name="threads_one_known_upstream"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.base_url}, {self.project or 'no project named'}"
