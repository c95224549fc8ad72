"""A clock that a test moves forward."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.utils import timezone


class Clock:
    """`timezone.now` of this process, moved forward."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def forward(self, time: timedelta) -> None:
        self._ahead += time


@contextmanager
def put_forward() -> Iterator[Clock]:
    """Replaces `timezone.now` with a clock that can be moved."""
    clock, now = Clock(), timezone.now
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "now", lambda: now() + clock._ahead)
        yield clock
