"""Sessions and accounts in the database, asked for once in a few seconds and not for every page.

A page costs no query, and a server of hundreds of threads needs no connection for each. What is paid for that is
stated: a session that ends, an account that is closed, whose password or whose rights change, is known at once to the
process that did it, and to every other within SESSION_RECHECK seconds. That holds for reading alone: for all else
`dashboard.accounts.fresh_rights` has both read anew.
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY, get_user
from django.contrib.sessions.backends import db
from django.contrib.sessions.base_session import AbstractBaseSession
from django.http import HttpRequest
from django.utils import timezone

from threads.lib.ttl_cache import Remembered

if TYPE_CHECKING:
    from .models import DeskSession

SEEN = "seen"
"""In a session: when somebody last did something in it, in seconds of the clock."""

_sessions: Remembered[dict[str, Any]] = Remembered(settings.SESSION_RECHECK)
_anew: ContextVar[bool] = ContextVar("anew", default=False)


class SessionStore(db.SessionStore):
    """Django's own, but that reading looks here first, and that the table says whose a session is."""

    @classmethod
    def get_model_class(cls) -> type[AbstractBaseSession]:
        from .models import DeskSession  # noqa: PLC0415  # models are there only now

        return DeskSession

    def load(self) -> dict[str, Any]:
        key = self.session_key or ""
        known = None if _anew.get() else _sessions.get(key)
        if known is None:
            row: DeskSession | None = self._get_session_from_db()  # type: ignore[attr-defined]
            known = self.decode(row.session_data) if row else {}
            if row and known:
                known[SEEN] = row.seen_at.timestamp()
                _sessions.put(key, known)
            else:
                _sessions.forget(key)
        return known.copy()  # values are replaced, never changed in place: Django would not save those either

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        made: Any = super().create_model_instance(data)
        made.account_id = data.get(SESSION_KEY)
        made.seen_at = datetime.fromtimestamp(data.get(SEEN, time.time()), UTC)
        return made

    def save(self, must_create: bool = False) -> None:
        super().save(must_create=must_create)
        _sessions.forget(self.session_key or "")

    def delete(self, session_key: str | None = None) -> None:
        super().delete(session_key)
        _sessions.forget(session_key or self.session_key or "")

    def touch(self) -> bool:
        """Somebody does something in it. False where it has ended meanwhile. One small write, and no new cookie."""
        now = timezone.now()
        model: Any = self.model
        alive = model.objects.filter(session_key=self.session_key).update(seen_at=now)
        self._session[SEEN] = now.timestamp()  # type: ignore[attr-defined]  # which does not ask for it to be saved
        _sessions.forget(self.session_key or "")
        return bool(alive)


def forget(session_keys: list[str]) -> None:
    """What this process remembers of these sessions, which have ended."""
    for key in session_keys:
        _sessions.forget(key)


def is_read_anew() -> bool:
    """Whether this is within `read_anew`: then no cache answers."""
    return _anew.get()


def read_anew(request: HttpRequest) -> None:
    """Replaces the session and the account of a request by what the database has of them now."""
    if SESSION_KEY not in request.session:
        return
    token = _anew.set(True)
    try:
        request.session = type(request.session)(request.session.session_key)
        request.user = get_user(request)
    finally:
        _anew.reset(token)
