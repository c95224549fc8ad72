"""A clock that a test puts forward, for what takes days."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.utils import timezone


class Clock:
    """`timezone.now` of this process, some time ahead."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def forward(self, time: timedelta) -> None:
        self._ahead += time


@contextmanager
def put_forward() -> Iterator[Clock]:
    clock, now = Clock(), timezone.now
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "now", lambda: now() + clock._ahead)
        yield clock
