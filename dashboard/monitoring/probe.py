"""Asking what may not answer: a file that is locked, a server that hangs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from threads.lib.process_state import on_reset

AnswerT = TypeVar("AnswerT")

_GIVEN_UP = 60.0
"""Seconds after which nobody believes that an answer still comes."""


def beside(ask: Callable[[], AnswerT]) -> Future[AnswerT]:
    """Asks in a thread of its own, which holds nothing up: neither who waits, for as long as they like, nor the end of
    the process."""
    answer: Future[AnswerT] = Future()

    def run() -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:  # noqa: BLE001  # it is raised where the answer is looked at
            answer.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return answer


class Question(Generic[AnswerT]):
    """`ask`, whoever wants to know and however often, at most once in `keep` seconds, and never twice at a time: what
    does not answer collects no threads that wait for it."""

    def __init__(self, ask: Callable[[], AnswerT], *, keep: float) -> None:
        self._ask, self._keep = ask, keep
        self._lock = threading.Lock()
        self._answer: Future[AnswerT] | None = None
        self._asked = 0.0
        on_reset(self.forget)

    def asked(self) -> Future[AnswerT]:
        """The answer, which may still be to come."""
        with self._lock:
            now = time.monotonic()
            known = self._answer
            if known is None or now - self._asked >= (self._keep if known.done() else _GIVEN_UP):
                known = self._answer = beside(self._ask)
                self._asked = now
            return known

    def forget(self) -> None:
        with self._lock:
            self._answer = None
