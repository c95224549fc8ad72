"""The checks of a rehearsal: each is one line with "ok" or "FAILED" and its figures."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import requests
from html5lib.html5parser import ParseError

ResultT = TypeVar("ResultT")

Show = Callable[[str], None]

_POLL = 0.1


class FailedError(Exception):
    """A check failed, or a wait was in vain. Its text is a sentence that says so."""


FAILURES = (
    FailedError, AssertionError, LookupError, OSError, ParseError, TypeError, ValueError, requests.RequestException,
    sqlite3.Error, subprocess.SubprocessError,
)  # fmt: skip
"""What a wrong answer of the desk, or of a process, can raise in a check."""


@dataclass(frozen=True, slots=True)
class Check:
    """`part` is the heading that it stands under, `figures` what was seen."""

    part: str
    what: str
    passed: bool
    figures: str


class Checks:
    """Makes checks and shows each as a line. `show` takes a line."""

    def __init__(self, show: Show = lambda _: None) -> None:
        self.made: list[Check] = []
        self._show = show
        self._part = ""

    def begin(self, part: str) -> None:
        """The checks that follow stand under this heading."""
        self._part = part
        self._show(f"\n{part}")

    def note(self, text: str) -> None:
        """A line that is no check."""
        self._show(text)

    def make(self, what: str, check: Callable[[], str]) -> bool:
        """Makes a check and returns whether it passed. `check` returns its figures, or raises one of `FAILURES`."""
        try:
            passed, figures = True, check()
        except FAILURES as error:
            passed, figures = (
                False,
                str(error) if isinstance(error, FailedError) else f"{type(error).__name__}: {error}",
            )
        self.made.append(Check(self._part, what, passed, figures))
        self._show(f"{'ok' if passed else 'FAILED':<8}{what}: {figures}")
        return passed

    @property
    def passed(self) -> int:
        return sum(each.passed for each in self.made)

    @property
    def failed(self) -> int:
        return len(self.made) - self.passed


def _said(error: Exception) -> str:
    """An error in one line. The last one is what a process that failed ended with."""
    last = (str(error).strip().splitlines() or ["no more is known"])[-1]
    return last if isinstance(error, FailedError) else f"{type(error).__name__}: {last}"


def require(true: object, sentence: str) -> None:
    """Raises `FailedError` with the sentence unless it is true."""
    if not true:
        raise FailedError(sentence)


def wait_for(what: str, ask: Callable[[], ResultT | None], seconds: float) -> ResultT:
    """The first answer that is not None. Raises `FailedError` after that many seconds."""
    end = time.monotonic() + seconds
    while (answer := ask()) is None:
        if time.monotonic() >= end:
            raise FailedError(f"Waited {seconds:.0f} seconds for {what}, in vain.")
        time.sleep(_POLL)
    return answer
