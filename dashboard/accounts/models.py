"""Tables beside Django's accounts."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils import timezone


class DeskSession(AbstractBaseSession):
    """A session that knows whose it is, so that all of an account can be shown and ended."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    """None for a browser in which nobody is signed in."""
    seen_at = models.DateTimeField(default=timezone.now)
    """When somebody last did something in it, some minutes short: see `dashboard.accounts.active_sessions`."""

    class Meta(AbstractBaseSession.Meta):
        default_permissions = ()

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        # For decoding alone. `.sessions.SessionStore` signs with the same salt, which is made of the class's name.
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


class RolesClaim(models.Model):
    """One row: what became of OIDC_ROLES_CLAIM at the last single sign-on. No value of any claim is kept."""

    at = models.DateTimeField()
    claim = models.TextField()
    problem = models.CharField(max_length=40, blank=True)
    """Why it gave no group; "" where it could be read."""
    names = models.JSONField(default=list)
    """The names of the claims that there were, where it could not be read."""

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.claim} {self.problem or 'is there'}"


class SignInLock(models.Model):
    """Attempts to sign in that are refused unseen, since too many before them failed. There is one while it lasts, and
    until the trail has how many they were."""

    ACCOUNT, ADDRESS = "account", "address"

    kind = models.CharField(max_length=10)
    """What had too many: ACCOUNT or ADDRESS."""
    what = models.CharField(max_length=150)
    """The account's name as it is counted, or the address."""
    account = models.CharField(max_length=150)
    """As the trail names it: that of the first attempt."""
    address = models.CharField(max_length=64, blank=True)
    """Where the first attempt came from."""
    began_at = models.DateTimeField()
    until = models.DateTimeField()
    refused = models.PositiveBigIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [models.UniqueConstraint(fields=["kind", "what"], name="accounts_one_lock_of_each")]

    def __str__(self) -> str:
        return f"{self.kind} {self.what} from {self.began_at:%Y-%m-%d %H:%M:%S}"
