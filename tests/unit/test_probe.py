"""Asking what may not answer."""

from __future__ import annotations

import threading
import time

import pytest

from dashboard.monitoring import probe
from dashboard.monitoring.probe import CachedProbe, run_in_thread


def test_an_answer_is_kept_for_a_while_and_not_longer() -> None:
    asked: list[int] = []

    def ask() -> None:
        asked.append(1)

    question = CachedProbe(ask, keep=0.05)
    for _ in range(5):
        question.asked().result(1)
    assert len(asked) == 1
    time.sleep(0.06)
    question.asked().result(1)
    assert len(asked) == 2
    question.forget()
    question.asked().result(1)
    assert len(asked) == 3


def test_what_does_not_answer_is_asked_once_until_nobody_believes_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    asked: list[int] = []

    def ask() -> None:
        asked.append(1)
        over.wait(5)

    question = CachedProbe(ask, keep=0)
    answers = {id(question.asked()) for _ in range(5)}
    assert len(answers) == len(asked) == 1
    with pytest.raises(TimeoutError):
        question.asked().result(0.01)
    monkeypatch.setattr(probe, "_ABANDON_SECONDS", 0.0)
    question.asked()
    assert len(asked) == 2
    over.set()


def test_a_failure_is_raised_where_the_answer_is_looked_at() -> None:
    answer = run_in_thread(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        answer.result(1)
