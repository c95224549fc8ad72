"""Audit events of sign-in lockouts: one when a lock begins, and one with the number of refused attempts when it has
ended, so that guessing can't fill the audit log.

No timer ends a lock: the next sign-in or attempt closes the expired ones. Each lock counts in its own database row,
which all processes share.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.db import transaction
from django.db.models import F, Q
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from threads.audit.record import Action, Actor, NotRecordedError, Outcome, acting_as, actor, record_or_raise

from . import throttle
from .models import SignInLock


def record_refused_attempt(request: HttpRequest, credentials: dict[str, Any], account: str) -> bool:
    """Counts a failed sign-in under its lock. Returns whether it did; if not, the caller records the attempt itself.
    `account` is the name for the audit log."""
    if not getattr(request, "axes_locked_out", False):
        _close_locks(_locks_of(request, credentials))
        return False
    _close_locks(Q())
    kind = throttle.lock_kind(request, credentials)
    what = (
        throttle.counted_name(request, credentials) if kind == SignInLock.ACCOUNT else throttle.client_address(request)
    )
    locks = SignInLock.objects.filter(kind=kind, what=what)
    if locks.update(refused=F("refused") + 1):
        return True
    now = timezone.now()
    lock = SignInLock(
        kind=kind, what=what, account=account, address=actor().address,
        began_at=now, until=now + timedelta(minutes=settings.SIGN_IN_WAIT),
    )  # fmt: skip
    with transaction.atomic():
        # Another process may have begun the lock at the same moment.
        if SignInLock.objects.bulk_create([lock], ignore_conflicts=True) and locks.filter(began_at=now).exists():
            detail = {"account": account, "reason": "locked", "locked": kind, "minutes": settings.SIGN_IN_WAIT}
            with suppress(NotRecordedError):
                record_or_raise(Action.SIGN_IN, Outcome.REFUSED, detail=detail)
            return True
    return bool(locks.update(refused=F("refused") + 1))


@receiver(user_logged_in)
def _close_on_sign_in(request: HttpRequest, user: User, **_signal: Any) -> None:
    # Single sign-on is not subject to locks.
    _close_locks(_locks_of(request, {"username": user.username}) if request.POST.get("username") else Q())


def _locks_of(request: HttpRequest, credentials: dict[str, Any]) -> Q:
    """The locks that apply to an attempt. If its password was checked, they have ended."""
    account = Q(kind=SignInLock.ACCOUNT, what=throttle.counted_name(request, credentials))
    return account | Q(kind=SignInLock.ADDRESS, what=throttle.client_address(request))


def _close_locks(ended: Q) -> None:
    """Records and deletes expired locks, and those that match `ended`. A lock whose event can't be recorded stays for
    the next time."""
    now = timezone.now()
    for lock in SignInLock.objects.filter(Q(until__lte=now) | ended):
        with suppress(NotRecordedError), acting_as(Actor(address=lock.address)), transaction.atomic():
            # A lock that another process counts in at this moment stays for the next time too.
            if SignInLock.objects.filter(pk=lock.pk, refused=lock.refused).delete()[0]:
                detail = {
                    "account": lock.account if lock.kind == SignInLock.ACCOUNT else "(any)",
                    "reason": "the lock has ended",
                    "locked": lock.kind,
                    "began": lock.began_at.isoformat(timespec="seconds"),
                    "ended": min(lock.until, now).isoformat(timespec="seconds"),
                    "attempts_refused": lock.refused,
                }
                record_or_raise(Action.SIGN_IN, Outcome.REFUSED, detail=detail)
