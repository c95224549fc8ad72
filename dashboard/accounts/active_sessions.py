"""Where an account is signed in: how long that lasts, and ending it everywhere."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.db import DatabaseError
from django.db.models import Q
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from threads.audit.record import Action, record

from . import sessions
from .models import DeskSession

_SIGNED_IN = "signed_in"
"""In a session: when and from where it was begun."""

_NOTED = 300
"""Seconds after which it is noted again that somebody is there: a write for each page would be dear."""

_FILLED_BY_HAND = {"browse", "more"}
"""What a person makes htmx fill. All else a page may ask for by itself, which keeps nobody signed in."""

_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (("iPhone|iPad", "iOS"), ("Android",) * 2, ("Windows",) * 2, ("Mac OS X", "macOS"), ("Linux",) * 2)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """A browser in which an account is signed in. `seen_at` is up to five minutes short; `here` says that it is the one
    that asks."""

    began_at: datetime
    seen_at: datetime
    address: str
    browser: str
    here: bool


@receiver(user_logged_in)
def _began(request: HttpRequest, user: User, **_signal: Any) -> None:
    """Signing in begins a session that lasts SESSION_COOKIE_AGE and no longer, whatever is saved in it meanwhile; and
    takes away what has run out."""
    now = timezone.now()
    request.session[_SIGNED_IN] = {
        "at": now.isoformat(),
        "address": request.META.get("REMOTE_ADDR", ""),
        "agent": request.META.get("HTTP_USER_AGENT", "")[:300],
    }
    request.session[sessions.SEEN] = now.timestamp()
    request.session.set_expiry(now + timedelta(seconds=settings.SESSION_COOKIE_AGE))
    DeskSession.objects.filter(_over(now)).exclude(session_key=request.session.session_key or "").delete()


def still(request: HttpRequest) -> None:
    """Ends the request's session where nobody did anything in it for SESSION_IDLE minutes; else notes, every few
    minutes, that somebody does."""
    session: Any = request.session
    if SESSION_KEY not in session:
        return
    idle = time.time() - session.get(sessions.SEEN, 0)
    if idle > settings.SESSION_IDLE * 60:
        session.flush()
    elif idle > min(_NOTED, settings.SESSION_IDLE * 15) and _by_hand(request):
        try:
            alive = session.touch()
        except DatabaseError:  # somebody reads: that goes on
            _log.warning("It could not be noted that a session is in use", exc_info=True)
        else:
            if not alive:
                session.flush()


def _by_hand(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") != "true" or request.headers.get("HX-Target") in _FILLED_BY_HAND


def places(account: User, session_key: str | None) -> Iterator[Place]:
    """Where the account is signed in, who was there last first."""
    now = timezone.now()
    for each in DeskSession.objects.filter(account=account).exclude(_over(now)).order_by("-seen_at"):
        began = each.get_decoded().get(_SIGNED_IN)
        if began:
            at, browser = datetime.fromisoformat(began["at"]), _browser(began["agent"])
            yield Place(at, each.seen_at, began["address"], browser, here=each.session_key == session_key)


def end(account: User, why: str, *, but: str | None = None) -> int:
    """Signs an account out everywhere, but for the session `but`; returns how many sessions that were. This process
    knows at once, every other within SESSION_RECHECK seconds."""
    ended = DeskSession.objects.filter(account=account).exclude(session_key=but or "")
    keys = list(ended.values_list("session_key", flat=True))
    if keys:
        ended.delete()
        sessions.forget(keys)
        detail = {"account": account.get_username(), "sessions": len(keys), "reason": why}
        record(Action.SIGN_OUT, detail=detail)
    return len(keys)


@receiver(post_save, sender=User)
def _account_changed(instance: User, created: bool, **_signal: Any) -> None:
    if created:
        return
    if not instance.is_active:
        end(instance, "account closed")
    elif instance._password is not None:  # type: ignore[attr-defined]  # noqa: SLF001  # Django's mark of a new one
        end(instance, "password changed")


def _over(now: datetime) -> Q:
    return Q(expire_date__lt=now) | Q(account__isnull=False, seen_at__lt=now - timedelta(minutes=settings.SESSION_IDLE))


def _browser(agent: str) -> str:
    """Such as "Firefox on Windows": what a browser says of itself, as far as people know it by name."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "A browser")
    system = next((name for marks, name in _SYSTEMS if re.search(marks, agent)), "")
    return f"{browser} on {system}" if system else browser
