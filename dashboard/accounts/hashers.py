"""Password hasher for gevent.

Hashing takes a CPU a third of a second, on purpose. In a greenlet it would block the event loop, and a handful of
sign-in attempts could hold up every agent.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class ThreadedPasswordHasher(PBKDF2PasswordHasher):
    """PBKDF2PasswordHasher that hashes in a thread, one password at a time per process, so that a sign-in does not
    block the event loop."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        if not _under_gevent():
            return super().encode(password, salt, iterations)
        made: str = _thread().apply(super().encode, (password, salt, iterations))
        return made


def _under_gevent() -> bool:
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("socket"))


@cache
def _thread() -> Any:
    from gevent.threadpool import ThreadPool  # noqa: PLC0415  # only after the server has forked

    return ThreadPool(1)
