"""The initial data of the emulator: every thread is computed from its index, none is stored."""

from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache

from .conversation import Json, conversation
from .creation_times import CreationTimes
from .ids import Ids, join_place, split_place
from .seeded_random import mix
from .subject import subject
from .users import Users

_TIE_CACHE_SIZE = 64


class World:
    """A world of `threads` threads; index 0 is the oldest. The same arguments give the same world.

    Ids, titles and items do not depend on `threads` and are defined for any index, so that threads can be added later.
    `now` is Unix seconds.

    From `ties` = 2 on, every run of `ties` neighbours has the `created_at` of its oldest thread, and threads with the
    same `created_at` are sorted by id. `first_user` is the number of the first user: worlds whose ranges of user
    numbers do not overlap have no user in common.
    """

    def __init__(self, threads: int, seed: int, now: float, ties: int = 1, first_user: int = 0) -> None:
        self.threads = threads
        self.seed = seed
        self.now = now
        self.ties = ties
        self.users = Users(threads, seed, first_user)
        self._creation_times = CreationTimes(threads, seed, now)
        self._thread_ids = Ids("cthr_", seed)
        self._item_ids = Ids("cti_", seed)
        self._cached_tied = lru_cache(_TIE_CACHE_SIZE)(self._find_tied)

    def thread_id(self, index: int) -> str:
        """The id of the thread `index`."""
        if self.ties == 1 or index >= self.threads:
            return self._thread_ids.encode(index)
        first, tied = self._cached_tied(index // self.ties)
        return tied[index - first]

    def index_of(self, thread_id: str) -> int | None:
        """The index of a thread id, or None for an invalid id."""
        number = self._thread_ids.decode(thread_id)
        if number is None or self.ties == 1 or number >= self.threads:
            return number
        first, tied = self._cached_tied(number // self.ties)
        return first + bisect_left(tied, thread_id)

    def _find_tied(self, run: int) -> tuple[int, list[str]]:
        """The threads with the `created_at` of the run: the index of the first, and their sorted ids."""
        low = run * self.ties
        high = low + self.ties
        # Neighbouring runs can start in the same second.
        while low > 0 and self.created_at(low - 1) == self.created_at(run * self.ties):
            low -= self.ties
        while high < self.threads and self.created_at(high) == self.created_at(run * self.ties):
            high += self.ties
        return low, sorted(map(self._thread_ids.encode, range(low, min(high, self.threads))))

    def item_id(self, index: int, position: int) -> str:
        """The id of the item at `position` (0 is the oldest) of the thread `index`."""
        return self._item_ids.encode(join_place(index, position))

    def item_place(self, item_id: str) -> tuple[int, int] | None:
        """The (thread index, position) of an item id, or None for an invalid id."""
        place = self._item_ids.decode(item_id)
        return None if place is None else split_place(place)

    def created_at(self, index: int) -> int:
        """The `created_at` of the thread `index` in Unix seconds; monotonic."""
        return self._creation_times.created_at(index // self.ties * self.ties)

    def user_of(self, index: int) -> str:
        """The user of the initial thread `index`."""
        return self.users.user_of(index)

    def threads_of(self, user: str) -> Sequence[int]:
        """The indexes of the initial threads of `user`, oldest first."""
        return self.users.threads_of(user)

    def some_user(self, index: int) -> str:
        """A random user for an added thread, weighted by number of threads."""
        if self.threads == 0:
            return self.users.name(0)
        return self.user_of(mix(self.seed, 41, index) % self.threads)

    def thread(self, index: int, user: str, created_at: int) -> Json:
        """The thread `index` in the form of the API."""
        about = subject(self.seed, index, self.threads - 1 - index)
        status: Json = {"type": about.status}
        if about.status != "active":
            status["reason"] = about.reason
        return {
            "id": self.thread_id(index),
            "object": "chatkit.thread",
            "created_at": created_at,
            "title": about.title,
            "status": status,
            "user": user,
        }

    def items(self, index: int, created_at: int) -> list[Json]:
        """The items of the thread `index` in the form of the API, oldest first."""
        about = subject(self.seed, index, self.threads - 1 - index)
        arrived = index >= self.threads
        seconds = 0 if arrived else int(self.now) - created_at
        return [
            self.item(index, position, own, created_at + after)
            for position, (after, own) in enumerate(conversation(about, self.seed, index, seconds))
        ]

    def item(self, index: int, position: int, own: Json, created_at: int) -> Json:
        """The item at `position` in the form of the API. `own` overrides the common fields."""
        return {
            "id": self.item_id(index, position),
            "object": "chatkit.thread_item",
            "thread_id": self.thread_id(index),
            "created_at": created_at,
            **own,
        }
