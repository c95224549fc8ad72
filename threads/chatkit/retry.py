"""Retry policy of a single call: how often to send a request again, and after how many seconds. `Transport` follows it.

The sync has policies of its own on top, in `threads.archive.sync`.
"""

from __future__ import annotations

import math
import random
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

RETRIES = 1
"""How often a GET is sent again after a transient failure. No other method ever is."""

JITTER_SECONDS = (0.25, 0.75)
"""Shortest and longest wait before a retry where the upstream asks for none: it varies, so that many pages that failed
together do not retry together."""

MAX_WAIT_SECONDS = 3.0
"""Longest wait that the upstream may ask of a page. Beyond it the page shows the error, and the reader decides."""

_STATUSES = {408, 409, 429, 500, 502, 503, 504}
"""Statuses that the official SDK retries."""

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def is_retryable(status: int, headers: Mapping[str, str]) -> bool:
    """Whether a reply with this status is retried. The header `x-should-retry` takes precedence, as in the SDK."""
    said = headers.get("x-should-retry")
    return status in _STATUSES if said not in {"true", "false"} else said == "true" and status >= 400


def pause(retry_after: float | None) -> float | None:
    """Seconds to wait before the retry; None for no retry, where the upstream asks for more than `MAX_WAIT_SECONDS`.

    Without `retry_after`: a random time between those of `JITTER_SECONDS`.
    """
    if retry_after is None:
        return random.uniform(*JITTER_SECONDS)
    return retry_after if retry_after <= MAX_WAIT_SECONDS else None


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Seconds to wait by `retry-after-ms` or `retry-after` (seconds, or an HTTP date, relative to `now` in Unix
    seconds); None where neither is valid."""
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


def rate_limit_reset(headers: Mapping[str, str]) -> float | None:
    """Seconds by `x-ratelimit-reset-requests`, a duration such as `6m0s`; None where there is none."""
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
