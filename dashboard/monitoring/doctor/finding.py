"""The result of one check."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """The outcome of a check, as it is printed."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """A check's name, outcome, detail and advice. Contains no secrets."""

    name: str
    verdict: Verdict
    detail: str
    advice: str = ""


def ok(name: str, detail: str) -> Finding:
    """A check that passed."""
    return Finding(name, Verdict.OK, detail)


def warn(name: str, detail: str, advice: str = "") -> Finding:
    """A check with a warning."""
    return Finding(name, Verdict.WARN, detail, advice)


def fail(name: str, detail: str, advice: str) -> Finding:
    """A check that failed."""
    return Finding(name, Verdict.FAIL, detail, advice)
