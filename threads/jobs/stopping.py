"""Stopping a worker process: the command `worker` calls `stop`; tasks check `requested` between two steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock

from threads.lib.process_state import on_reset

requested = Event()
"""Set once this process has been told to stop."""
on_reset(requested.clear)

_lock = Lock()
_callbacks: list[Callable[[], object]] = []


def stop() -> None:
    """Ends the tasks of this process after their current step; none begins any more."""
    with _lock:
        requested.set()
        callbacks = list(_callbacks)
    for callback in callbacks:
        callback()


@contextmanager
def on_stop(callback: Callable[[], object]) -> Iterator[None]:
    """For work that waits on an event of its own: calls `callback` when the process is told to stop within the block,
    at once where it already was."""
    with _lock:
        _callbacks.append(callback)
    if requested.is_set():
        callback()
    try:
        yield
    finally:
        with _lock:
            _callbacks.remove(callback)
