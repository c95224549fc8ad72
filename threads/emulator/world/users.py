"""Assigns threads to users, computed in both directions without a stored list.

Four of five threads belong to the steady users, whose threads spread over all the time; every fifth belongs to the
bursty users, who write several threads within an hour or a day. Within each of the two pools, a permutation maps every
thread to a position, and every user owns a range of positions: long for a few users, one to three for most. The
inverse permutation finds a user's threads without a scan.
"""

from array import array
from bisect import bisect_right
from functools import cached_property, lru_cache

from .permutation import Permutation
from .usernames import username

_POOL_CYCLE = 5


def _range_starts(positions: int, users: int) -> "array[int]":
    """The start of each user's range of positions, and the end of the last one.

    Every user gets one position; the rest is distributed by a power law of the rank: the first user gets several
    hundred times as many as the last, but a share of the whole that does not grow with it.
    """
    weights = [(rank + 1 + users / 40) ** -1.6 for rank in range(users)]
    total, so_far = sum(weights), 0.0
    starts = array("I", [0])
    for rank, weight in enumerate(weights, 1):
        so_far += weight
        starts.append(rank + round((positions - users) * min(so_far / total, 1.0)))
    return starts


class UserPool:
    """Assigns `size` threads to `users` users, each run of `run` neighbouring threads to the same user."""

    def __init__(self, size: int, users: int, run: int, seed: int) -> None:
        self._run = run
        self._whole = size // run * run
        self._permutation = Permutation(max(size // run, 1), seed)
        self.users = min(users, size)
        self._starts = _range_starts(size, self.users)

    def owner(self, thread: int) -> int:
        """The user (0 … users - 1) of `thread`."""
        position = thread
        if thread < self._whole:
            cell, rest = divmod(thread, self._run)
            position = self._permutation.forward(cell) * self._run + rest
        return bisect_right(self._starts, position) - 1

    def threads(self, user: int) -> list[int]:
        """The threads of `user`, oldest first."""
        return sorted(map(self._thread, range(self._starts[user], self._starts[user + 1])))

    def _thread(self, position: int) -> int:
        if position >= self._whole:
            return position
        cell, rest = divmod(position, self._run)
        return self._permutation.inverse(cell) * self._run + rest


class Users:
    """The users of a world of `threads` threads: 416 for 5,000 and about 22,000 for a million.

    `first` is the number of the first user, which decides the usernames.
    """

    def __init__(self, threads: int, seed: int, first: int = 0) -> None:
        self._threads = threads
        self._seed = seed
        self._first = first
        self._cached_threads_of = lru_cache(maxsize=64)(self._find_threads_of)
        self._cached_name = lru_cache(maxsize=1024)(username)

    @cached_property
    def _steady(self) -> UserPool:
        users = max(1, round(333 * (self._threads / 5000) ** 0.75))
        return UserPool(self._threads - self._threads // _POOL_CYCLE, users, 1, self._seed)

    @cached_property
    def _bursty(self) -> UserPool:
        users = max(1, round(83 * (self._threads / 5000) ** 0.75))
        return UserPool(self._threads // _POOL_CYCLE, users, 4, self._seed + 1)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        count = self._steady.users + self._bursty.users
        return {username(self._seed, self._first + number): number for number in range(count)}

    def names(self) -> list[str]:
        """The names of all users: steady, then bursty, each with the heaviest users first."""
        return list(self._numbers)

    def name(self, number: int) -> str:
        """The name of user `number`; 0 is the first of this world."""
        return self._cached_name(self._seed, self._first + number)

    def user_of(self, index: int) -> str:
        """The user of the thread `index`."""
        cycle, position = divmod(index, _POOL_CYCLE)
        if position == _POOL_CYCLE - 1:
            number = self._steady.users + self._bursty.owner(cycle)
        else:
            number = self._steady.owner(cycle * (_POOL_CYCLE - 1) + position)
        return self.name(number)

    def threads_of(self, user: str) -> "array[int]":
        """The indexes of the threads of `user`, oldest first; empty for an unknown user."""
        return self._cached_threads_of(user)

    def _find_threads_of(self, user: str) -> "array[int]":
        number = self._numbers.get(user)
        if number is None:
            return array("I")
        if number >= self._steady.users:
            own = self._bursty.threads(number - self._steady.users)
            return array("I", (thread * _POOL_CYCLE + _POOL_CYCLE - 1 for thread in own))
        own = self._steady.threads(number)
        return array("I", (thread // (_POOL_CYCLE - 1) * _POOL_CYCLE + thread % (_POOL_CYCLE - 1) for thread in own))
