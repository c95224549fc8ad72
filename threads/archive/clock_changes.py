"""Where the clock of a zone is changed, by quarters of an hour, as threads are counted.

The numbers of the overview and the lists that they lead to both go by this, so that they agree on every day.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo

from .store.counters import DAY, QUARTER

PER_DAY = DAY // QUARTER
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)


def stretches(since: datetime, until: datetime, zone: tzinfo) -> Iterator[tuple[int, int, timedelta]]:
    """The time from `since` up to but not `until`, cut where the clock of `zone` is changed: quarters of an hour (from,
    up to but not), and how far the clock is ahead of UTC in them."""
    low, end = quarter(since), quarter(until)
    here = low
    offset = _offset(low, zone)
    while here < end:
        following = min(here + PER_DAY, end)
        if _offset(following, zone) == offset:
            here = following
            continue
        # The last quarter known to be before the change, and the first known to be after it, come together.
        before, after = here, following
        while after - before > 1:
            middle = (before + after) // 2
            before, after = (middle, after) if _offset(middle, zone) == offset else (before, middle)
        if low < after:
            yield low, min(after, end), offset
        low = here = after
        offset = _offset(after, zone)
    if low < end:
        yield low, end, offset


def hour_of_clock(shown: datetime, zone: tzinfo) -> list[tuple[datetime, datetime]]:
    """From when until when the clocks of `zone` show the hour that begins with the naive time `shown`: one stretch, or,
    where they are changed about then, a part of it, several, or none."""
    found = []
    there = shown.replace(tzinfo=UTC)
    offsets = {each.astimezone(zone).utcoffset() for each in (there - _DAY, there, there + _DAY)}
    if len(offsets) == 1 and (known := offsets.pop()) is not None:  # as for nearly all of the hours of a long list
        return [(there - known, there - known + _HOUR)]
    for low, high, offset in stretches(there - _DAY, there + _DAY, zone):
        begin, end = max(moment(low), there - offset), min(moment(high), there - offset + _HOUR)
        if begin < end:
            found.append((begin, end))
    return found


def moment(quarter: int) -> datetime:
    """When a quarter begins."""
    return datetime.fromtimestamp(quarter * QUARTER, UTC)


def quarter(moment: datetime) -> int:
    """The quarter that a moment is in."""
    return int(moment.timestamp() // QUARTER)


def _offset(quarter: int, zone: tzinfo) -> timedelta:
    return moment(quarter).astimezone(zone).utcoffset() or timedelta()
