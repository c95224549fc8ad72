"""Authentication backend: Django's ModelBackend with a TTL cache for accounts and their rights."""

from __future__ import annotations

import copy
from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Group, User
from django.db.models.signals import m2m_changed, post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest

from threads.lib.ttl_cache import Remembered

from . import sessions

ACCOUNTS = "dashboard.accounts.backends.Accounts"
"""The backend that all sign-ins are kept for, whoever has found out whose they are."""


DEMO_USER = "demo"


_accounts: Remembered[User] = Remembered(settings.SESSION_RECHECK)


class Accounts(ModelBackend):
    """Django's own, but that looking up who is signed in looks here first, and that the account which anybody may open
    in emulator mode is none outside of it, should both ever share a database. Who comes by single sign-on has no
    password here, whatever an administrator gave them: else taking them away there would not keep them out."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> Any:
        found = super().authenticate(request, username, password, **kwargs)
        if found is None or not settings.LOCAL_PASSWORDS or hasattr(found, "identity"):
            return None
        return found

    def user_can_authenticate(self, user: Any) -> bool:
        demo = getattr(user, "username", "") == DEMO_USER
        return super().user_can_authenticate(user) and (settings.EMULATOR or not demo)

    def get_user(self, user_id: Any) -> User | None:
        known = None if sessions.is_read_anew() else _accounts.get(str(user_id))
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
