"""Threads past their time: by status, and by how long nobody has written in them. Off unless RETENTION_DAYS is set."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from threads.archive.models import ArchivedThread
from threads.audit.record import SYSTEM, Action, Actor, Outcome, acting, must

from .models import Erasure, Target

MOST = 50_000
"""Threads of one erasure; what is left is for the next."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Threads of these statuses in which nobody has written since `before`."""

    statuses: tuple[str, ...]
    before: datetime

    def due(self) -> QuerySet[ArchivedThread]:
        """What is past its time by what the archive knows, oldest first. A thread whose items were never read is one
        of which nobody knows when somebody last wrote in it, unless no items are kept at all."""
        found = ArchivedThread.objects.filter(state__status__in=self.statuses, created_at__lt=self.before)
        found = found.filter(Q(last_activity_at=None) | Q(last_activity_at__lt=self.before))
        if settings.ARCHIVE == "full":
            found = found.filter(Q(read_at__isnull=False) | Q(gone_at__isnull=False))
        return found.order_by("number")


def rule(now: datetime | None = None) -> Rule:
    """The one that the settings name; RETENTION_DAYS is set."""
    before = (now or timezone.now()) - timedelta(days=settings.RETENTION_DAYS)
    return Rule(tuple(settings.RETENTION_STATUS), before)


def is_wanted(of: dict[str, Any]) -> bool:
    """Whether the settings still name all that the rule of an erasure does: who has switched it off, or made it
    narrower, did not mean it to go on."""
    if not settings.RETENTION_DAYS:
        return False
    now = rule()
    return set(of["statuses"]) <= set(now.statuses) and datetime.fromisoformat(of["before"]) <= now.before


def daily() -> Erasure | None:
    """Asks for what is past its time, once a day (UTC), whoever's clock strikes. None where that was done, or nothing
    is due. Raises `NotRecordedError`."""
    today = f"retention {timezone.now():%Y-%m-%d}"
    if Erasure.objects.filter(token=today).exists():
        return None
    with acting(Actor(SYSTEM)):
        return begin(rule(), today)


def begin(wanted: Rule, token: str) -> Erasure | None:
    """Orders the erasure of what is due. None where nothing is, or another has just done so. Raises
    `NotRecordedError`."""
    due = list(wanted.due().values_list("thread_id", "user", "created_at")[:MOST])
    if not due:
        return None
    try:
        with transaction.atomic():
            job = Erasure.asked(
                kind=Erasure.Kind.RETENTION,
                token=token,
                rule={"statuses": list(wanted.statuses), "before": wanted.before.isoformat()},
                listed_at=timezone.now(),
                total=len(due),
            )
            Target.objects.bulk_create(_targets(job, due), batch_size=500)
            detail = {"erasure": str(job.pk), "kind": job.kind, "threads": len(due), **job.rule}
            must(Action.ERASURE, Outcome.INTENT, detail=detail, upstream_request_id="")
    except IntegrityError:
        return None
    return job


def _targets(job: Erasure, due: Iterable[tuple[str, str | None, datetime | None]]) -> Iterable[Target]:
    return (
        Target(erasure=job, thread_id=thread_id, customer=user or "", created_at=created_at)
        for thread_id, user, created_at in due
    )
