"""Seeded random numbers (SplitMix64), the same on every Python version."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_MASK = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15


def _splitmix64(value: int) -> int:
    """The finaliser of SplitMix64: hashes 64 bits to 64 bits."""
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def mix(*parts: int) -> int:
    """A 64-bit hash of `parts`, which depends on their order."""
    state = 0
    for part in parts:
        state = _splitmix64((state + part * _STEP + _STEP) & _MASK)
    return state


class SeededRandom:
    """A random number generator. The same `parts` give the same sequence."""

    __slots__ = ("_state",)

    def __init__(self, *parts: int) -> None:
        self._state = mix(*parts)

    def bits(self) -> int:
        """The next 64 bits."""
        self._state = (self._state + _STEP) & _MASK
        return _splitmix64(self._state)

    def below(self, bound: int) -> int:
        """A random integer from 0 to `bound` - 1."""
        return self.bits() % bound

    def between(self, low: int, high: int) -> int:
        """A random integer from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def odds(self, percent: float) -> bool:
        """True with a probability of `percent`."""
        return self.below(100_000) < percent * 1000

    def pick(self, choices: Sequence[T]) -> T:
        """A random element of `choices`."""
        return choices[self.below(len(choices))]
