"""Clock check: compares this machine's clock with the `Date` of the upstream's replies. Retention tells the age of a
thread by this clock, so a clock that is wrong would erase what is not due."""

from __future__ import annotations

import time

from django.utils import timezone

from threads.chatkit import ChatKitClient
from threads.lib.trace import Trace, trace

MOST = 300.0
"""Seconds by which the two may differ."""


class ClockError(Exception):
    """This machine's clock can't be relied on. Says why, as a clause."""


def check() -> None:
    """Returns where the last reply of this job shows that this machine's clock is right. Raises `ClockError` where it
    is not, where that reply had no `Date`, and where there was no reply."""
    known = trace.get()
    seen = known.clock if known is not None else None
    if seen is None or seen.date is None:
        raise ClockError("the API's replies do not say what time it is, so this machine's clock can't be checked")
    ahead = timezone.now().timestamp() - (seen.date + time.monotonic() - seen.arrived)
    if abs(ahead) > MOST:
        way = "ahead of" if ahead > 0 else "behind"
        raise ClockError(f"this machine's clock is {_duration(abs(ahead))} {way} the API's")


def ask(client: ChatKitClient) -> None:
    """The same by a reply to a call that is made for it. Raises `ChatKitError` too."""
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
