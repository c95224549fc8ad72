"""Times in words."""

from datetime import UTC, datetime, timedelta, tzinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threads.lib import times

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=-59), "just now"),
        (timedelta(minutes=1), "1 min ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (timedelta(hours=1), "1 h ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=13), "13 days ago"),
        (timedelta(days=14), "2 weeks ago"),
        (timedelta(days=70), "2 months ago"),
        (timedelta(days=800), "2 years ago"),
        (timedelta(hours=-3), "in 3 h"),
        (timedelta(days=-2), "in 2 days"),
    ],
)
def test_relative(ago: timedelta, words: str) -> None:
    assert times.relative(NOON - ago, NOON) == words


def test_exact_is_in_the_readers_zone() -> None:
    assert times.exact(NOON, times.zone_by_name("Asia/Tokyo")) == "22 Nov 2026, 21:00"
    assert times.exact(NOON, UTC) == "22 Nov 2026, 12:00"


@pytest.mark.parametrize("name", [None, "", "UTC", "../../etc/passwd", "America", "Mars/Base", "\0", "a" * 10_000])
def test_a_zone_that_does_not_exist_is_utc(name: str | None) -> None:
    assert str(times.zone_by_name(name)) == "UTC"


zones = st.sampled_from(["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu"]).map(times.zone_by_name)


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)), zones)
def test_every_time_of_the_calendar_has_words(moment: datetime, now: datetime, zone: tzinfo) -> None:
    assert times.exact(moment, zone)
    assert times.relative(moment, now)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "1 second"), (2, "2 seconds"), (60, "1 minute"), (61, "2 minutes"), (3600, "1 hour"), (86400, "1 day")],
)
def test_duration(seconds: float, words: str) -> None:
    assert times.duration(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "less than a minute"),
        (60, "about 1 minute"),
        (61, "about 2 minutes"),
        (3600, "about 1 hour"),
        (3661, "about 1 hour 2 minutes"),
        (100_000 / 300 * 60, "about 5 hours 34 minutes"),
        (1_000_000 / 300 * 60, "about 2 days 8 hours"),
    ],
)
def test_time_left(seconds: float, words: str) -> None:
    assert times.time_left(seconds) == words


UNITS = {"minute": 60, "hour": 3600, "day": 86400}


@given(st.integers(60, 10**9))
def test_time_left_is_the_time_that_is_left(seconds: float) -> None:
    words = times.time_left(seconds).removeprefix("about ").replace(",", "").split()
    said = sum(int(count) * UNITS[unit.rstrip("s")] for count, unit in zip(words[::2], words[1::2], strict=True))
    assert seconds <= said < seconds + (60 if seconds < 47 * 3600 else 3600)
