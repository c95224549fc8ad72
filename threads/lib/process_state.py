"""Registry of process state: caches, monitors and flags that outlive a request. Tests reset all of it before each."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from types import MethodType
from typing import TypeVar

Reset = Callable[[], object]
ResetT = TypeVar("ResetT", bound=Reset)

_resets: list[Callable[[], Reset | None]] = []
"""References to the registered callables: a method's object may be garbage-collected."""


def on_reset(reset: ResetT) -> ResetT:
    """Registers `reset`, which returns its part of the process state to what it is at the start. Usable as a decorator.
    A bound method does not keep its object alive."""
    _resets.append(weakref.WeakMethod(reset) if isinstance(reset, MethodType) else lambda: reset)
    return reset


def reset_all() -> None:
    """Calls every registered reset."""
    for reference in list(_resets):
        reset = reference()
        if reset is None:
            _resets.remove(reference)
        else:
            reset()
