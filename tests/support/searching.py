"""Searching the archive in few words."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from tests.support.syncing import spoken, sync
from threads.archive.search.source import ArchiveSource
from threads.emulator import Emulator
from threads.sources.query import ThreadQuery


def ids(query: ThreadQuery, zone: str = "UTC") -> list[str]:
    return [row.id or "" for row in ArchiveSource(ZoneInfo(zone)).list_threads(query).rows]


def say(world: Emulator, *texts: str) -> list[str]:
    """One new thread for each text, oldest first, copied."""
    made = []
    for text in texts:
        (thread,) = world.arrive(1)
        world.set_items(thread, [spoken(text)])
        made.append(thread)
    sync(world)
    return made
