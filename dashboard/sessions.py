"""The authentication backend's name in sessions that version 0.1 stored. Goes with the release after 0.2."""

from __future__ import annotations

from typing import Any

from dashboard.accounts import backends


class Accounts(backends.Accounts):
    """Keeps accounts signed in that signed in before the update. Signs nobody in."""

    def authenticate(self, request: Any, username: Any = None, password: Any = None, **kwargs: Any) -> None:
        return None
