"""One table, without a foreign key: an account that is deleted takes nothing of what it did with it."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn

from django.db import models
from django.utils import timezone


class AppendOnlyError(Exception):
    """Somebody tried to change the trail."""


class _Rows(models.QuerySet["AuditEvent"]):
    def update(self, **_values: Any) -> NoReturn:
        raise AppendOnlyError

    def delete(self) -> NoReturn:
        raise AppendOnlyError

    def bulk_update(self, *_arguments: Any, **_how: Any) -> NoReturn:
        raise AppendOnlyError


DENSE = ("who", "action", "outcome", "address")
SPARSE = ("thread", "customer", "request_id")
"""What the trail is filtered by. Where a row has none of the latter, their indexes leave it out."""


class AuditEvent(models.Model):
    """Something that somebody did, or tried. Text that is not known or does not apply is ""."""

    at = models.DateTimeField(default=timezone.now)
    action = models.CharField(max_length=40)
    """What was done: a value of `record.Action`."""
    outcome = models.CharField(max_length=20)
    """How it ended: a value of `record.Outcome`."""
    who = models.CharField(max_length=150, blank=True)
    """The account's name; "" where nobody was signed in. What no person asked for is done by `record.SYSTEM`."""
    who_id = models.CharField(max_length=40, blank=True)
    """The account's primary key."""
    address = models.CharField(max_length=64, blank=True)
    """The network address it was asked for from."""
    thread = models.CharField(max_length=550, blank=True)
    customer = models.CharField(max_length=550, blank=True)
    """The id of the end user that it was about, as the upstream knows them."""
    detail = models.JSONField(default=dict)
    """What else there is to say, by name: filters, counts, reasons, ids of jobs. Never the text of a message."""
    request_id = models.CharField(max_length=64, blank=True)
    """As in the logs."""
    upstream_request_id = models.CharField(max_length=128, blank=True)

    objects = _Rows.as_manager()

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [
            models.Index(fields=["at", "id"], name="audit_at"),
            *(models.Index(fields=[name, "at", "id"], name=f"audit_by_{name}") for name in DENSE),
            *(
                models.Index(fields=[name, "at", "id"], name=f"audit_by_{name}", condition=~models.Q(**{name: ""}))
                for name in SPARSE
            ),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.who} {self.action} {self.outcome}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise AppendOnlyError
