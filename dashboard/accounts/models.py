"""Two tables beside Django's accounts."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils import timezone


class DeskSession(AbstractBaseSession):
    """A session that knows whose it is, so that all of an account can be shown and ended."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    """None for a browser in which nobody is signed in."""
    seen_at = models.DateTimeField(default=timezone.now)
    """When somebody last did something in it, some minutes short: see `dashboard.signed_in`."""

    class Meta(AbstractBaseSession.Meta):
        default_permissions = ()

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        from dashboard.sessions import SessionStore  # noqa: PLC0415  # which needs this model

        return SessionStore


class Identity(models.Model):
    """An account that comes by single sign-on. The provider's own id for the person is what counts: names and e-mail
    addresses change, and can be given to somebody else."""

    account = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="identity")
    issuer = models.CharField(max_length=500)
    subject = models.CharField(max_length=255)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="accounts_one_of_a_subject")
        ]

    def __str__(self) -> str:
        return f"{self.subject} of {self.issuer}"
