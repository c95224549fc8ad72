"""Probes of services that may hang: run in a thread, with a cached result."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from threads.lib.process_state import on_reset

AnswerT = TypeVar("AnswerT")

_ABANDON_SECONDS = 60.0
"""Seconds after which a probe that hangs is abandoned and started again."""


def run_in_thread(ask: Callable[[], AnswerT]) -> Future[AnswerT]:
    """Calls `ask` in a daemon thread, which delays neither the caller nor the end of the process."""
    answer: Future[AnswerT] = Future()

    def run() -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:  # noqa: BLE001  # raised by Future.result
            answer.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return answer


class CachedProbe(Generic[AnswerT]):
    """A probe that calls `ask` at most once in `keep` seconds, and never twice at a time, so that a hanging service
    collects no threads."""

    def __init__(self, ask: Callable[[], AnswerT], *, keep: float) -> None:
        self._ask, self._keep = ask, keep
        self._lock = threading.Lock()
        self._answer: Future[AnswerT] | None = None
        self._asked = 0.0
        on_reset(self.forget)

    def asked(self) -> Future[AnswerT]:
        """The result of the last or a new call, which may be pending."""
        with self._lock:
            now = time.monotonic()
            answer = self._answer
            if answer is None or now - self._asked >= (self._keep if answer.done() else _ABANDON_SECONDS):
                answer = self._answer = run_in_thread(self._ask)
                self._asked = now
            return answer

    def forget(self) -> None:
        """Clears the cached result."""
        with self._lock:
            self._answer = None
