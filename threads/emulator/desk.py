"""The world with what happened since: threads that arrived, were deleted, locked or renamed."""

import json
import threading
import time
from collections.abc import Sequence
from functools import lru_cache

from threads.emulator.conversation import Json
from threads.emulator.world import World

_CACHED_ROWS = 4096
_CACHED_CONVERSATIONS = 64


def as_bytes(value: object) -> bytes:
    """JSON as the API sends it."""
    return json.dumps(value, separators=(",", ":")).encode()


class Desk:
    """What the API answers from. All methods may be called from any thread.

    A thread is named by its index, 0 for the oldest; those that arrived come after the world's.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._started = time.monotonic()
        self._lock = threading.Lock()
        self._arrived: list[tuple[str, int]] = []
        self._arrived_of: dict[str, list[int]] = {}
        self._titles: dict[int, str | None] = {}
        self._status: dict[int, Json] = {}
        self.deleted: set[int] = set()
        self._cached_row = lru_cache(_CACHED_ROWS)(self._render)
        self._cached_items = lru_cache(_CACHED_CONVERSATIONS)(self._converse)

    # Happenings.

    def arrive(self, count: int, user: str | None) -> list[str]:
        """`count` new threads, of `user` or of anybody, at the newest end; their ids."""
        with self._lock:
            return [self._world.thread_id(self._arrive(user)) for _ in range(count)]

    def _arrive(self, user: str | None) -> int:
        index = self._world.threads + len(self._arrived)
        if user is None:
            user = self._world.some_user(index)
        clock = int(self._world.now + time.monotonic() - self._started)
        self._arrived.append((user, clock))
        self._arrived_of.setdefault(user, []).append(index)
        return index

    def delete(self, index: int) -> bool:
        """Whether the thread was there to delete."""
        with self._lock:
            if index in self.deleted:
                return False
            self.deleted.add(index)
            return True

    def set_title(self, index: int, title: str | None) -> None:
        """Gives the thread another title."""
        self._titles[index] = title

    def set_status(self, index: int, status: Json) -> None:
        """Gives the thread another status, as the API shows it."""
        self._status[index] = status

    # What there is.

    def find(self, thread_id: str) -> int | None:
        """The index of the thread with this id; None when there is none, or none any more."""
        index = self._world.index_of(thread_id)
        if index is None or index >= self._count() or index in self.deleted:
            return None
        return index

    def find_item(self, index: int, item_id: str) -> int | None:
        """The position of the item with this id in the thread `index`; None when it has none such."""
        place = self._world.item_place(item_id)
        if place is None or place[0] != index or place[1] >= len(self.items(index)):
            return None
        return place[1]

    def _count(self) -> int:
        return self._world.threads + len(self._arrived)

    def rows(self, user: str | None = None) -> Sequence[int]:
        """The indexes of all threads or of those of `user`, oldest first, deleted ones among them."""
        if user is None:
            return range(self._count())
        begun = self._world.threads_of(user)
        arrived = self._arrived_of.get(user)
        return [*begun, *arrived] if arrived else begun

    def thread_id(self, index: int) -> str:
        """The id of the thread `index`."""
        return self._world.thread_id(index)

    def thread(self, index: int) -> bytes:
        """The thread as JSON."""
        if index in self._titles or index in self._status:
            return self._render(index)
        return self._cached_row(index)

    def items(self, index: int) -> list[Json]:
        """The thread's items, oldest first. To be read only: the list is shared."""
        return self._cached_items(index)

    def _origin(self, index: int) -> tuple[str, int]:
        """The thread's user and the second it began."""
        if index >= self._world.threads:
            return self._arrived[index - self._world.threads]
        return self._world.user_of(index), self._world.created_at(index)

    def _render(self, index: int) -> bytes:
        row = self._world.thread(index, *self._origin(index))
        row["title"] = self._titles.get(index, row["title"])
        row["status"] = self._status.get(index, row["status"])
        return as_bytes(row)

    def _converse(self, index: int) -> list[Json]:
        return self._world.items(index, self._origin(index)[1])
