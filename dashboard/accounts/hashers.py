"""Looking at a password takes a processor for a third of a second, on purpose. Under gevent nobody else in the process
would be answered meanwhile, so that a handful of strangers at the sign-in page could hold up every agent."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class Beside(PBKDF2PasswordHasher):
    """Django's own, one at a time in each process, in a thread beside the one that answers."""

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
    from gevent.threadpool import ThreadPool  # noqa: PLC0415  # after the server has forked its processes

    return ThreadPool(1)
