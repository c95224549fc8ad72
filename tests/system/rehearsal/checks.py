"""Runs and prints the checks of a rehearsal: one line each, with "ok" or "FAILED" and details."""

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

_POLL_SECONDS = 0.1


class CheckFailedError(Exception):
    """A check failed, or a wait timed out. The text is a sentence."""


FAILURES = (
    CheckFailedError, AssertionError, LookupError, OSError, ParseError, TypeError, ValueError,
    requests.RequestException, sqlite3.Error, subprocess.SubprocessError,
)  # fmt: skip
"""Exceptions that count as a failed check."""


@dataclass(frozen=True, slots=True)
class Check:
    """A finished check. `part` is the heading, `figures` the details."""

    part: str
    what: str
    passed: bool
    figures: str


class Checks:
    """Runs checks and passes each result as a line to `show`."""

    def __init__(self, show: Show = lambda _: None) -> None:
        self.made: list[Check] = []
        self._show = show
        self._part = ""

    def begin(self, part: str) -> None:
        """Starts a group of checks with a heading."""
        self._part = part
        self._show(f"\n{part}")

    def note(self, text: str) -> None:
        """Shows a line that is not a check."""
        self._show(text)

    def make(self, what: str, check: Callable[[], str]) -> bool:
        """Runs a check and returns whether it passed. `check` returns details, or raises one of `FAILURES`."""
        try:
            passed, figures = True, check()
        except FAILURES as error:
            passed, figures = (
                False,
                str(error) if isinstance(error, CheckFailedError) else f"{type(error).__name__}: {error}",
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
    """An error in one line: the last one, which names the error of a failed process."""
    last = (str(error).strip().splitlines() or ["no details"])[-1]
    return last if isinstance(error, CheckFailedError) else f"{type(error).__name__}: {last}"


def require(condition: object, sentence: str) -> None:
    """Raises `CheckFailedError` with the sentence unless `condition` is true."""
    if not condition:
        raise CheckFailedError(sentence)


def wait_for(what: str, ask: Callable[[], ResultT | None], seconds: float) -> ResultT:
    """Polls `ask` and returns its first result that is not None. Raises `CheckFailedError` after `seconds`."""
    end = time.monotonic() + seconds
    while (answer := ask()) is None:
        if time.monotonic() >= end:
            raise CheckFailedError(f"Waited {seconds:.0f} seconds for {what}, in vain.")
        time.sleep(_POLL_SECONDS)
    return answer
