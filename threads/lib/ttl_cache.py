"""TTL cache: values kept in this process for a few seconds, so that not every request reads the database."""

from __future__ import annotations

import time
from typing import Generic, TypeVar

from .process_state import on_reset

_GRACE_SECONDS = 1.0
"""How long the other callers get an expired value while one of them reads it again."""

ValueT = TypeVar("ValueT")


class TTLCache(Generic[ValueT]):
    """Values by key, each for `seconds`; 0 keeps nothing. Thread-safe. Emptied when it holds `most` values."""

    def __init__(self, seconds: float, most: int = 10_000) -> None:
        self._seconds, self._most = seconds, most
        self._values: dict[str, tuple[float, ValueT]] = {}
        on_reset(self.clear)

    def get(self, key: str) -> ValueT | None:
        """The value, or None where the caller has to read it. After expiry only the first caller gets None; the others
        get the old value for another second, so that not every thread of a busy server reads it at once."""
        entry = self._values.get(key)
        if entry is None:
            return None
        until, value = entry
        now = time.monotonic()
        if now < until:
            return value
        self._values[key] = (now + _GRACE_SECONDS, value)
        return None

    def put(self, key: str, value: ValueT) -> None:
        """Stores a value from now on."""
        if len(self._values) >= self._most:
            self._values.clear()
        if self._seconds:
            self._values[key] = (time.monotonic() + self._seconds, value)

    def forget(self, key: str) -> None:
        """Removes one value."""
        self._values.pop(key, None)

    def clear(self) -> None:
        """Removes all values."""
        self._values.clear()
