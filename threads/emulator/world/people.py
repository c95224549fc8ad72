"""Whose thread is whose: hundreds of users of different habits, without a list of who has what.

Threads are dealt like cards. Four of five go to the steady deck, whose users' threads lie anywhere
in time; the fifth goes to the bursty deck, whose users come several times within an hour or a day.
In a deck, a shuffle sends every thread to a place, and every user owns a run of places: long for a
few, one to three for most. Both ways can be asked, so a user's threads are found without a scan.
"""

from array import array
from bisect import bisect_right
from functools import cached_property, lru_cache

from .shuffle import Shuffle
from .usernames import username

_DEAL = 5


def _run_starts(places: int, users: int) -> "array[int]":
    """Where each user's run of places starts, and at last where the last one ends.

    Everybody gets one place; the rest is shared out by rank, the first getting several hundred
    times as much as the last, but never a share of the whole that grows with it.
    """
    weights = [(rank + 1 + users / 40) ** -1.6 for rank in range(users)]
    total, so_far = sum(weights), 0.0
    starts = array("I", [0])
    for rank, weight in enumerate(weights, 1):
        so_far += weight
        starts.append(rank + round((places - users) * min(so_far / total, 1.0)))
    return starts


class Deck:
    """Deals `size` cards to `users` users, `run` neighbours at a time to the same one."""

    def __init__(self, size: int, users: int, run: int, seed: int) -> None:
        self._run = run
        self._whole = size // run * run
        self._shuffle = Shuffle(max(size // run, 1), seed)
        self.users = min(users, size)
        self._starts = _run_starts(size, self.users)

    def owner(self, card: int) -> int:
        """The user (0 … users - 1) who has `card`."""
        place = card
        if card < self._whole:
            cell, rest = divmod(card, self._run)
            place = self._shuffle.there(cell) * self._run + rest
        return bisect_right(self._starts, place) - 1

    def cards(self, user: int) -> list[int]:
        """The cards that `user` has, smallest first."""
        return sorted(map(self._card, range(self._starts[user], self._starts[user + 1])))

    def _card(self, place: int) -> int:
        if place >= self._whole:
            return place
        cell, rest = divmod(place, self._run)
        return self._shuffle.back(cell) * self._run + rest


class People:
    """The users of a world of `threads` threads: 416 for 5000, and about 22,000 for a million.

    They have the names of the users with the numbers from `first` on.
    """

    def __init__(self, threads: int, seed: int, first: int = 0) -> None:
        self._threads = threads
        self._seed = seed
        self._first = first
        self._cached_threads_of = lru_cache(maxsize=64)(self._find_threads_of)
        self._cached_name = lru_cache(maxsize=1024)(username)

    @cached_property
    def _steady(self) -> Deck:
        users = max(1, round(333 * (self._threads / 5000) ** 0.75))
        return Deck(self._threads - self._threads // _DEAL, users, 1, self._seed)

    @cached_property
    def _bursty(self) -> Deck:
        users = max(1, round(83 * (self._threads / 5000) ** 0.75))
        return Deck(self._threads // _DEAL, users, 4, self._seed + 1)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        count = self._steady.users + self._bursty.users
        return {username(self._seed, self._first + number): number for number in range(count)}

    def names(self) -> list[str]:
        """Every user who has a thread: the steady ones, then the bursty ones, the heaviest first."""
        return list(self._numbers)

    def name(self, number: int) -> str:
        """The name of user `number`, 0 for the first of this world."""
        return self._cached_name(self._seed, self._first + number)

    def user_of(self, index: int) -> str:
        """The user whose thread `index` is."""
        hand, place = divmod(index, _DEAL)
        if place == _DEAL - 1:
            number = self._steady.users + self._bursty.owner(hand)
        else:
            number = self._steady.owner(hand * (_DEAL - 1) + place)
        return self.name(number)

    def threads_of(self, user: str) -> "array[int]":
        """The indexes of the threads of `user`, oldest first; empty for an unknown user."""
        return self._cached_threads_of(user)

    def _find_threads_of(self, user: str) -> "array[int]":
        number = self._numbers.get(user)
        if number is None:
            return array("I")
        if number >= self._steady.users:
            cards = self._bursty.cards(number - self._steady.users)
            return array("I", (card * _DEAL + _DEAL - 1 for card in cards))
        cards = self._steady.cards(number)
        return array("I", (card // (_DEAL - 1) * _DEAL + card % (_DEAL - 1) for card in cards))
