"""Snippets: the item of a thread that matches a search best, and the text around the match."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate, pairwise
from operator import or_
from typing import NamedTuple

from django.db.models import Q, TextField, Value
from django.db.models.functions import Concat, Replace

from threads.archive.models import ArchivedItem
from threads.archive.store.tokens import is_whole, searchable_texts
from threads.chatkit import ThreadItem
from threads.chatkit.items import item as read_item
from threads.chatkit.types import AssistantMessage
from threads.lib.folding import fold_with_origins, spaced, split_boundary
from threads.rendering.markdown import plain_text

_WINDOW = 4_000
"""Characters of a long text that are folded at once. The origin of each character is computed for few windows only."""

_BEFORE, _AFTER = 80, 160
"""Characters of a snippet before and after the start of its first match."""

_SENTENCE_ENDS = (". ", "! ", "? ", "\n", "。")
_MOST_ITEMS = 20
"""Items of a thread that are compared."""

LEADING_ELLIPSIS, TRAILING_ELLIPSIS = "… ", " …"
"""Ellipses where a snippet is cut."""

Marks = list[tuple[int, int]]
"""Ranges (begin, end) of the matches in a text, in order, not overlapping."""

_CONTEXT = 400
"""Characters on either side of a snippet that come with it, to recognise words and ids that the snippet cuts."""


class Snippet(NamedTuple):
    """A part of a text with ellipses where it is cut, the matches in it, and the text before and after it ("" where it
    is not cut)."""

    text: str
    marks: Marks
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ItemMatch:
    """An item that matches, and its snippet, as in `Snippet`."""

    item_id: str | None
    type: str | None
    text: str
    marks: Marks
    before: str = ""
    after: str = ""


def marks(text: str, units: Sequence[str]) -> Marks:
    """The matches of folded `units` in a text as it was written, extended to whole characters."""
    plain, origins = fold_with_origins(text)
    found = (match.span() for unit in units for match in _pattern(unit).finditer(plain))
    return _merged([(origins[begin][0], origins[end - 1][1]) for begin, end in found])


def best_item(thread: int, units: Sequence[str]) -> ItemMatch | None:
    """The first item of a thread (by number) with the most of the `units`; None where no item has any."""
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
    best = max(some, key=lambda each: _count_units(each[1], units), default=None)
    if best is None:
        return None
    kept = ArchivedItem.objects.filter(pk=best[0]).first()
    if kept is None:  # erased meanwhile
        return None
    for text in _texts(read_item(json.loads(kept.raw))):
        around = snippet(text, units)
        if around is not None:
            return ItemMatch(kept.item_id, kept.type, *around)
    return None


def _count_units(text: str, units: Sequence[str]) -> int:
    """The number of units in a folded text."""
    spaced = f" {text} ".replace("\n", " ")
    return sum((f" {unit} " if is_whole(unit) else unit) in spaced for unit in units)


def _texts(item: ThreadItem) -> Iterator[str]:
    """The texts of an item. An assistant's Markdown comes as plain text first, then as source, for matches in what
    plain text lacks, such as a link's URL."""
    for text in searchable_texts(item):
        if isinstance(item.body, AssistantMessage):
            yield plain_text(text)
        else:
            yield text
    if isinstance(item.body, AssistantMessage):
        yield from searchable_texts(item)


def snippet(text: str, units: Sequence[str]) -> Snippet | None:
    """The snippet of `text` around its first match of any of the folded `units`; None without a match."""
    found = _first_matches(text, units)
    if not found:
        return None
    first, until = found[0]
    begin, end = _begin(text, first), _end(text, max(first + _AFTER, until), until)
    for mark in found:
        if mark[0] < end:
            end = max(end, mark[1])
    before, after = text[max(0, begin - _CONTEXT) : begin], text[end : end + _CONTEXT]
    lead = LEADING_ELLIPSIS if before else ""
    moved = [(a - begin + len(lead), b - begin + len(lead)) for a, b in found if a < end]
    return Snippet(lead + text[begin:end] + (TRAILING_ELLIPSIS if after else ""), moved, before, after)


def _begin(text: str, first: int) -> int:
    """The start of a snippet with its first match at `first`: a sentence start, else a word's, else a character's."""
    far = max(0, first - _BEFORE)
    sentences = [place + len(end) for end in _SENTENCE_ENDS if (place := text.rfind(end, far, first)) >= 0]
    if sentences:
        return max(sentences)
    return far and (text.find(" ", far, first) + 1 or min(split_boundary(text, far), first))


def _end(text: str, far: int, until: int) -> int:
    """The end of a snippet, at a word boundary up to `far`, and not before `until`, the end of a match."""
    if far >= len(text):
        return len(text)
    space = text.rfind(" ", until, far + 1)
    return space if space >= 0 else split_boundary(text, far)


def _first_matches(text: str, units: Sequence[str]) -> Marks:
    """The first match in a text, and the matches after it within reach of a snippet."""
    cuts = [0]
    while cuts[-1] < len(text):
        cuts.append(split_boundary(text, cuts[-1] + _WINDOW))
    folded = [spaced(text[begin:end]) for begin, end in pairwise(cuts)]
    ends = list(accumulate(map(len, folded)))
    whole = "".join(folded)
    spans = [match.span() for unit in units if (match := _pattern(unit, " +").search(whole))]
    if not spans:
        return []
    begin, end = min(spans)
    window = bisect_right(ends, begin)
    # One more window on either side, for the context of the match and for the rest of the snippet.
    low, high = cuts[max(window - 1, 0)], cuts[min(bisect_right(ends, end - 1) + 2, len(cuts) - 1)]
    found = [(a + low, b + low) for a, b in marks(text[low:high], units)]
    return [mark for mark in found if mark[1] > cuts[window]]


def _pattern(unit: str, space: str = " ") -> re.Pattern[str]:
    """Pattern of a unit in a folded text. `space` is the pattern between words."""
    escaped = space.join(map(re.escape, unit.split()))
    return re.compile(rf"(?<!\S){escaped}(?!\S)" if is_whole(unit) else escaped)


def _merged(found: Iterable[tuple[int, int]]) -> Marks:
    """Sorted ranges, with overlapping and adjacent ones merged."""
    merged: Marks = []
    for begin, end in sorted(found):
        if merged and begin <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((begin, end))
    return merged
