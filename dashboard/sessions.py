"""Sessions and accounts in the database, asked for once in a few seconds and not for every page.

A page costs no query, and a server of hundreds of threads needs no connection for each. What is paid for that is
stated: a session that ends, an account that is closed, whose password or whose rights change, is known at once to the
process that did it, and to every other within SESSION_RECHECK seconds. What exports or erases asks anew: see
`threads.roles.may_now`.
"""

from __future__ import annotations

import copy
from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Group, User
from django.contrib.sessions.backends import db
from django.db.models.signals import m2m_changed, post_delete, post_save
from django.dispatch import receiver

from .remember import Remembered

DEMO_USER = "demo"

_sessions: Remembered[dict[str, Any]] = Remembered(settings.SESSION_RECHECK)
_accounts: Remembered[User] = Remembered(settings.SESSION_RECHECK)


class SessionStore(db.SessionStore):
    """Django's own, but that reading looks here first."""

    def load(self) -> dict[str, Any]:
        key = self.session_key or ""
        known = _sessions.get(key)
        if known is None:
            known = super().load()
            if known:
                _sessions.put(key, known)
            else:
                _sessions.forget(key)
        return known.copy()  # values are replaced, never changed in place: Django would not save those either

    def save(self, must_create: bool = False) -> None:
        super().save(must_create=must_create)
        _sessions.forget(self.session_key or "")

    def delete(self, session_key: str | None = None) -> None:
        super().delete(session_key)
        _sessions.forget(session_key or self.session_key or "")


class Accounts(ModelBackend):
    """Django's own, but that looking up who is signed in looks here first, and that the account which anybody may open
    in emulator mode is none outside of it, should both ever share a database."""

    def user_can_authenticate(self, user: Any) -> bool:
        demo = getattr(user, "username", "") == DEMO_USER
        return super().user_can_authenticate(user) and (settings.EMULATOR or not demo)

    def get_user(self, user_id: Any) -> User | None:
        known = _accounts.get(str(user_id))
        if known is None:
            known = super().get_user(user_id)
            if known is not None:
                known.get_all_permissions()  # Django keeps them on the account, and its copies below have them too
                _accounts.put(str(user_id), known)
            else:
                _accounts.forget(str(user_id))
        return copy.copy(known) if known is not None and self.user_can_authenticate(known) else None


@receiver([post_save, post_delete], sender=User)
def _changed(instance: User, **_about: Any) -> None:
    _accounts.forget(str(instance.pk))


@receiver(m2m_changed, sender=User.groups.through)
@receiver(m2m_changed, sender=User.user_permissions.through)
@receiver(m2m_changed, sender=Group.permissions.through)
@receiver(post_delete, sender=Group)
def _rights_changed(**_about: Any) -> None:
    _accounts.clear()
