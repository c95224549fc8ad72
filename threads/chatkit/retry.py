"""Whether to send a request once more, and how long to wait before."""

from __future__ import annotations

import math
import random
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

PATIENCE = 3.0
"""Seconds that a page may wait because the upstream asked for it. A longer wait is the reader's to decide on."""

_STATUSES = {408, 409, 429, 500, 502, 503, 504}
"""What the official SDK sends again."""

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def worth_another(status: int, headers: Mapping[str, str]) -> bool:
    """Whether a reply with this status may turn out better on a second try; `x-should-retry` has the last word."""
    said = headers.get("x-should-retry")
    return status in _STATUSES if said not in {"true", "false"} else said == "true" and status >= 400


def pause(retry_after: float | None) -> float | None:
    """Seconds to wait before the second try, or None where the upstream asked for more than `PATIENCE`.

    Without a word from the upstream: a quarter to three quarters of a second, at random, so that many readers of a
    page that failed for all do not come back in the same instant.
    """
    if retry_after is None:
        return random.uniform(0.25, 0.75)
    return retry_after if retry_after <= PATIENCE else None


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Seconds until the upstream wants to be asked again, None where no header says so in a form that means anything.

    Reads `retry-after-ms`, `retry-after` (seconds or an HTTP date, against `now` in Unix seconds).
    """
    milliseconds = _finite(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after", "")
    seconds = _finite(text)
    if seconds is None and text:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - (time.time() if now is None else now)
        except (ValueError, OverflowError, TypeError):
            return None
    return None if seconds is None else max(0.0, seconds)


def reset_after(headers: Mapping[str, str]) -> float | None:
    """Seconds until `x-ratelimit-reset-requests`, a duration such as `6m0s`, where it is there."""
    text = headers.get("x-ratelimit-reset-requests", "")
    if not re.fullmatch(r"(\d{1,9}(\.\d{1,9})?(ms|[smhd]))+", text, re.ASCII):
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"([\d.]+)(ms|[smhd])", text))


def _finite(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None
