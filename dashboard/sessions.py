"""The authentication backend under its name of version 0.1, which stored sessions contain. Remove with the release
after 0.2."""

from __future__ import annotations

from typing import Any

from .accounts import backends


class Accounts(backends.AccountBackend):
    """Accepts sessions of version 0.1. Its `authenticate` does nothing, so that a password is hashed once."""

    def authenticate(self, request: Any, username: Any = None, password: Any = None, **kwargs: Any) -> None:
        return None
