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

from threads.archive.models import ArchivedThread, current
from threads.audit.models import AuditEvent
from threads.audit.record import SYSTEM, Action, Actor, Outcome, acting, must, record
from threads.chatkit import ChatKitClient

from . import clock_check, journal
from .models import Erasure, Target

MOST = 50_000
"""Threads of one erasure; what is left is for the next."""

_KIND = Erasure.Kind.RETENTION.value
_TRIED = timedelta(hours=3)

UNASKED, UNASKED_PERCENT = 100, 5
"""Threads of one erasure, and per cent of all, above which an account that may erase has to confirm it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Threads of these statuses in which nobody has written since `before`, which was `days` ago."""

    days: int
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
    return Rule(settings.RETENTION_DAYS, tuple(settings.RETENTION_STATUS), before)


def is_wanted(of: dict[str, Any]) -> bool:
    """Whether the settings still name all that the rule of an erasure does: who has switched it off, or made it
    narrower, did not mean it to go on. The clocks of who ordered it and of who asks may differ by what they may differ
    from the upstream's, each in its own direction."""
    if not settings.RETENTION_DAYS:
        return False
    now = rule()
    before = now.before + timedelta(seconds=2 * clock_check.MOST)
    return set(of["statuses"]) <= set(now.statuses) and datetime.fromisoformat(of["before"]) <= before


def daily(client: ChatKitClient) -> Erasure | None:
    """Asks for what is past its time, once a day (UTC), whoever's clock strikes. None where that was done, or nothing
    is due. Raises as `begin` does."""
    today = f"retention {timezone.now():%Y-%m-%d}"
    if Erasure.objects.filter(token=today).exists():
        return None
    with acting(Actor(SYSTEM)):
        return begin(rule(), today, client)


def begin(wanted: Rule, token: str, client: ChatKitClient) -> Erasure | None:
    """Orders the erasure of what is due. None where nothing is, or another has just done so; the order that waits for
    somebody to confirm it, where there is one by the same rule. Raises `ClockError` where this machine's clock does not
    agree with the upstream's, the `ChatKitError` of an upstream that does not say, `JournalError` and
    `NotRecordedError`."""
    for waiting in _retentions().filter(awaits=True, ended_at=None):
        if _is_same(waiting.rule, wanted):
            return waiting
    due = list(wanted.due().values_list("thread_id", "user", "created_at")[:MOST])
    if not due:
        return None
    try:
        clock_check.ask(client)
        journal.check()
    except (clock_check.ClockError, journal.JournalError) as error:
        refusal = {"kind": _KIND, "reason": str(error)}
        record(Action.ERASURE, Outcome.REFUSED, detail=refusal, upstream_request_id="")
        raise
    why = why_confirmed(wanted, len(due))
    try:
        with transaction.atomic():
            job = Erasure.asked(
                kind=Erasure.Kind.RETENTION,
                token=token,
                rule={"days": wanted.days, "statuses": list(wanted.statuses), "before": wanted.before.isoformat()},
                listed_at=timezone.now(),
                total=len(due),
                awaits=bool(why),
                held=why,
            )
            Target.objects.bulk_create(_targets(job, due), batch_size=500)
            detail: dict[str, Any] = {"erasure": str(job.pk), "kind": job.kind, "threads": len(due), **job.rule}
            detail |= {"waits": why} if why else {}
            must(Action.ERASURE, Outcome.INTENT, detail=detail, upstream_request_id="")
    except IntegrityError:
        return None
    return job


def last_refusal() -> str:
    """Why the last try to order what is due came to nothing, a clause; "" where it did not, or nobody has tried for
    some hours."""
    tries = AuditEvent.objects.filter(action=Action.ERASURE, at__gte=timezone.now() - _TRIED, detail__kind=_KIND)
    last = tries.filter(Q(detail__has_key="reason") | Q(outcome=Outcome.INTENT)).order_by("-at", "-id").first()
    return str(last.detail.get("reason", "")) if last is not None else ""


def why_confirmed(wanted: Rule, count: int) -> str:
    """Why an order of `count` threads has to be confirmed first, a clause; "" where it goes on by itself."""
    last = _retentions().filter(awaits=False).first()
    if last is None:
        return "it is the first by a rule"
    if not _is_same(last.rule, wanted):
        return "RETENTION_DAYS or RETENTION_STATUS has been changed since the last one"
    if count > UNASKED:
        return f"it is of more than {UNASKED} threads"
    if count * 100 > UNASKED_PERCENT * current().count():
        return f"it is of more than {UNASKED_PERCENT} % of all threads"
    return ""


def confirm(job: Erasure, account: str) -> bool:
    """Lets an order go on that waits for it. False where it does not wait any more. Raises `NotRecordedError`."""
    with transaction.atomic():
        waiting = Erasure.objects.filter(pk=job.pk, awaits=True, ended_at=None)
        now = timezone.now()
        if not waiting.update(awaits=False, confirmed_by=account[:150], confirmed_at=now, held="", again_at=None):
            return False
        detail: dict[str, Any] = {
            "erasure": str(job.pk),
            "kind": job.kind,
            "threads": job.total,
            "confirmed_by": account,
        }
        must(Action.ERASURE, Outcome.INTENT, detail=detail, upstream_request_id="")
    return True


def _retentions() -> QuerySet[Erasure]:
    """The orders by retention, newest first."""
    return Erasure.objects.filter(kind=Erasure.Kind.RETENTION).order_by("-asked_at")


def _is_same(kept: dict[str, Any], wanted: Rule) -> bool:
    """Whether an order was by the same rule. One from before the days were kept is not known to be."""
    return kept.get("days") == wanted.days and set(kept["statuses"]) == set(wanted.statuses)


def _targets(job: Erasure, due: Iterable[tuple[str, str | None, datetime | None]]) -> Iterable[Target]:
    return (
        Target(erasure=job, thread_id=thread_id, customer=user or "", created_at=created_at)
        for thread_id, user, created_at in due
    )
