"""Creation times of threads: many on working days, few at night, sometimes several in one second."""

from bisect import bisect_right
from itertools import accumulate

from .seeded_random import mix

_HOUR = 3600
_WEEK = 7 * 24 * _HOUR
_DAY = 24 * _HOUR
# Relative load of each hour (UTC) and of each weekday from Thursday on, as 1970-01-01 was a Thursday.
_LOAD_BY_HOUR = (4, 3, 2, 2, 2, 4, 12, 35, 75, 100, 105, 100, 80, 90, 100, 95, 85, 70, 50, 42, 38, 28, 16, 8)
_LOAD_BY_WEEKDAY = (100, 88, 35, 26, 108, 104, 102)
_LOAD = [hour * day / 10_000 for day in _LOAD_BY_WEEKDAY for hour in _LOAD_BY_HOUR]
_LOAD_UNTIL = [0.0, *accumulate(_LOAD)]
_LOAD_PER_WEEK = _LOAD_UNTIL[-1]

_NEWEST_AGE_SECONDS = 130
_TIE_BLOCK_THREADS = 32


def _cumulative_load(moment: float) -> float:
    """The load summed up from 1970 until `moment` (Unix seconds)."""
    weeks, rest = divmod(moment, _WEEK)
    hour, seconds = divmod(rest, _HOUR)
    return weeks * _LOAD_PER_WEEK + _LOAD_UNTIL[int(hour)] + _LOAD[int(hour)] * seconds / _HOUR


def _time_at_load(load: float) -> float:
    """The time (Unix seconds) at which the cumulative load is `load`; monotonic."""
    weeks, rest = divmod(load, _LOAD_PER_WEEK)
    hour = min(bisect_right(_LOAD_UNTIL, rest) - 1, len(_LOAD) - 1)
    share = min((rest - _LOAD_UNTIL[hour]) / _LOAD[hour], 1.0)
    return weeks * _WEEK + (hour + share) * _HOUR


def span_days(threads: int) -> float:
    """The days that `threads` threads span: 120 for 5,000, about two years for a million."""
    return 120 * float((max(threads, 1) / 5000) ** 0.35)


class CreationTimes:
    """The `created_at` of each of `threads` threads; the newest is a little older than `now`."""

    def __init__(self, threads: int, seed: int, now: float) -> None:
        self._last = max(threads - 1, 0)
        self._seed = seed
        end = now - _NEWEST_AGE_SECONDS
        self._from = _cumulative_load(end - span_days(threads) * _DAY)
        self._to = _cumulative_load(end)

    def created_at(self, index: int) -> int:
        """The `created_at` of the thread `index` (0 is the oldest) in Unix seconds; monotonic."""
        if self._last == 0:
            return int(_time_at_load(self._to))
        leader = self._leader(index)
        # A random offset within the thread's own slot cannot overtake the next thread.
        step = 0.0 if leader >= self._last else mix(self._seed, 11, leader) / 2**64
        share = (leader + step) / self._last
        return int(_time_at_load(self._from + (self._to - self._from) * share))

    def _leader(self, index: int) -> int:
        """The oldest thread with the `created_at` of `index`; most often `index` itself."""
        block = index // _TIE_BLOCK_THREADS
        chance = mix(self._seed, 12, block)
        if chance % 48 == 0:  # an import: more threads in a second than on a page
            first, length = 0, _TIE_BLOCK_THREADS
        else:
            first, length = chance // 64 % (_TIE_BLOCK_THREADS - 5), 2 + chance // 4096 % 4
        start = block * _TIE_BLOCK_THREADS + first
        # No tie for the newest thread, so that its age is as defined.
        tied = start <= index < start + length <= self._last
        return start if tied else index
