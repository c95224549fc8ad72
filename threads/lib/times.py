"""Formats times and durations for readers, in their time zone, and converts days to times."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_STEPS = ((60, 60, "min"), (3600, 24, "h"), (86400, 14, "day"), (7 * 86400, 9, "week"), (30.44 * 86400, 24, "month"))
"""Seconds per unit, number of units from which the next unit is used, name of the unit."""


def zone_by_name(name: str | None) -> tzinfo:
    """The time zone of this IANA name; UTC where the name is None or unknown."""
    return ZoneInfo(name) if name is not None and name in _zones() else UTC


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def exact(moment: datetime, zone: tzinfo) -> str:
    """The time to the minute, such as "22 Nov 2026, 06:40"."""
    local = _local(moment, zone)
    return f"{local.day} {_MONTHS[local.month - 1]} {local.year}, {local.hour:02}:{local.minute:02}"


def exact_to_seconds(moment: datetime, zone: tzinfo) -> str:
    """The time to the second, such as "22 Nov 2026, 06:40:05"."""
    return f"{exact(moment, zone)}:{_local(moment, zone).second:02}"


def clock(moment: datetime, zone: tzinfo) -> str:
    """The time of day, such as "06:40"."""
    return f"{_local(moment, zone):%H:%M}"


def day(moment: datetime, zone: tzinfo) -> str:
    """The day, such as "Sunday, 22 Nov 2026"."""
    local = _local(moment, zone)
    return f"{DAYS[local.weekday()]}, {local.day} {_MONTHS[local.month - 1]} {local.year}"


def hour_of_week(hour: str) -> str:
    """An hour of the week in words: "Mondays, 09:00 to 10:00" for "0-09"."""
    clock = int(hour[2:])
    return f"{DAYS[int(hour[0])]}s, {clock:02}:00 to {(clock + 1) % 24:02}:00"


def _local(moment: datetime, zone: tzinfo) -> datetime:
    try:
        return moment.astimezone(zone)
    except OverflowError:  # on the first and the last day of the calendar
        return moment


def relative(moment: datetime, now: datetime) -> str:
    """A time relative to `now`, such as "just now", "5 min ago", "3 days ago", "in 2 h"."""
    seconds = (now - moment).total_seconds()
    size = abs(seconds)
    if size < 60:
        return "just now"
    for unit, enough, name in _STEPS:
        if size < unit * enough:
            return _directed(int(size // unit), name, past=seconds > 0)
    return _directed(int(size // (365.25 * 86400)), "year", past=seconds > 0)


_LETTERS = {"min": "m", "h": "h", "day": "d", "week": "w", "month": "mo"}


def short(moment: datetime, now: datetime) -> str:
    """As `relative`, in a few letters: "now", "5m", "3h", "9d", "7w", "14mo", "2y". A time to come is "now"."""
    seconds = (now - moment).total_seconds()
    if seconds < 60:
        return "now"
    for unit, enough, name in _STEPS:
        if seconds < unit * enough:
            return f"{int(seconds // unit)}{_LETTERS[name]}"
    return f"{int(seconds // (365.25 * 86400))}y"


def duration(seconds: float) -> str:
    """A wait in its largest unit, rounded up, such as "2 seconds", "10 minutes"."""
    for unit, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= unit:
            count = -int(-seconds // unit)
            return f"{count} {name}{'s' if count != 1 else ''}"
    count = max(1, -int(-seconds // 1))
    return f"{count} second{'s' if count != 1 else ''}"


def time_left(seconds: float) -> str:
    """Remaining time in up to two units, rounded up: "less than a minute", "about 14 minutes", "about 5 hours 34
    minutes", "about 2 days 8 hours"."""
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


def rough_duration(seconds: float) -> str:
    """A duration of an hour or more, rounded to the nearest hour or day, such as "2 hours", "9 days"."""
    unit, name = (86400, "day") if seconds >= 36 * 3600 else (3600, "hour")
    count = round(seconds / unit)
    return f"{count:,} {name}{'s' if count != 1 else ''}"


def _directed(count: int, name: str, *, past: bool) -> str:
    plural = "s" if count != 1 and name not in {"min", "h"} else ""
    return f"{count} {name}{plural} ago" if past else f"in {count} {name}{plural}"


_DAY = timedelta(days=1)


def day_bounds(begin: date | None, end: date | None, zone: tzinfo) -> tuple[datetime | None, datetime | None]:
    """The start of the day `begin` and the end of the day `end` in a zone, as UTC; None for no bound."""
    return _start(begin, zone), _start(end + _DAY if end and end < date.max else None, zone)


def day_start(days: int, now: datetime, zone: tzinfo) -> datetime:
    """The start, as UTC, of the first of so many days in a zone of which the day of `now` is the last."""
    today = _local(now, zone).date()
    return day_bounds(today - (days - 1) * _DAY, None, zone)[0] or now


def _start(day: date | None, zone: tzinfo) -> datetime | None:
    try:
        return None if day is None else datetime.combine(day, time(), zone).astimezone(UTC)
    except OverflowError:
        return None
