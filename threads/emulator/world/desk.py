"""The world with what happened since: threads that arrived, were deleted, hidden, locked or renamed."""

import json
import threading
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial

from .conversation import Json
from .showcase import Scene, play
from .told import Told
from .world import World

_CACHED_ROWS = 4096
_CACHED_CONVERSATIONS = 64


def as_bytes(value: object) -> bytes:
    """JSON as the API sends it."""
    return json.dumps(value, separators=(",", ":")).encode()


class Desk:
    """What the API answers from. All methods may be called from any thread.

    A thread is named by its index, 0 for the oldest; those that arrived come after the world's.
    `scenes` are told in place of what the world has for their threads.
    """

    def __init__(self, world: World, scenes: Mapping[int, Scene]) -> None:
        self._world = world
        self._started = time.monotonic()
        self._lock = threading.Lock()
        self._arrived: list[tuple[str, int]] = []
        self._arrived_of: dict[str, list[int]] = {}
        self._titles: dict[int, str | None] = {index: scene.title for index, scene in scenes.items()}
        self._status: dict[int, Json] = {index: scene.status for index, scene in scenes.items()}
        self._told = {index: Told(partial(play, scene, world, index)) for index, scene in scenes.items()}
        self._created_at: dict[int, int] = {}
        self._deleted: set[int] = set()
        # Deleted or hidden: no call finds these threads.
        self.gone: set[int] = set()
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
        self._arrived.append((user, self._clock()))
        self._arrived_of.setdefault(user, []).append(index)
        return index

    def _clock(self) -> int:
        """The world's present, in Unix seconds."""
        return int(self._world.now + time.monotonic() - self._started)

    def delete(self, index: int) -> bool:
        """Whether the thread was there to delete."""
        with self._lock:
            if index in self._deleted:
                return False
            self._deleted.add(index)
            self.gone.add(index)
            self._told.pop(index, None)
            return True

    def hide(self, index: int) -> None:
        """Keeps the thread from every call until `reveal`."""
        with self._lock:
            self.gone.add(index)

    def reveal(self, index: int) -> None:
        """Shows a hidden thread again; a deleted one stays deleted."""
        with self._lock:
            if index not in self._deleted:
                self.gone.discard(index)

    def set_items(self, index: int, items: Sequence[Json]) -> bool:
        """Whether the thread was there to be given another conversation.

        Items without a time come a minute apart from the thread's beginning on, or closer together
        where it has not been there for so long.
        """
        with self._lock:
            if index in self._deleted:
                return False
            began = self._origin(index)[1]
            step = min(60, (self._clock() - began) // max(len(items), 1))
            moments = [began + step * position for position in range(len(items))]
            self._tell(index, [], items, moments)
            return True

    def add_items(self, index: int, items: Sequence[Json]) -> bool:
        """Whether the thread was there to be given more items; those without a time come now."""
        with self._lock:
            if index in self._deleted:
                return False
            self._tell(index, self.items(index), items, [self._clock()] * len(items))
            return True

    def _tell(self, index: int, begun: list[Json], items: Sequence[Json], moments: Sequence[int]) -> None:
        # A new list, not a longer one: whoever is reading the old one goes on with it undisturbed.
        whole = begun.copy()
        for own, moment in zip(items, moments, strict=True):
            earliest = max(moment, whole[-1]["created_at"]) if whole else moment
            whole.append(self._world.item(index, len(whole), own, earliest))
        self._told[index] = Told(lambda: whole)

    def set_title(self, index: int, title: str | None) -> None:
        """Gives the thread another title."""
        self._titles[index] = title

    def set_status(self, index: int, status: Json) -> None:
        """Gives the thread another status, as the API shows it."""
        self._status[index] = status

    def set_created_at(self, index: int, seconds: int) -> None:
        """Gives the thread's row another `created_at`; its place in the order and its items stay."""
        self._created_at[index] = seconds

    # What there is.

    def find(self, thread_id: str) -> int | None:
        """The index of the thread with this id; None when no call finds it."""
        index = self.find_hidden(thread_id)
        return None if index in self.gone else index

    def find_hidden(self, thread_id: str) -> int | None:
        """The index of the thread with this id, even of a hidden one; None for an unknown or deleted one."""
        index = self._world.index_of(thread_id)
        if index is None or index >= self._count() or index in self._deleted:
            return None
        return index

    def find_item(self, index: int, item_id: str) -> int | None:
        """The position of the item with this id in the thread `index`; None when it has none such."""
        told = self._told.get(index)
        if told:
            return told.places.get(item_id)
        place = self._world.item_place(item_id)
        if place is None or place[0] != index or place[1] >= len(self.items(index)):
            return None
        return place[1]

    def _count(self) -> int:
        return self._world.threads + len(self._arrived)

    def rows(self, user: str | None = None) -> Sequence[int]:
        """The indexes of all threads or of those of `user`, oldest first, deleted and hidden ones among them."""
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
        if index in self._titles or index in self._status or index in self._created_at:
            return self._render(index)
        return self._cached_row(index)

    def items(self, index: int) -> list[Json]:
        """The thread's items, oldest first. To be read only: the list is shared."""
        told = self._told.get(index)
        return told.items if told else self._cached_items(index)

    def _origin(self, index: int) -> tuple[str, int]:
        """The thread's user and the second it began."""
        if index >= self._world.threads:
            return self._arrived[index - self._world.threads]
        return self._world.user_of(index), self._world.created_at(index)

    def _render(self, index: int) -> bytes:
        row = self._world.thread(index, *self._origin(index))
        row["created_at"] = self._created_at.get(index, row["created_at"])
        row["title"] = self._titles.get(index, row["title"])
        row["status"] = self._status.get(index, row["status"])
        return as_bytes(row)

    def _converse(self, index: int) -> list[Json]:
        return self._world.items(index, self._origin(index)[1])
