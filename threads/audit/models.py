"""The audit log: one table without foreign keys, so that the events of a deleted account stay."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn

from django.db import models
from django.utils import timezone


class AppendOnlyError(Exception):
    """Events of the audit log can't be changed or deleted."""


class _Rows(models.QuerySet["AuditEvent"]):
    def update(self, **_values: Any) -> NoReturn:
        raise AppendOnlyError

    def delete(self) -> NoReturn:
        raise AppendOnlyError

    def bulk_update(self, *_arguments: Any, **_how: Any) -> NoReturn:
        raise AppendOnlyError


DENSE = ("account", "action", "outcome", "address")
SPARSE = ("thread_id", "user_id", "request_id")
"""The filters. Indexes of the latter are partial: without the rows where they are empty."""

_INDEX_NAMES = {"account": "who", "thread_id": "thread", "user_id": "customer"}
"""How the names of the indexes of renamed columns end: as before."""


def _index_name(field: str) -> str:
    return f"audit_by_{_INDEX_NAMES.get(field, field)}"


class AuditEvent(models.Model):
    """Something that an actor did or tried. Texts are "" where unknown or not applicable."""

    at = models.DateTimeField(default=timezone.now)
    action = models.CharField(max_length=40)
    """A value of `record.Action`."""
    outcome = models.CharField(max_length=20)
    """A value of `record.Outcome`."""
    account = models.CharField(max_length=150, blank=True)
    """The account's name, "" where nobody was signed in, `record.SYSTEM` for scheduled tasks."""
    account_id = models.CharField(max_length=40, blank=True)
    """The account's primary key."""
    address = models.CharField(max_length=64, blank=True)
    """The network address of the request."""
    thread_id = models.CharField(max_length=550, blank=True)
    user_id = models.CharField(max_length=550, blank=True)
    """The id of the end user that it was about, as at the upstream."""
    detail = models.JSONField(default=dict)
    """More facts by name: filters, counts, reasons, ids of jobs. Never the text of a message."""
    request_id = models.CharField(max_length=64, blank=True)
    """As in the logs."""
    upstream_request_id = models.CharField(max_length=128, blank=True)

    objects = _Rows.as_manager()

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [
            models.Index(fields=["at", "id"], name="audit_at"),
            *(models.Index(fields=[name, "at", "id"], name=_index_name(name)) for name in DENSE),
            *(
                models.Index(fields=[name, "at", "id"], name=_index_name(name), condition=~models.Q(**{name: ""}))
                for name in SPARSE
            ),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.account} {self.action} {self.outcome}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise AppendOnlyError
