"""Snippets: the item of a thread that matches a search best, and the text around its best match.

A word is marked where it is a word or begins one; as a part of other words only where a text has it in no other way. A
common word is marked as a whole word only.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate, chain, islice, pairwise, zip_longest
from operator import or_
from typing import NamedTuple

from django.db.models import Q, TextField, Value
from django.db.models.functions import Concat, Replace

from threads.archive.models import ArchivedItem
from threads.archive.store.tokens import is_unspaced, is_whole, searchable_texts
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
_MOST_ITEMS = 50
"""Items of a thread that are compared."""

LEADING_ELLIPSIS, TRAILING_ELLIPSIS = "… ", " …"
"""Ellipses where a snippet is cut."""

_MOST_MATCHES = 200
"""Matches of a unit that are compared for the best place of a text."""

_WHOLE, _BEGINNING, _PART = 4.0, 2.0, 1.0
"""What a match counts, times the weight of its unit."""

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


class Sought(NamedTuple):
    """What to mark: folded words and phrases, the weight of each, and those that are common."""

    units: Sequence[str] = ()
    weights: Sequence[float] = ()
    common: Collection[str] = ()

    def weighted(self) -> Iterator[tuple[str, float]]:
        """The units with their weights."""
        return zip_longest(self.units, self.weights, fillvalue=1.0)  # type: ignore[arg-type]


NOTHING_SOUGHT = Sought()


def marks(text: str, sought: Sought) -> Marks:
    """The matches in a text as it was written, extended to whole characters."""
    return _marks(*fold_with_origins(text), sought)


def _marks(plain: str, origins: Sequence[tuple[int, int]], sought: Sought) -> Marks:
    found = (span for unit in sought.units for span, _ in _matches(unit, plain, unit in sought.common))
    return _merged([(origins[begin][0], origins[end - 1][1]) for begin, end in found])


def best_item(thread: int, sought: Sought) -> ItemMatch | None:
    """The item of a thread (by number) that has the most of what is sought, the first of equal ones; None where no item
    has any."""
    # Nearly every item has a common word.
    units = [unit for unit in sought.units if unit not in sought.common] or sought.units
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
    best = max(some, key=lambda each: _counts(each[1], sought), default=None)
    if best is None:
        return None
    kept = ArchivedItem.objects.filter(pk=best[0]).first()
    if kept is None:  # erased meanwhile
        return None
    for text in _texts(read_item(json.loads(kept.raw))):
        around = snippet(text, sought)
        if around is not None:
            return ItemMatch(kept.item_id, kept.type, *around)
    return None


def _counts(text: str, sought: Sought) -> float:
    """What the units in a folded text count together."""
    spaced = f" {text} ".replace("\n", " ")
    counts = 0.0
    for unit, weight in sought.weighted():
        if f" {unit} " in spaced or (unit in spaced and is_unspaced(unit)):
            counts += _WHOLE * weight
        elif not is_whole(unit) and unit in spaced:
            counts += (_BEGINNING if f" {unit}" in spaced else _PART) * weight
    return counts


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


def snippet(text: str, sought: Sought) -> Snippet | None:
    """The snippet of `text` around the place that has the most of what is sought; None without a match."""
    found = _best_matches(text, sought) or _best_matches(text, sought._replace(common=()))
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


def _best_matches(text: str, sought: Sought) -> Marks:
    """The matches in a text from the best place on, within reach of a snippet."""
    cuts = [0]
    while cuts[-1] < len(text):
        cuts.append(split_boundary(text, cuts[-1] + _WINDOW))
    folded = [spaced(text[begin:end]) for begin, end in pairwise(cuts)]
    ends = list(accumulate(map(len, folded)))
    whole = "".join(folded)
    span = _best_span(whole, sought)
    if span is None:
        return []
    begin, end = span
    window = bisect_right(ends, begin)
    # One more window on either side, for the context of the match and for the rest of the snippet.
    first = max(window - 1, 0)
    low, high = cuts[first], cuts[min(bisect_right(ends, end - 1) + 2, len(cuts) - 1)]
    plain, origins = fold_with_origins(text[low:high])
    # Both foldings have the same characters, apart from spaces.
    left = sum(each != " " for each in whole[ends[first] - len(folded[first]) : begin])
    letters = (origin for each, (origin, _) in zip(plain, origins, strict=True) if each != " ")
    start = next(islice(letters, left, None))
    return [(a + low, b + low) for a, b in _marks(plain, origins, sought) if b > start]


def _best_span(text: str, sought: Sought) -> tuple[int, int] | None:
    """The match in a folded text from which on a snippet has the most of what is sought, the first of equal ones."""
    found = [
        (span, unit, weight * level)
        for unit, weight in sought.weighted()
        for span, level in islice(_matches(unit, text, unit in sought.common, " +"), _MOST_MATCHES)
    ]
    found.sort(key=lambda each: each[0])
    best, most = None, 0.0
    for place, (span, _, _) in enumerate(found):
        near: dict[str, float] = {}
        for each in range(place, len(found)):
            (begin, _), unit, counts = found[each]
            if begin > span[0] + _AFTER:
                break
            near[unit] = max(near.get(unit, 0.0), counts)
        if sum(near.values()) > most:
            best, most = span, sum(near.values())
    return best


def _matches(unit: str, text: str, is_common: bool, space: str = " ") -> Iterator[tuple[tuple[int, int], float]]:
    """The matches of a unit in a folded text, and what each counts: of whole words and beginnings of words, or where
    there are none of parts of words; of a common unit only whole words. `space` is the pattern between words."""
    escaped = space.join(map(re.escape, unit.split()))
    if is_unspaced(unit):
        yield from ((match.span(), _WHOLE) for match in re.finditer(escaped, text))
        return
    if is_common or is_whole(unit):
        yield from ((match.span(), _WHOLE) for match in re.finditer(rf"(?<!\S){escaped}(?!\S)", text))
        return
    begun = re.finditer(rf"(?<!\S){escaped}", text)
    first = next(begun, None)
    if first is None:
        yield from ((match.span(), _PART) for match in re.finditer(escaped, text))
        return
    for match in chain([first], begun):
        yield match.span(), _WHOLE if text[match.end() : match.end() + 1] in {"", " "} else _BEGINNING


def _merged(found: Iterable[tuple[int, int]]) -> Marks:
    """Sorted ranges, with overlapping and adjacent ones merged."""
    merged: Marks = []
    for begin, end in sorted(found):
        if merged and begin <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((begin, end))
    return merged
