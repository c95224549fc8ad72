"""What was just read from the database, remembered in this process for a few seconds."""

from __future__ import annotations

import time
from typing import Generic, TypeVar

ValueT = TypeVar("ValueT")


class Remembered(Generic[ValueT]):
    """Values by key, each for `seconds`. Safe to use from many threads; holds `most` values at the most."""

    def __init__(self, seconds: float, most: int = 10_000) -> None:
        self._seconds, self._most = seconds, most
        self._kept: dict[str, tuple[float, ValueT]] = {}

    def get(self, key: str) -> ValueT | None:
        found = self._kept.get(key)
        return found[1] if found and time.monotonic() < found[0] else None

    def put(self, key: str, value: ValueT) -> None:
        if len(self._kept) >= self._most:
            self._kept.clear()
        if self._seconds:
            self._kept[key] = (time.monotonic() + self._seconds, value)

    def forget(self, key: str) -> None:
        self._kept.pop(key, None)

    def clear(self) -> None:
        self._kept.clear()
