"""Mutable state on top of the generated world: threads that were added, deleted, hidden, locked or renamed."""

import json
import threading
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial

from .conversation import Json
from .scripted_conversation import ScriptedConversation
from .showcase import Scene, play
from .world import World

_ROW_CACHE_SIZE = 4096
_ITEMS_CACHE_SIZE = 64


def as_bytes(value: object) -> bytes:
    """Encodes a value as the API does: compact JSON in ASCII."""
    return json.dumps(value, separators=(",", ":")).encode()


class WorldState:
    """The data behind the API. All methods are thread-safe.

    Threads are addressed by index: 0 is the oldest; added threads follow those of the world. `scenes` replace the
    generated conversations of their threads.
    """

    def __init__(self, world: World, scenes: Mapping[int, Scene]) -> None:
        self._world = world
        self._started = time.monotonic()
        self._lock = threading.Lock()
        self._arrived: list[tuple[str, int]] = []
        self._arrived_of: dict[str, list[int]] = {}
        self._titles: dict[int, str | None] = {index: scene.title for index, scene in scenes.items()}
        self._status: dict[int, Json] = {index: scene.status for index, scene in scenes.items()}
        self._scripted = {
            index: ScriptedConversation(partial(play, scene, world, index)) for index, scene in scenes.items()
        }
        self._created_at: dict[int, int] = {}
        self._deleted: set[int] = set()
        self.invisible: set[int] = set()
        """Indexes of deleted and hidden threads, which no call finds."""
        self._cached_row = lru_cache(_ROW_CACHE_SIZE)(self._render)
        self._cached_items = lru_cache(_ITEMS_CACHE_SIZE)(self._compute_items)

    # Changes.

    def arrive(self, count: int, user: str | None) -> list[str]:
        """Adds `count` threads, of `user` or of random users, as the newest. Returns their ids."""
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
        """The current time of the world, in Unix seconds."""
        return int(self._world.now + time.monotonic() - self._started)

    def delete(self, index: int) -> bool:
        """Deletes the thread. Returns False if it is deleted already."""
        with self._lock:
            if index in self._deleted:
                return False
            self._deleted.add(index)
            self.invisible.add(index)
            self._scripted.pop(index, None)
            return True

    def hide(self, index: int) -> None:
        """Hides the thread from every call until `reveal`."""
        with self._lock:
            self.invisible.add(index)

    def reveal(self, index: int) -> None:
        """Shows a hidden thread again. A deleted one stays deleted."""
        with self._lock:
            if index not in self._deleted:
                self.invisible.discard(index)

    def set_items(self, index: int, items: Sequence[Json]) -> bool:
        """Replaces the items of the thread. Returns False if it is deleted.

        Items without `created_at` are a minute apart from the start of the thread on, or closer together in a
        younger thread.
        """
        with self._lock:
            if index in self._deleted:
                return False
            began = self._origin(index)[1]
            step = min(60, (self._clock() - began) // max(len(items), 1))
            moments = [began + step * position for position in range(len(items))]
            self._script(index, [], items, moments)
            return True

    def add_items(self, index: int, items: Sequence[Json]) -> bool:
        """Appends items, by default with the current time. Returns False if the thread is deleted."""
        with self._lock:
            if index in self._deleted:
                return False
            self._script(index, self.items(index), items, [self._clock()] * len(items))
            return True

    def _script(self, index: int, existing: list[Json], items: Sequence[Json], moments: Sequence[int]) -> None:
        # Copy instead of append: other threads may be reading the old list.
        whole = existing.copy()
        for own, moment in zip(items, moments, strict=True):
            earliest = max(moment, whole[-1]["created_at"]) if whole else moment
            whole.append(self._world.item(index, len(whole), own, earliest))
        self._scripted[index] = ScriptedConversation(lambda: whole)

    def set_title(self, index: int, title: str | None) -> None:
        """Sets the title of the thread."""
        self._titles[index] = title

    def set_status(self, index: int, status: Json) -> None:
        """Sets the status of the thread, in the form of the API."""
        self._status[index] = status

    def set_created_at(self, index: int, seconds: int) -> None:
        """Sets the `created_at` that the thread shows. Its place in the order and its items do not change."""
        self._created_at[index] = seconds

    # Reading.

    def find(self, thread_id: str) -> int | None:
        """The index of the visible thread with this id, or None."""
        index = self.find_hidden(thread_id)
        return None if index in self.invisible else index

    def find_hidden(self, thread_id: str) -> int | None:
        """The index of the thread with this id, visible or hidden; None for an unknown or deleted one."""
        index = self._world.index_of(thread_id)
        if index is None or index >= self._count() or index in self._deleted:
            return None
        return index

    def find_item(self, index: int, item_id: str) -> int | None:
        """The position of the item with this id in the thread `index`, or None."""
        scripted = self._scripted.get(index)
        if scripted:
            return scripted.positions.get(item_id)
        place = self._world.item_place(item_id)
        if place is None or place[0] != index or place[1] >= len(self.items(index)):
            return None
        return place[1]

    def _count(self) -> int:
        return self._world.threads + len(self._arrived)

    def rows(self, user: str | None = None) -> Sequence[int]:
        """The indexes of all threads or of those of `user`, oldest first, including deleted and hidden ones."""
        if user is None:
            return range(self._count())
        initial = self._world.threads_of(user)
        arrived = self._arrived_of.get(user)
        return [*initial, *arrived] if arrived else initial

    def thread_id(self, index: int) -> str:
        """The id of the thread `index`."""
        return self._world.thread_id(index)

    def thread(self, index: int) -> bytes:
        """The JSON of the thread."""
        if index in self._titles or index in self._status or index in self._created_at:
            return self._render(index)
        return self._cached_row(index)

    def items(self, index: int) -> list[Json]:
        """The items of the thread, oldest first. The list is shared: do not change it."""
        scripted = self._scripted.get(index)
        return scripted.items if scripted else self._cached_items(index)

    def _origin(self, index: int) -> tuple[str, int]:
        """The user and the `created_at` of the thread."""
        if index >= self._world.threads:
            return self._arrived[index - self._world.threads]
        return self._world.user_of(index), self._world.created_at(index)

    def _render(self, index: int) -> bytes:
        row = self._world.thread(index, *self._origin(index))
        row["created_at"] = self._created_at.get(index, row["created_at"])
        row["title"] = self._titles.get(index, row["title"])
        row["status"] = self._status.get(index, row["status"])
        return as_bytes(row)

    def _compute_items(self, index: int) -> list[Json]:
        return self._world.items(index, self._origin(index)[1])
