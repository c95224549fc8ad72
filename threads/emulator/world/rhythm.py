"""When threads begin: busy on working days, quiet at night, now and then several in one second."""

from bisect import bisect_right
from itertools import accumulate

from .chance import mix

_HOUR = 3600
_WEEK = 7 * 24 * _HOUR
_DAY = 24 * _HOUR
# How busy each hour of a working day is (UTC), and each weekday; 1970-01-01 was a Thursday.
_HOURS = (4, 3, 2, 2, 2, 4, 12, 35, 75, 100, 105, 100, 80, 90, 100, 95, 85, 70, 50, 42, 38, 28, 16, 8)
_WEEKDAYS = (100, 88, 35, 26, 108, 104, 102)
_BUSY = [hour * day / 10_000 for day in _WEEKDAYS for hour in _HOURS]
_BUSY_UNTIL = [0.0, *accumulate(_BUSY)]
_BUSY_WEEK = _BUSY_UNTIL[-1]

_NEWEST_AGE = 130
_TIE_BLOCK = 32


def _busyness(moment: float) -> float:
    """How much business there was from 1970 until `moment` (Unix seconds)."""
    weeks, rest = divmod(moment, _WEEK)
    hour, seconds = divmod(rest, _HOUR)
    return weeks * _BUSY_WEEK + _BUSY_UNTIL[int(hour)] + _BUSY[int(hour)] * seconds / _HOUR


def _moment(business: float) -> float:
    """The moment (Unix seconds) until which there was so much business; never decreases."""
    weeks, rest = divmod(business, _BUSY_WEEK)
    hour = min(bisect_right(_BUSY_UNTIL, rest) - 1, len(_BUSY) - 1)
    share = min((rest - _BUSY_UNTIL[hour]) / _BUSY[hour], 1.0)
    return weeks * _WEEK + (hour + share) * _HOUR


def span_days(threads: int) -> float:
    """How many days `threads` threads spread over: 120 for 5000, about two years for a million."""
    return 120 * float((max(threads, 1) / 5000) ** 0.35)


class Rhythm:
    """The moment each of `threads` threads begins, the last a little before `now`."""

    def __init__(self, threads: int, seed: int, now: float) -> None:
        self._last = max(threads - 1, 0)
        self._seed = seed
        end = now - _NEWEST_AGE
        self._from = _busyness(end - span_days(threads) * _DAY)
        self._to = _busyness(end)

    def created_at(self, index: int) -> int:
        """Unix seconds at which the thread `index` (0 is the oldest) begins; never decreases."""
        if self._last == 0:
            return int(_moment(self._to))
        leader = self._leader(index)
        # A random step inside the thread's own share of the time cannot overtake the next one.
        step = 0.0 if leader >= self._last else mix(self._seed, 11, leader) / 2**64
        share = (leader + step) / self._last
        return int(_moment(self._from + (self._to - self._from) * share))

    def _leader(self, index: int) -> int:
        """The oldest thread that shares its second with `index`; most share it with nobody."""
        block = index // _TIE_BLOCK
        chance = mix(self._seed, 12, block)
        if chance % 48 == 0:  # an import: more threads in a second than on a page
            first, length = 0, _TIE_BLOCK
        else:
            first, length = chance // 64 % (_TIE_BLOCK - 5), 2 + chance // 4096 % 4
        start = block * _TIE_BLOCK + first
        # The newest thread stands alone, so that it is as young as was promised.
        tied = start <= index < start + length <= self._last
        return start if tied else index
