"""Times as a reader wants them: in their own zone, exactly, and from now."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_STEPS = ((60, 60, "min"), (3600, 24, "h"), (86400, 14, "day"), (7 * 86400, 9, "week"), (30.44 * 86400, 24, "month"))
"""Seconds in a unit, how many of them before the next unit is used, its name."""


def zone(name: str | None) -> tzinfo:
    """The zone that a browser named, UTC where it named none that exists."""
    return ZoneInfo(name) if name is not None and name in _zones() else UTC


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def exact(moment: datetime, where: tzinfo) -> str:
    """Such as "22 Nov 2026, 06:40"."""
    local = _local(moment, where)
    return f"{local.day} {_MONTHS[local.month - 1]} {local.year}, {local.hour:02}:{local.minute:02}"


def exact_to_seconds(moment: datetime, where: tzinfo) -> str:
    """Such as "22 Nov 2026, 06:40:05"."""
    return f"{exact(moment, where)}:{_local(moment, where).second:02}"


def clock(moment: datetime, where: tzinfo) -> str:
    """Such as "06:40"."""
    return f"{_local(moment, where):%H:%M}"


def day(moment: datetime, where: tzinfo) -> str:
    """Such as "Sunday, 22 Nov 2026"."""
    local = _local(moment, where)
    return f"{DAYS[local.weekday()]}, {local.day} {_MONTHS[local.month - 1]} {local.year}"


def hour_of_week(hour: str) -> str:
    """Such as "Mondays, 09:00 to 10:00" for "0-09"."""
    clock = int(hour[2:])
    return f"{DAYS[int(hour[0])]}s, {clock:02}:00 to {(clock + 1) % 24:02}:00"


def _local(moment: datetime, where: tzinfo) -> datetime:
    try:
        return moment.astimezone(where)
    except OverflowError:  # the first and the last day of the calendar, west or east of Greenwich
        return moment


def relative(moment: datetime, now: datetime) -> str:
    """Such as "just now", "5 min ago", "3 days ago", "in 2 h"."""
    seconds = (now - moment).total_seconds()
    size = abs(seconds)
    if size < 60:
        return "just now"
    for unit, enough, name in _STEPS:
        if size < unit * enough:
            return _directed(int(size // unit), name, past=seconds > 0)
    return _directed(int(size // (365.25 * 86400)), "year", past=seconds > 0)


def duration(seconds: float) -> str:
    """Such as "2 seconds", "10 minutes", "a day": how long to wait, rounded up."""
    for unit, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= unit:
            count = -int(-seconds // unit)
            return f"{count} {name}{'s' if count != 1 else ''}"
    count = max(1, -int(-seconds // 1))
    return f"{count} second{'s' if count != 1 else ''}"


def time_left(seconds: float) -> str:
    """Such as "less than a minute", "about 14 minutes", "about 5 hours 34 minutes", "about 2 days 8 hours": rounded up,
    by less than the smaller of its units."""
    if seconds < 60:
        return "less than a minute"
    minutes = -int(-seconds // 60)
    hours = -int(-seconds // 3600)
    if minutes < 60:
        parts = [(minutes, "minute")]
    elif minutes < 48 * 60:
        parts = [(minutes // 60, "hour"), (minutes % 60, "minute")]
    else:
        parts = [(hours // 24, "day"), (hours % 24, "hour")]
    return "about " + " ".join(f"{count:,} {name}{'s' if count != 1 else ''}" for count, name in parts if count)


def about(seconds: float) -> str:
    """Such as "2 hours", "9 days": to the nearest, from an hour up."""
    unit, name = (86400, "day") if seconds >= 36 * 3600 else (3600, "hour")
    count = round(seconds / unit)
    return f"{count:,} {name}{'s' if count != 1 else ''}"


def _directed(count: int, name: str, *, past: bool) -> str:
    plural = "s" if count != 1 and name not in {"min", "h"} else ""
    return f"{count} {name}{plural} ago" if past else f"in {count} {name}{plural}"


_DAY = timedelta(days=1)


def bounds(begin: date | None, end: date | None, zone: tzinfo) -> tuple[datetime | None, datetime | None]:
    """When the day `begin` begins, and when the day after `end` does; None for no bound."""
    return _start(begin, zone), _start(end + _DAY if end and end < date.max else None, zone)


def _start(day: date | None, zone: tzinfo) -> datetime | None:
    try:
        return None if day is None else datetime.combine(day, time(), zone).astimezone(UTC)
    except OverflowError:
        return None
