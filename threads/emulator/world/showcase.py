"""Four conversations worth a look: what an ordinary world shows seldom, late or never."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

from .chance import Draw
from .content.showcase_hostile import hostile
from .content.showcase_parcel import parcel
from .conversation import Json, endless
from .subjects import subject
from .world import World

FEWEST_THREADS = 12
LONG = 10_000
# A seed and an index as a world has them; a shop's customer comes of these.
_LONG_TALE = (7, 1)

Timed: TypeAlias = list[tuple[int, Json]]
"""Each item's (seconds after the first, own fields), in order."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A thread of the showcase. `place` counts from the newest of the world's threads, which is 0."""

    place: int
    title: str
    status: Json
    timed: Callable[[], Timed]


def _unprefixed() -> Timed:
    return [(after, {**item, "type": item["type"].removeprefix("chatkit.")}) for after, item in parcel()]


def _moments(draw: Draw) -> Iterator[int]:
    """Seconds, ascending without end: talk, and now and then a break of hours."""
    after = 0
    while True:
        yield after
        after += draw.between(4, 90) if draw.odds(98) else draw.between(3600, 70_000)


def _long() -> Timed:
    items = islice(endless(subject(*_LONG_TALE, 0), *_LONG_TALE), LONG)
    moments = _moments(Draw(*_LONG_TALE))
    return [(after, {**item, "type": "chatkit." + item["type"]}) for item, after in zip(items, moments, strict=False)]


def _hostile() -> Timed:
    return [(19 * position, item) for position, item in enumerate(hostile())]


SCENES = (
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
    """The scenes by the index of their thread; none in a world too small for them."""
    if world.threads < FEWEST_THREADS:
        return {}
    return {world.threads - 1 - scene.place: scene for scene in SCENES}


def play(scene: Scene, world: World, index: int) -> list[Json]:
    """The scene's items as the API shows them.

    They begin with the thread or, where there has not been time enough since, as long before it as
    they need: the last one is never later than the world's `now`.
    """
    timed = scene.timed()
    start = min(world.created_at(index) + 1, int(world.now) - timed[-1][0])
    return [world.item(index, position, item, start + after) for position, (after, item) in enumerate(timed)]
