"""What the trail has of sign-ins that are refused unseen, since too many before them failed: one row when that begins,
and one with their number when it has ended. Who guesses on can't fill the trail.

Nothing waits for the end: whoever signs in next, or tries to, finds the locks that are over. Each is counted in its row
of the database, which all processes share and which survives them.
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

from threads.audit.record import Action, Actor, NotRecordedError, Outcome, acting, actor, must

from . import throttle
from .models import SignInLock


def is_recorded(request: HttpRequest, credentials: dict[str, Any], account: str) -> bool:
    """Whether an attempt that failed has its place in the trail by a lock: in the row that says that one begins, or in
    the number of those that it refused. `account` is its name for the trail."""
    if not getattr(request, "axes_locked_out", False):
        _end(_of(request, credentials))
        return False
    _end(Q())
    kind = throttle.locked(request, credentials)
    what = throttle.name(request, credentials) if kind == SignInLock.ACCOUNT else throttle.address(request)
    known = SignInLock.objects.filter(kind=kind, what=what)
    if known.update(refused=F("refused") + 1):
        return True
    now = timezone.now()
    lock = SignInLock(
        kind=kind, what=what, account=account, address=actor().address,
        began_at=now, until=now + timedelta(minutes=settings.SIGN_IN_WAIT),
    )  # fmt: skip
    with transaction.atomic():
        # Another process may have begun it just now.
        if SignInLock.objects.bulk_create([lock], ignore_conflicts=True) and known.filter(began_at=now).exists():
            detail = {"account": account, "reason": "locked", "locked": kind, "minutes": settings.SIGN_IN_WAIT}
            with suppress(NotRecordedError):
                must(Action.SIGN_IN, Outcome.REFUSED, detail=detail)
            return True
    return bool(known.update(refused=F("refused") + 1))


@receiver(user_logged_in)
def _signed_in(request: HttpRequest, user: User, **_signal: Any) -> None:
    # Single sign-on comes in past the locks.
    _end(_of(request, {"username": user.username}) if request.POST.get("username") else Q())


def _of(request: HttpRequest, credentials: dict[str, Any]) -> Q:
    """The locks of an attempt whose password was looked at: so they are over, whatever was expected."""
    account = Q(kind=SignInLock.ACCOUNT, what=throttle.name(request, credentials))
    return account | Q(kind=SignInLock.ADDRESS, what=throttle.address(request))


def _end(over: Q) -> None:
    """Records and removes the locks whose time is over, and those that `over` names. What can't be recorded stays for
    the next time."""
    now = timezone.now()
    for lock in SignInLock.objects.filter(Q(until__lte=now) | over):
        with suppress(NotRecordedError), acting(Actor(address=lock.address)), transaction.atomic():
            # Where another process counts at this moment, it is left for the next time too.
            if SignInLock.objects.filter(pk=lock.pk, refused=lock.refused).delete()[0]:
                detail = {
                    "account": lock.account if lock.kind == SignInLock.ACCOUNT else "(any)",
                    "reason": "the lock has ended",
                    "locked": lock.kind,
                    "began": lock.began_at.isoformat(timespec="seconds"),
                    "ended": min(lock.until, now).isoformat(timespec="seconds"),
                    "attempts_refused": lock.refused,
                }
                must(Action.SIGN_IN, Outcome.REFUSED, detail=detail)
