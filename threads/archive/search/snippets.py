"""Where in a thread a match is: in its title or reason, and in which item, with a snippet of the text around it."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate, pairwise
from operator import or_
from typing import NamedTuple

from django.db.models import Q, TextField, Value
from django.db.models.functions import Concat, Replace

from threads.archive.models import ArchivedItem
from threads.archive.store.tokens import is_whole, said
from threads.chatkit import ThreadItem
from threads.chatkit.items import item as read_item
from threads.chatkit.types import AssistantMessage
from threads.lib.folding import boundary, places, spaced
from threads.rendering.markdown import plain_text

_WINDOW = 4_000
"""Characters of a long text that are folded together: which character a match came from is told for a few windows."""

_BEFORE, _AFTER = 80, 160
_SENTENCE_ENDS = (". ", "! ", "? ", "\n", "。")
_MOST_ITEMS = 20

LEAD, TAIL = "… ", " …"
"""Where a snippet was cut."""

Marks = list[tuple[int, int]]
"""Where matches begin and end in a text, apart from each other and in order."""


_BESIDE = 400
"""Characters on either side of a snippet that are told too: what the snippet has a half of can be seen from them."""


class Snippet(NamedTuple):
    """A part of a text, with an ellipsis where it was cut, and the matches in that. What stands `before` and `after` it
    is "" where it was not cut."""

    text: str
    marks: Marks
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Hit:
    """An item that matches, and the snippet around the match, as in `Snippet`."""

    item_id: str | None
    type: str | None
    text: str
    marks: Marks
    before: str = ""
    after: str = ""


def marks(text: str, units: Sequence[str]) -> Marks:
    """Where the folded `units` stand in a text as it was written, whole characters each."""
    plain, origins = places(text)
    found = (match.span() for unit in units for match in _pattern(unit).finditer(plain))
    return _apart([(origins[begin][0], origins[end - 1][1]) for begin, end in found])


def in_items(thread: int, units: Sequence[str]) -> Hit | None:
    """The item that has most of the `units`, the first such; None where none has any."""
    if not units:
        return None
    items = ArchivedItem.objects.filter(thread=thread)
    if any(map(is_whole, units)):
        space, line = Value(" ", TextField()), Value("\n", TextField())
        spaced = Concat(space, Replace("text", line, space), space)
        items = items.alias(spaced=spaced)
    having = items.filter(
        reduce(or_, (Q(spaced__contains=f" {each} ") if is_whole(each) else Q(text__contains=each) for each in units))
    )
    some = having.order_by("place").values_list("pk", "text")[:_MOST_ITEMS]
    best = max(some, key=lambda each: _having(each[1], units), default=None)
    if best is None:
        return None
    kept = ArchivedItem.objects.filter(pk=best[0]).first()
    if kept is None:  # erased since it was found
        return None
    for text in _shown(read_item(json.loads(kept.raw)), units):
        around = snippet(text, units)
        if around is not None:
            return Hit(kept.item_id, kept.type, *around)
    return None


def _having(text: str, units: Sequence[str]) -> int:
    """How many of the units a folded text has."""
    spaced = f" {text} ".replace("\n", " ")
    return sum((f" {unit} " if is_whole(unit) else unit) in spaced for unit in units)


def _shown(item: ThreadItem, units: Sequence[str]) -> Iterator[str]:
    """The texts of an item. What an assistant said is Markdown: its words alone, or all of it where a match is in what
    those leave out, such as the address of a link."""
    for text in said(item):
        if isinstance(item.body, AssistantMessage):
            yield plain_text(text)
        else:
            yield text
    if isinstance(item.body, AssistantMessage):
        yield from said(item)


def snippet(text: str, units: Sequence[str]) -> Snippet | None:
    """The part of `text` around its first match of any of the folded `units`; None where there is none."""
    found = _first_matches(text, units)
    if not found:
        return None
    first, until = found[0]
    begin, end = _begin(text, first), _end(text, max(first + _AFTER, until), until)
    for mark in found:
        if mark[0] < end:
            end = max(end, mark[1])
    before, after = text[max(0, begin - _BESIDE) : begin], text[end : end + _BESIDE]
    lead = LEAD if before else ""
    moved = [(a - begin + len(lead), b - begin + len(lead)) for a, b in found if a < end]
    return Snippet(lead + text[begin:end] + (TAIL if after else ""), moved, before, after)


def _begin(text: str, first: int) -> int:
    """Where a snippet begins that has a match at `first`: at a sentence, else at a word, else at a character."""
    far = max(0, first - _BEFORE)
    sentences = [place + len(end) for end in _SENTENCE_ENDS if (place := text.rfind(end, far, first)) >= 0]
    if sentences:
        return max(sentences)
    return far and (text.find(" ", far, first) + 1 or min(boundary(text, far), first))


def _end(text: str, far: int, until: int) -> int:
    """Where a snippet ends that goes on to about `far`, and has a match up to `until`."""
    if far >= len(text):
        return len(text)
    space = text.rfind(" ", until, far + 1)
    return space if space >= 0 else boundary(text, far)


def _first_matches(text: str, units: Sequence[str]) -> Marks:
    """The matches in a text from its first one on, as far as a snippet may reach."""
    cuts = [0]
    while cuts[-1] < len(text):
        cuts.append(boundary(text, cuts[-1] + _WINDOW))
    folded = [spaced(text[begin:end]) for begin, end in pairwise(cuts)]
    ends = list(accumulate(map(len, folded)))
    whole = "".join(folded)
    spans = [match.span() for unit in units if (match := _pattern(unit, " +").search(whole))]
    if not spans:
        return []
    begin, end = min(spans)
    window = bisect_right(ends, begin)
    # A window more on either side: what the match stands between is in it, and what the snippet goes on with.
    low, high = cuts[max(window - 1, 0)], cuts[min(bisect_right(ends, end - 1) + 2, len(cuts) - 1)]
    found = [(a + low, b + low) for a, b in marks(text[low:high], units)]
    return [mark for mark in found if mark[1] > cuts[window]]


def _pattern(unit: str, space: str = " ") -> re.Pattern[str]:
    """A unit in a folded text that has `space` between its words."""
    escaped = space.join(map(re.escape, unit.split()))
    return re.compile(rf"(?<!\S){escaped}(?!\S)" if is_whole(unit) else escaped)


def _apart(found: Marks) -> Marks:
    made: Marks = []
    for begin, end in sorted(found):
        if made and begin <= made[-1][1]:
            made[-1] = made[-1][0], max(end, made[-1][1])
        else:
            made.append((begin, end))
    return made
