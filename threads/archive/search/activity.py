"""Lists threads by their last activity: by (`last_activity_at`, `number`), threads without activity last."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from heapq import merge
from itertools import islice, starmap

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Greatest

from threads.archive.models import ArchivedThread

MOST_SORTED = 1_000
"""Threads of a search, or of an hour of the week, that are sorted by activity: the newest ones."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_WRITTEN = re.compile(r"(never|-?[0-9]{1,18})\.([0-9]{1,18})")
_IDS_PER_QUERY = 500
_ACTIVITY = Greatest("last_activity_at", "last_activity_at")


@dataclass(frozen=True, slots=True)
class Place:
    """A thread's place in the list, at the time when the list was shown: as a cursor it leads on from there, whatever
    is written in the thread afterwards. `at` is None for a thread without activity."""

    at: datetime | None
    number: int

    def __str__(self) -> str:
        at = "never" if self.at is None else (self.at - _EPOCH) // _MICROSECOND
        return f"{at}.{self.number}"


def read_place(cursor: str) -> Place | None:
    """The place that a cursor was made of; None for other text."""
    found = _WRITTEN.fullmatch(cursor)
    if found is None:
        return None
    try:
        at = None if found[1] == "never" else _EPOCH + int(found[1]) * _MICROSECOND
    except OverflowError:
        return None
    return Place(at, int(found[2]))


@dataclass(frozen=True, slots=True)
class Direction:
    """How a list by activity is read. `descending` is the order of the list, `backwards` reads it from its end."""

    descending: bool
    backwards: bool = False

    @property
    def down(self) -> bool:
        """Whether times and numbers fall as one reads on."""
        return self.descending != self.backwards


@dataclass(frozen=True, slots=True)
class ActivityRanges:
    """Threads to list, as disjoint querysets. With `gathered` each is small: the database reads it whole and sorts,
    else it reads the index by activity in order until it has enough."""

    threads: Sequence[QuerySet[ArchivedThread]]
    gathered: bool

    def after(self, place: Place | None, direction: Direction, wanted: int) -> list[Place]:
        """Up to `wanted` places after `place` in reading order, from the beginning with None."""
        found: list[Place] = []
        for timed, bound in _parts(place, direction):
            left = wanted - len(found)
            runs = [
                starmap(Place, each.values_list("last_activity_at", "number")[:left])
                for each in self._ordered(bound, direction, timed=timed)
            ]
            found += islice(merge(*runs, key=_key, reverse=direction.down), left)
            if len(found) >= wanted:
                break
        return found

    def count_before(self, place: Place, direction: Direction, most: int) -> int:
        """The number of threads before `place` in reading order, counted up to `most`."""
        back, count = replace(direction, backwards=not direction.backwards), 0
        for timed, bound in _parts(place, back):
            for each in self._ordered(bound, back, timed=timed):
                count += each[: most - count].count() if count < most else 0
        return count

    def _ordered(self, bound: Place | None, direction: Direction, *, timed: bool) -> Iterator[QuerySet[ArchivedThread]]:
        """The threads with or without activity, in reading order, after the place `bound`."""
        sign, compare = ("-", "lt") if direction.down else ("", "gt")
        # An expression in place of a column keeps the planner from reading the index in order.
        at, number = ("activity", "place") if self.gathered else ("last_activity_at", "number")
        fits = Q(**{f"{at}__isnull": not timed})
        if bound is not None and timed:
            later = Q(**{f"{at}__{compare}": bound.at}) | Q(**{f"{number}__{compare}": bound.number})
            fits &= Q(**{f"{at}__{compare}e": bound.at}) & later
        elif bound is not None:
            fits &= Q(**{f"{number}__{compare}": bound.number})
        for each in self.threads:
            threads = each.alias(activity=_ACTIVITY, place=F("number") + 0) if self.gathered else each
            yield threads.filter(fits).order_by(f"{sign}{at}", f"{sign}{number}")


def _parts(place: Place | None, direction: Direction) -> Iterator[tuple[bool, Place | None]]:
    """The parts of the list after `place`, in reading order: whether the threads of the part have activity, and the
    place after which they are; None for all of them."""
    for timed in (False, True) if direction.backwards else (True, False):
        if place is None or timed == (place.at is not None):
            yield timed, place
        elif timed == direction.backwards:
            yield timed, None


def sorted_places(numbers: Iterable[int], *, descending: bool) -> list[Place]:
    """The places of these threads, in the order of the list."""
    left = list(numbers)
    places = [
        Place(*each)
        for start in range(0, len(left), _IDS_PER_QUERY)
        for each in ArchivedThread.objects.filter(number__in=left[start : start + _IDS_PER_QUERY]).values_list(
            "last_activity_at", "number"
        )
    ]
    timed = sorted((each for each in places if each.at), key=_key, reverse=descending)
    return timed + sorted((each for each in places if not each.at), key=_key, reverse=descending)


def beyond(places: Sequence[Place], place: Place | None, direction: Direction) -> list[Place]:
    """Those of the places in list order that come after `place` in reading order."""
    if place is None:
        return list(places[::-1] if direction.backwards else places)
    own = _list_key(place, descending=direction.descending)
    if direction.backwards:
        return [each for each in places if _list_key(each, descending=direction.descending) < own][::-1]
    return [each for each in places if _list_key(each, descending=direction.descending) > own]


def _key(place: Place) -> tuple[datetime, int]:
    return place.at or _EPOCH, place.number


def _list_key(place: Place, *, descending: bool) -> tuple[bool, timedelta, int]:
    sign = -1 if descending else 1
    return place.at is None, sign * ((place.at or _EPOCH) - _EPOCH), sign * place.number
