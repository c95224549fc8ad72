"""Models: sessions, identities of single sign-on, and sign-in locks."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils import timezone


class DeskSession(AbstractBaseSession):
    """A session with its account, so that an account's sessions can be listed and ended."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    """None for an anonymous session."""
    seen_at = models.DateTimeField(default=timezone.now)
    """Last user action, up to five minutes late: see `dashboard.accounts.active_sessions`."""

    class Meta(AbstractBaseSession.Meta):
        default_permissions = ()

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        # Only for decoding. `.sessions.SessionStore` signs with the same salt, which comes from the class name.
        return SessionStore


class Identity(models.Model):
    """Links an account to a provider's issuer and subject. Names and e-mail addresses don't identify: they change, and
    can be given to somebody else."""

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


class RolesClaim(models.Model):
    """One row: the result of reading OIDC_ROLES_CLAIM at the last single sign-on. Claim values are not stored."""

    at = models.DateTimeField()
    claim = models.TextField()
    problem = models.CharField(max_length=40, blank=True)
    """Why the claim gave no group; "" if it could be read."""
    names = models.JSONField(default=list)
    """Names of the claims received, if it could not be read."""

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.claim} {self.problem or 'is there'}"


class SignInLock(models.Model):
    """A lock on sign-ins after too many failures, by account or by address. Kept until its end is recorded in the
    audit log."""

    ACCOUNT, ADDRESS = "account", "address"

    kind = models.CharField(max_length=10)
    """What is locked: ACCOUNT or ADDRESS."""
    what = models.CharField(max_length=150)
    """The account's name as it is counted (`throttle.counted_name`), or the address."""
    account = models.CharField(max_length=150)
    """The account's name of the first attempt, as in the audit log."""
    address = models.CharField(max_length=64, blank=True)
    """The address of the first attempt."""
    began_at = models.DateTimeField()
    until = models.DateTimeField()
    refused = models.PositiveBigIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [models.UniqueConstraint(fields=["kind", "what"], name="accounts_one_lock_of_each")]

    def __str__(self) -> str:
        return f"{self.kind} {self.what} from {self.began_at:%Y-%m-%d %H:%M:%S}"
