"""Retention: orders the erasure of threads by status and last activity. Off unless RETENTION_DAYS is set."""

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
from threads.audit.record import SYSTEM, Action, Actor, Outcome, acting_as, record, record_or_raise
from threads.chatkit import ChatKitClient

from . import clock_check, journal
from .models import Erasure, Target

MOST = 50_000
"""Threads of one erasure; the rest is for the next day's."""

_KIND = Erasure.Kind.RETENTION.value

_RECENT = timedelta(hours=3)
"""How old the refusal of an order may be to be reported."""

UNASKED, UNASKED_PERCENT = 100, 5
"""Threads of one erasure, and per cent of all threads, above which an account that may erase has to confirm it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Threads of these statuses without activity since `before`, which was `days` ago."""

    days: int
    statuses: tuple[str, ...]
    before: datetime

    def due(self) -> QuerySet[ArchivedThread]:
        """The archived threads that are due, oldest first. Where items are archived, a thread whose items were never
        read is not due: its last activity is unknown."""
        found = ArchivedThread.objects.filter(state__status__in=self.statuses, created_at__lt=self.before)
        found = found.filter(Q(last_activity_at=None) | Q(last_activity_at__lt=self.before))
        if settings.ARCHIVE == "full":
            found = found.filter(Q(read_at__isnull=False) | Q(deleted_upstream_at__isnull=False))
        return found.order_by("number")


def current_rule(now: datetime | None = None) -> Rule:
    """The rule of the settings. RETENTION_DAYS must be set."""
    before = (now or timezone.now()) - timedelta(days=settings.RETENTION_DAYS)
    return Rule(settings.RETENTION_DAYS, tuple(settings.RETENTION_STATUS), before)


def still_applies(rule: dict[str, Any]) -> bool:
    """Whether the settings still cover the rule of an erasure, which stops once retention is off or narrower. Allows
    for the clock of the process that ordered it and this one's to be off in opposite directions."""
    if not settings.RETENTION_DAYS:
        return False
    now = current_rule()
    before = now.before + timedelta(seconds=2 * clock_check.MAX_SECONDS)
    return set(rule["statuses"]) <= set(now.statuses) and datetime.fromisoformat(rule["before"]) <= before


def order_daily(client: ChatKitClient) -> Erasure | None:
    """Orders the erasure of due threads once a day (UTC), whichever worker comes first. None where that was done or
    nothing is due. Raises as `order`."""
    today = f"retention {timezone.now():%Y-%m-%d}"
    if Erasure.objects.filter(token=today).exists():
        return None
    with acting_as(Actor(SYSTEM)):
        return order(current_rule(), today, client)


def order(rule: Rule, token: str, client: ChatKitClient) -> Erasure | None:
    """Orders the erasure of due threads. Returns the order that waits for confirmation where there is one by the same
    rule; None where nothing is due, or another process has just ordered. Raises `ClockError` where this machine's clock
    does not agree with the upstream's, the `ChatKitError` of that call, `JournalError` and `NotRecordedError`."""
    for waiting in _retentions().filter(needs_confirmation=True, finished_at=None):
        if _is_same(waiting.rule, rule):
            return waiting
    due = list(rule.due().values_list("thread_id", "user", "created_at")[:MOST])
    if not due:
        return None
    try:
        clock_check.check_upstream(client)
        journal.check()
    except (clock_check.ClockError, journal.JournalError) as error:
        refusal = {"kind": _KIND, "reason": str(error)}
        record(Action.ERASURE, Outcome.REFUSED, detail=refusal, upstream_request_id="")
        raise
    reason = confirmation_reason(rule, len(due))
    values = {"days": rule.days, "statuses": list(rule.statuses), "before": rule.before.isoformat()}
    try:
        return Erasure.order(
            Erasure.Kind.RETENTION,
            token,
            _targets(due),
            detail=values | ({"waits": reason} if reason else {}),
            rule=values,
            listed_at=timezone.now(),
            total=len(due),
            needs_confirmation=bool(reason),
            held=reason,
        )
    except IntegrityError:
        return None


def last_refusal() -> str:
    """Why the last attempt to order was refused, a clause; "" where it was not, or is more than some hours ago."""
    tries = AuditEvent.objects.filter(action=Action.ERASURE, at__gte=timezone.now() - _RECENT, detail__kind=_KIND)
    last = tries.filter(Q(detail__has_key="reason") | Q(outcome=Outcome.INTENT)).order_by("-at", "-id").first()
    return str(last.detail.get("reason", "")) if last is not None else ""


def confirmation_reason(rule: Rule, count: int) -> str:
    """Why an order of `count` threads needs confirmation, a clause; "" where it needs none."""
    last = _retentions().filter(needs_confirmation=False).first()
    if last is None:
        return "it is the first by a rule"
    if not _is_same(last.rule, rule):
        return "RETENTION_DAYS or RETENTION_STATUS has been changed since the last one"
    if count > UNASKED:
        return f"it is of more than {UNASKED} threads"
    if count * 100 > UNASKED_PERCENT * current().count():
        return f"it is of more than {UNASKED_PERCENT} % of all threads"
    return ""


def confirm(job: Erasure, account: str) -> bool:
    """Confirms an order that waits for it. False where it no longer waits. Raises `NotRecordedError`."""
    with transaction.atomic():
        waiting = Erasure.objects.filter(pk=job.pk, needs_confirmation=True, finished_at=None)
        now = timezone.now()
        if not waiting.update(
            needs_confirmation=False, confirmed_by=account[:150], confirmed_at=now, held="", retry_at=None
        ):
            return False
        detail: dict[str, Any] = {
            "erasure": str(job.pk),
            "kind": job.kind,
            "threads": job.total,
            "confirmed_by": account,
        }
        record_or_raise(Action.ERASURE, Outcome.INTENT, detail=detail, upstream_request_id="")
    return True


def _retentions() -> QuerySet[Erasure]:
    """All orders by retention, newest first."""
    return Erasure.objects.filter(kind=Erasure.Kind.RETENTION).order_by("-requested_at")


def _is_same(stored: dict[str, Any], rule: Rule) -> bool:
    """Whether an order was by the same rule. Orders of older versions have no `days`."""
    return stored.get("days") == rule.days and set(stored["statuses"]) == set(rule.statuses)


def _targets(due: Iterable[tuple[str, str | None, datetime | None]]) -> Iterable[Target]:
    return (
        Target(thread_id=thread_id, user_id=user or "", created_at=created_at) for thread_id, user, created_at in due
    )
