"""Clock check: compares this machine's clock with the `Date` of the upstream's replies. By a wrong
clock, retention would erase threads that are not due."""

from __future__ import annotations

import time

from django.utils import timezone

from threads.chatkit import ChatKitClient
from threads.lib.trace import Trace, trace

MAX_SECONDS = 300.0
"""By how much the two clocks may differ."""


class ClockError(Exception):
    """This machine's clock is unreliable; the message is a clause with the reason."""


def check() -> None:
    """Checks this machine's clock by the last reply to this job. Raises `ClockError` where it is wrong, and where there
    was no reply or it had no `Date`."""
    known = trace.get()
    seen = known.clock if known is not None else None
    if seen is None or seen.date is None:
        raise ClockError("the API's replies do not say what time it is, so this machine's clock can't be checked")
    ahead = timezone.now().timestamp() - (seen.date + time.monotonic() - seen.arrived)
    if abs(ahead) > MAX_SECONDS:
        way = "ahead of" if ahead > 0 else "behind"
        raise ClockError(f"this machine's clock is {_duration(abs(ahead))} {way} the API's")


def check_upstream(client: ChatKitClient) -> None:
    """Checks this machine's clock by a call that is made for it. Raises `ClockError` and `ChatKitError`."""
    known = trace.get()
    token = trace.set(Trace(known.id if known is not None else "", job=known.job if known is not None else ""))
    try:
        client.list_threads(limit=1)
        check()
    finally:
        trace.reset(token)


def _duration(seconds: float) -> str:
    for unit, name in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:,.0f} {name}"
    return f"{seconds:.0f} seconds"
