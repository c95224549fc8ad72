"""Active sessions of an account: idle timeout, listing, and ending them."""

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
from django_htmx.middleware import HtmxDetails

from threads.audit.record import Action, record

from . import session_store
from .models import DeskSession

_SIGN_IN = "signed_in"
"""Session key. Value: time (ISO 8601), address and user agent of the sign-in."""

_TOUCH_SECONDS = 300
"""Seconds between two updates of a session's `seen_at`, so that most requests cost no write."""

_USER_TARGETS = {"browse", "more"}
"""htmx targets of user actions. A page may request the others by itself, which does not extend the session."""

_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (("iPhone|iPad", "iOS"), ("Android",) * 2, ("Windows",) * 2, ("Mac OS X", "macOS"), ("Linux",) * 2)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ActiveSession:
    """A browser in which an account is signed in. `seen_at` lags by up to five minutes; `here` marks the current
    session."""

    began_at: datetime
    seen_at: datetime
    address: str
    browser: str
    here: bool


@receiver(user_logged_in)
def _start_session(request: HttpRequest, user: User, **_signal: Any) -> None:
    """Gives the new session its absolute timeout, SESSION_COOKIE_AGE seconds, and deletes expired sessions."""
    now = timezone.now()
    request.session[_SIGN_IN] = {
        "at": now.isoformat(),
        "address": request.META.get("REMOTE_ADDR", ""),
        "agent": request.META.get("HTTP_USER_AGENT", "")[:300],
    }
    request.session[session_store.LAST_SEEN] = now.timestamp()
    request.session.set_expiry(now + timedelta(seconds=settings.SESSION_COOKIE_AGE))
    DeskSession.objects.filter(_expired(now)).exclude(session_key=request.session.session_key or "").delete()


def expire_idle_session(request: HttpRequest) -> None:
    """Ends the request's session after SESSION_IDLE minutes without a user action; otherwise updates `seen_at` every
    few minutes."""
    session: Any = request.session
    if SESSION_KEY not in session:
        return
    idle = time.time() - session.get(session_store.LAST_SEEN, 0)
    if idle > settings.SESSION_IDLE * 60:
        session.flush()
    elif idle > min(_TOUCH_SECONDS, settings.SESSION_IDLE * 15) and _is_user_action(request):
        try:
            alive = session.touch()
        except DatabaseError:  # reading goes on without the update
            _log.warning("The last use of a session could not be stored", exc_info=True)
        else:
            if not alive:
                session.flush()


def _is_user_action(request: HttpRequest) -> bool:
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]  # set by HtmxMiddleware
    return not htmx or htmx.target in _USER_TARGETS


def list_sessions(account: User, session_key: str | None) -> Iterator[ActiveSession]:
    """The account's active sessions, the last used first. `session_key` is the current one."""
    now = timezone.now()
    for each in DeskSession.objects.filter(account=account).exclude(_expired(now)).order_by("-seen_at"):
        sign_in = each.get_decoded().get(_SIGN_IN)
        if sign_in:
            at, browser = datetime.fromisoformat(sign_in["at"]), _browser(sign_in["agent"])
            yield ActiveSession(at, each.seen_at, sign_in["address"], browser, here=each.session_key == session_key)


def end_sessions(account: User, reason: str, *, keep: str | None = None) -> int:
    """Ends an account's sessions except `keep`, and records it with `reason`. Returns the number of ended sessions.
    Other processes stop accepting them for reading within SESSION_RECHECK seconds."""
    ended = DeskSession.objects.filter(account=account).exclude(session_key=keep or "")
    keys = list(ended.values_list("session_key", flat=True))
    if keys:
        ended.delete()
        session_store.forget(keys)
        detail = {"account": account.get_username(), "sessions": len(keys), "reason": reason}
        record(Action.SIGN_OUT, detail=detail)
    return len(keys)


@receiver(post_save, sender=User)
def _account_changed(instance: User, created: bool, **_signal: Any) -> None:
    if created:
        return
    if not instance.is_active:
        end_sessions(instance, "account closed")
    elif instance._password is not None:  # type: ignore[attr-defined]  # noqa: SLF001  # set with a new password
        end_sessions(instance, "password changed")


def _expired(now: datetime) -> Q:
    return Q(expire_date__lt=now) | Q(account__isnull=False, seen_at__lt=now - timedelta(minutes=settings.SESSION_IDLE))


def _browser(agent: str) -> str:
    """A user agent as a short text, such as "Firefox on Windows"."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "A browser")
    system = next((name for marks, name in _SYSTEMS if re.search(marks, agent)), "")
    return f"{browser} on {system}" if system else browser
