"""What was found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How it is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """`said` is what was found of `name`, `advice` what to do about it. Neither has a secret in it."""

    name: str
    verdict: Verdict
    said: str
    advice: str = ""


def fine(name: str, said: str) -> Finding:
    return Finding(name, Verdict.OK, said)


def doubtful(name: str, said: str, advice: str = "") -> Finding:
    return Finding(name, Verdict.WARN, said, advice)


def failed(name: str, said: str, advice: str) -> Finding:
    return Finding(name, Verdict.FAIL, said, advice)
