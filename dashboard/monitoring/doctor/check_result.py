"""The result of one check."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CheckStatus(StrEnum):
    """The outcome of a check, as it is printed."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A check's name, outcome, detail and advice. Contains no secrets."""

    name: str
    status: CheckStatus
    detail: str
    advice: str = ""


def ok(name: str, detail: str) -> CheckResult:
    """A check that passed."""
    return CheckResult(name, CheckStatus.OK, detail)


def warn(name: str, detail: str, advice: str = "") -> CheckResult:
    """A check with a warning."""
    return CheckResult(name, CheckStatus.WARN, detail, advice)


def fail(name: str, detail: str, advice: str) -> CheckResult:
    """A check that failed."""
    return CheckResult(name, CheckStatus.FAIL, detail, advice)
