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

from threads.lib.ttl_cache import TTLCache

from . import session_store

BACKEND = "dashboard.accounts.backends.AccountBackend"
"""The backend that is stored in every session, whichever backend checked the sign-in."""


DEMO_USER = "demo"


_accounts: TTLCache[User] = TTLCache(settings.SESSION_RECHECK)


class AccountBackend(ModelBackend):
    """ModelBackend with three differences.

    `get_user` caches accounts for SESSION_RECHECK seconds. The demo account is refused outside emulator mode, in case
    both share a database. Accounts of single sign-on can't sign in with a password, or removing them at the provider
    would not keep them out.
    """

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
        account = None if session_store.bypasses_cache() else _accounts.get(str(user_id))
        if account is None:
            account = super().get_user(user_id)
            if account is not None:
                account.get_all_permissions()  # cached on the account, and thus on its copies
                _accounts.put(str(user_id), account)
            else:
                _accounts.forget(str(user_id))
        return copy.copy(account) if account is not None and self.user_can_authenticate(account) else None


@receiver([post_save, post_delete], sender=User)
def _forget_account(instance: User, **_signal: Any) -> None:
    _accounts.forget(str(instance.pk))


@receiver(m2m_changed, sender=User.groups.through)
@receiver(m2m_changed, sender=User.user_permissions.through)
@receiver(m2m_changed, sender=Group.permissions.through)
@receiver(post_delete, sender=Group)
def _forget_all(**_signal: Any) -> None:
    _accounts.clear()
