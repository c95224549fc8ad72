"""UTC offsets of a time zone over a period, in quarters of an hour, so that counts and lists agree across DST changes.

Threads are counted by quarter of an hour (`threads.archive.store.counters`), numbered in Unix seconds divided by 900.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo

from .store.counters import DAY_SECONDS, QUARTER_SECONDS

QUARTERS_PER_DAY = DAY_SECONDS // QUARTER_SECONDS
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)


def offset_periods(since: datetime, until: datetime, zone: tzinfo) -> Iterator[tuple[int, int, timedelta]]:
    """The half-open period from `since` to `until`, split where the UTC offset of `zone` changes. Yields the first
    quarter, the quarter after the last, and the offset."""
    low, end = quarter_of(since), quarter_of(until)
    here = low
    offset = _offset(low, zone)
    while here < end:
        following = min(here + QUARTERS_PER_DAY, end)
        if _offset(following, zone) == offset:
            here = following
            continue
        # Bisect for the first quarter with the new offset.
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


def local_hour_periods(shown: datetime, zone: tzinfo) -> list[tuple[datetime, datetime]]:
    """The half-open periods in which the clocks of `zone` show the hour that begins at the naive time `shown`: usually
    one, but near a DST change a part of an hour, several parts, or none."""
    periods = []
    there = shown.replace(tzinfo=UTC)
    offsets = {moment.astimezone(zone).utcoffset() for moment in (there - _DAY, there, there + _DAY)}
    if len(offsets) == 1 and (offset := offsets.pop()) is not None:  # the usual case
        return [(there - offset, there - offset + _HOUR)]
    for low, high, offset in offset_periods(there - _DAY, there + _DAY, zone):
        begin, end = max(quarter_start(low), there - offset), min(quarter_start(high), there - offset + _HOUR)
        if begin < end:
            periods.append((begin, end))
    return periods


def quarter_start(quarter: int) -> datetime:
    """The time when a quarter of an hour begins, in UTC."""
    return datetime.fromtimestamp(quarter * QUARTER_SECONDS, UTC)


def quarter_of(moment: datetime) -> int:
    """The number of the quarter of an hour that contains `moment`."""
    return int(moment.timestamp() // QUARTER_SECONDS)


def _offset(quarter: int, zone: tzinfo) -> timedelta:
    return quarter_start(quarter).astimezone(zone).utcoffset() or timedelta()
