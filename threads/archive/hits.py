"""Where in a thread a match is: in its title or reason, and in which item, with the sentence around it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.db.models import Q, TextField, Value
from django.db.models.functions import Concat, Replace

from threads.chatkit.items import item as read_item

from .models import ArchivedItem
from .text import folded, places, said

_LONGEST_LOOKED_AT = 20_000
"""Characters of an item in which the sentence is looked for."""

_BEFORE, _AFTER = 80, 160
_MOST_ITEMS = 20

Marks = list[tuple[int, int]]
"""Where matches begin and end in a text, apart from each other and in order."""


@dataclass(frozen=True, slots=True)
class Hit:
    """An item that matches: the text around the match, and the matches in that."""

    item_id: str | None
    type: str | None
    text: str
    marks: Marks


def marks(text: str, units: Sequence[str]) -> Marks:
    """Where the folded `units` stand in a text as it was written."""
    plain, origins = places(text)
    found: Marks = []
    for unit in units:
        edge = r"(?<!\S)%s(?!\S)" if _is_whole(unit) else "%s"
        for match in re.finditer(edge % re.escape(unit), plain):
            found.append((origins[match.start()], origins[match.end() - 1] + 1))
    return _apart(found)


def in_items(thread: int, units: Sequence[str]) -> Hit | None:
    """The item that has most of the `units`, the first such; None where none has any."""
    if not units:
        return None
    items = ArchivedItem.objects.filter(thread=thread)
    if any(map(_is_whole, units)):
        space, line = Value(" ", TextField()), Value("\n", TextField())
        spaced = Concat(space, Replace("text", line, space), space)
        items = items.alias(spaced=spaced)
    having = items.filter(
        reduce(or_, (Q(spaced__contains=f" {each} ") if _is_whole(each) else Q(text__contains=each) for each in units))
    )
    some = having.order_by("place").values_list("pk", "text")[:_MOST_ITEMS]
    best = max(some, key=lambda each: _having(each[1], units), default=None)
    if best is None:
        return None
    kept = ArchivedItem.objects.filter(pk=best[0]).first()
    if kept is None:  # erased since it was found
        return None
    for text in said(read_item(json.loads(kept.raw))):
        around = _around(text, units)
        if around is not None:
            return Hit(kept.item_id, kept.type, *around)
    return None


def _is_whole(unit: str) -> bool:
    """Whether a unit is too short to be found within a word."""
    return len(unit) < 3 and unit.isascii()


def _having(text: str, units: Sequence[str]) -> int:
    """How many of the units a folded text has."""
    spaced = f" {text} ".replace("\n", " ")
    return sum((f" {unit} " if _is_whole(unit) else unit) in spaced for unit in units)


def _around(text: str, units: Sequence[str]) -> tuple[str, Marks] | None:
    looked_at = text
    if len(text) > _LONGEST_LOOKED_AT:
        start = max(0, text.lower().find(units[0]) - 1000)
        looked_at = text[start : start + _LONGEST_LOOKED_AT]
    if not any(unit in folded(looked_at) for unit in units):
        return None
    found = marks(looked_at, units)
    if not found:
        return None
    first = found[0][0]
    begin = max(looked_at.rfind(end, 0, first) + len(end) for end in (". ", "! ", "? ", "\n", "。"))
    begin = begin if first - begin <= _BEFORE and begin > 0 else max(0, first - _BEFORE)
    end = min(len(looked_at), first + _AFTER)
    if begin and first - begin == _BEFORE:  # not in the middle of a word
        space = looked_at.find(" ", begin, first)
        begin = space + 1 if space >= 0 else begin
    if end < len(looked_at):
        space = looked_at.rfind(" ", first, end)
        end = space if space > found[0][1] else max(end, found[0][1])
    inside = [(max(a, begin) - begin, min(b, end) - begin) for a, b in found if a < end and b > begin]
    shown = looked_at[begin:end]
    lead, tail = "… " if begin else "", " …" if end < len(looked_at) else ""
    return lead + shown + tail, [(a + len(lead), b + len(lead)) for a, b in inside]


def _apart(found: Marks) -> Marks:
    made: Marks = []
    for begin, end in sorted(found):
        if made and begin <= made[-1][1]:
            made[-1] = made[-1][0], max(end, made[-1][1])
        else:
            made.append((begin, end))
    return made
