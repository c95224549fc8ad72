"""Repeatable chance: the same numbers in give the same draws out, on every Python version."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_MASK = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15


def _stir(value: int) -> int:
    """The finaliser of SplitMix64: 64 bits in, 64 well-mixed bits out."""
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def mix(*parts: int) -> int:
    """One 64-bit number that depends on every one of `parts` and on their order."""
    state = 0
    for part in parts:
        state = _stir((state + part * _STEP + _STEP) & _MASK)
    return state


class Draw:
    """A stream of draws that depends on nothing but the numbers it was made from."""

    __slots__ = ("_state",)

    def __init__(self, *parts: int) -> None:
        self._state = mix(*parts)

    def bits(self) -> int:
        """The next 64 bits."""
        self._state = (self._state + _STEP) & _MASK
        return _stir(self._state)

    def below(self, bound: int) -> int:
        """A whole number from 0 to `bound` - 1."""
        return self.bits() % bound

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both possible."""
        return low + self.below(high - low + 1)

    def odds(self, percent: float) -> bool:
        """True in about `percent` cases of a hundred."""
        return self.below(100_000) < percent * 1000

    def pick(self, choices: Sequence[T]) -> T:
        """One of `choices`, each as likely as any other."""
        return choices[self.below(len(choices))]
