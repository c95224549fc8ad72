"""Session store: Django's database sessions with a TTL cache.

A page costs no query, and hundreds of concurrent requests need no connection each. The price: the end of a session and
changes to an account are known at once in the process that makes them, and after SESSION_RECHECK seconds in the
others. That holds for reading only; otherwise `dashboard.accounts.fresh_rights` bypasses the cache.
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

from threads.lib.ttl_cache import TTLCache

if TYPE_CHECKING:
    from .models import DeskSession

LAST_SEEN = "seen"
"""Session key of the last user action, in Unix seconds."""

_sessions: TTLCache[dict[str, Any]] = TTLCache(settings.SESSION_RECHECK)
_bypass_cache: ContextVar[bool] = ContextVar("bypass_cache", default=False)


class SessionStore(db.SessionStore):
    """Django's store with a cache for loading, and the account in a column of its own."""

    @classmethod
    def get_model_class(cls) -> type[AbstractBaseSession]:
        from .models import DeskSession  # noqa: PLC0415  # models are not loaded at import time

        return DeskSession

    def load(self) -> dict[str, Any]:
        key = self.session_key or ""
        data = None if _bypass_cache.get() else _sessions.get(key)
        if data is None:
            row: DeskSession | None = self._get_session_from_db()  # type: ignore[attr-defined]
            data = self.decode(row.session_data) if row else {}
            if row and data:
                data[LAST_SEEN] = row.seen_at.timestamp()
                _sessions.put(key, data)
            else:
                _sessions.forget(key)
        return data.copy()  # a shallow copy is enough: Django saves replaced values only

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        made: Any = super().create_model_instance(data)
        made.account_id = data.get(SESSION_KEY)
        made.seen_at = datetime.fromtimestamp(data.get(LAST_SEEN, time.time()), UTC)
        return made

    def save(self, must_create: bool = False) -> None:
        super().save(must_create=must_create)
        _sessions.forget(self.session_key or "")

    def delete(self, session_key: str | None = None) -> None:
        super().delete(session_key)
        _sessions.forget(session_key or self.session_key or "")

    def touch(self) -> bool:
        """Stores the current time as the last user action. Returns False if the session has ended. Sets no new
        cookie."""
        now = timezone.now()
        model: Any = self.model
        alive = model.objects.filter(session_key=self.session_key).update(seen_at=now)
        self._session[LAST_SEEN] = now.timestamp()  # type: ignore[attr-defined]  # without marking the session as modified
        _sessions.forget(self.session_key or "")
        return bool(alive)


def forget(session_keys: list[str]) -> None:
    """Drops ended sessions from this process's cache."""
    for key in session_keys:
        _sessions.forget(key)


def bypasses_cache() -> bool:
    """Whether the caches are bypassed, within `refresh`."""
    return _bypass_cache.get()


def refresh(request: HttpRequest) -> None:
    """Rereads the request's session and account from the database."""
    if SESSION_KEY not in request.session:
        return
    token = _bypass_cache.set(True)
    try:
        request.session = type(request.session)(request.session.session_key)
        request.user = get_user(request)
    finally:
        _bypass_cache.reset(token)
