"""Searches of the archive."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from tests.support.syncing import spoken, sync
from threads.archive.search.source import ArchiveSource
from threads.emulator import Emulator
from threads.sources.query import ThreadQuery


def ids(query: ThreadQuery, zone: str = "UTC") -> list[str]:
    """The ids of the threads that the archive finds."""
    return [row.id or "" for row in ArchiveSource(ZoneInfo(zone)).list_threads(query).rows]


def say(world: Emulator, *texts: str) -> list[str]:
    """Creates and syncs one thread for each text; returns their ids, oldest first."""
    made = []
    for text in texts:
        (thread,) = world.arrive(1)
        world.set_items(thread, [spoken(text)])
        made.append(thread)
    sync(world)
    return made
