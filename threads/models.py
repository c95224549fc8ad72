"""What the agents themselves keep: views of the list that are worth coming back to."""

from __future__ import annotations

import secrets
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

MAX_NAME = 80
"""Characters in the name of a view."""


class SavedView(models.Model):
    """A list that somebody named. `query` is its address as `ThreadQuery` encodes it, from the first page on."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    name = models.CharField(max_length=MAX_NAME)
    query = models.TextField(blank=True)
    shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["owner", "name"], name="threads_one_view_of_a_name")]

    def __str__(self) -> str:
        return self.name


class Right(models.Model):  # noqa: DJ008  # there is never one
    """No table: what an account of the desk may do, for Django to know it as permissions. See `threads.roles`."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions: ClassVar = [
            ("read", "Can find and read threads"),
            ("export", "Can download threads"),
            ("erase", "Can delete threads for good"),
            ("identify", "Can see user ids and e-mail addresses in full"),
            ("audit", "Can read the audit trail"),
        ]


def new_salt() -> str:
    return secrets.token_hex(16)


class Origin(models.Model):
    """Whose threads this database holds: the API's or the emulator's. One row. See `threads.archive.database_guard`."""

    emulator = models.BooleanField()
    salt = models.CharField(max_length=64, default=new_salt)
    """For the fingerprints of API keys in `KnownUpstream`."""

    def __str__(self) -> str:
        return "the emulator's" if self.emulator else "the API's"


class KnownUpstream(models.Model):
    """Settings with which the API was shown to be the one whose threads this database holds. Several, since keys are
    rotated. `fingerprint` is a salted hash of the key. "" where a setting is not set."""

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
