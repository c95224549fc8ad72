"""What was just read from the database, remembered in this process for a few seconds."""

from __future__ import annotations

import time
from typing import Generic, TypeVar

from .process_state import on_reset

_GRACE = 1.0

ValueT = TypeVar("ValueT")


class Remembered(Generic[ValueT]):
    """Values by key, each for `seconds`. Safe to use from many threads; holds `most` values at the most."""

    def __init__(self, seconds: float, most: int = 10_000) -> None:
        self._seconds, self._most = seconds, most
        self._kept: dict[str, tuple[float, ValueT]] = {}
        on_reset(self.clear)

    def get(self, key: str) -> ValueT | None:
        """The value, or None where the caller has to read it anew. When its time is over, one caller is told so and the
        others have another second of it: else every thread of a busy server would ask the database at once."""
        found = self._kept.get(key)
        if found is None:
            return None
        until, value = found
        now = time.monotonic()
        if now < until:
            return value
        self._kept[key] = (now + _GRACE, value)
        return None

    def put(self, key: str, value: ValueT) -> None:
        if len(self._kept) >= self._most:
            self._kept.clear()
        if self._seconds:
            self._kept[key] = (time.monotonic() + self._seconds, value)

    def forget(self, key: str) -> None:
        self._kept.pop(key, None)

    def clear(self) -> None:
        self._kept.clear()
