"""Four special conversations, with content that is rare or missing in generated ones."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

from .content.showcase_hostile import hostile
from .content.showcase_parcel import parcel
from .conversation import Json, endless_items
from .seeded_random import SeededRandom
from .subject import subject
from .world import World

MIN_THREADS = 12
LONG = 10_000
# Seed and thread index for the long conversation, which give a shop's customer.
_LONG_SEED_AND_INDEX = (7, 1)

Timed: TypeAlias = list[tuple[int, Json]]
"""Items as (seconds after the first, type-specific fields), in order."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A thread of the showcase. `place` is its distance from the newest thread of the world (0)."""

    place: int
    title: str
    status: Json
    timed: Callable[[], Timed]


def _unprefixed() -> Timed:
    return [(after, {**item, "type": item["type"].removeprefix("chatkit.")}) for after, item in parcel()]


def _moments(rng: SeededRandom) -> Iterator[int]:
    """Yields ascending seconds without end: short gaps, and sometimes a break of hours."""
    after = 0
    while True:
        yield after
        after += rng.between(4, 90) if rng.odds(98) else rng.between(3600, 70_000)


def _long() -> Timed:
    items = islice(endless_items(subject(*_LONG_SEED_AND_INDEX, 0), *_LONG_SEED_AND_INDEX), LONG)
    moments = _moments(SeededRandom(*_LONG_SEED_AND_INDEX))
    return [(after, {**item, "type": "chatkit." + item["type"]}) for item, after in zip(items, moments, strict=False)]


def _hostile() -> Timed:
    return [(19 * position, item) for position, item in enumerate(hostile())]


SHOWCASE = (
    Scene(
        1,
        "Every kind of item",
        {"type": "locked", "reason": "Handed to logistics: the carrier is looking for parcel 00340434161094"},
        parcel,
    ),
    Scene(
        4,
        "Every kind of item, in the documentation's spelling",
        {"type": "closed", "reason": "Resolved: the replacement has arrived"},
        _unprefixed,
    ),
    Scene(7, "A very long conversation", {"type": "active"}, _long),
    Scene(
        11,
        "What a stranger may write",
        {"type": "closed", "reason": "Nothing but <b>markup</b> and tricks; no customer behind it"},
        _hostile,
    ),
)


def scenes(world: World) -> dict[int, Scene]:
    """The scenes by thread index; empty for a world that is too small."""
    if world.threads < MIN_THREADS:
        return {}
    return {world.threads - 1 - scene.place: scene for scene in SHOWCASE}


def play(scene: Scene, world: World, index: int) -> list[Json]:
    """The items of a scene in the form of the API.

    They start with the thread, or earlier in a young thread, so that the last one is never later than the world's
    `now`.
    """
    timed = scene.timed()
    start = min(world.created_at(index) + 1, int(world.now) - timed[-1][0])
    return [world.item(index, position, item, start + after) for position, (after, item) in enumerate(timed)]
