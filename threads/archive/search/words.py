"""From what a person types to the threads it is found in.

Each word is looked for as a part of the words that there are, so "fund" finds "refund"; words between quotation marks,
and those with a sign between them, are looked for as they stand. All of them must be in the thread, wherever in it.
Whatever is typed is a search: there are no operators.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import Max, Min

from threads.archive.models import ArchivedItem, ArchivedThread
from threads.archive.store.tokens import Term, folded, terms
from threads.archive.store.word_index import head

from . import engines
from .ranges import Span, apart

MOST_WORDS = 32
"""Words of one search; a person who pastes a page is looking for its beginning."""

LONGEST_WORD = 10_000
"""Characters of one of them: SQLite compares with a pattern of 50,000 bytes at the most."""

MOST_EXPANDED = 300
"""Words that the parts of words in one search may stand for together."""

MOST_LOOKED_AT = 1000
"""Threads whose text is looked at for one page, where the index alone cannot tell."""

_MOST_TERMS = 8
"""Terms that one word is looked up by. A word of more is compared with the text, so the rest adds nothing."""

_MOST_PASSED = 2000
"""Threads that the index gives in about the time in which it can be asked anew."""

_FEW = 16
"""Threads of one place that are sooner looked at than their place is measured."""

_TYPED = re.compile(
    r'["\uff02]([^"\uff02]*)["\uff02]?|“([^“”]*)”?|„([^„“”]*)[“”]?|«([^«»]*)»?|»([^«»]*)«?|「([^「」]*)」?|'
    r'([^\s"\uff02“„«»「]+)'
)
"""What stands between quotation marks of some language, or a word."""


@dataclass(frozen=True, slots=True)
class Search:
    """`units` are the folded words and phrases; `groups` are words of the index of which one of each must be there; a
    thread is then looked at for each of `phrases`. `notes` are sentences for the reader; `gaps` those of them by which
    what is found is not what was asked for. `nothing` where it is clear already that nothing can be found."""

    units: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    phrases: tuple[str, ...]
    notes: tuple[str, ...]
    gaps: tuple[str, ...] = ()

    @property
    def nothing(self) -> bool:
        return not self.units or not all(self.groups)


class Looked(NamedTuple):
    """A thread as it is looked at: whole ones by the thousand take longer than the search."""

    number: int
    title: str | None
    reason: str | None
    user: str | None
    created_at: datetime | None


Fits = Callable[[Looked], bool]


@dataclass(frozen=True, slots=True)
class Found:
    """Numbers of threads in order. `stopped_at` is the last that was looked at, where the looking ended before the list
    did; None where it went on to the end or found enough."""

    numbers: tuple[int, ...]
    stopped_at: int | None = None


def typed_units(typed: str) -> list[str]:
    """The words and phrases of a search as they were typed, without their quotation marks."""
    found = (next(filter(None, match.groups()), "") for match in _TYPED.finditer(typed))
    return [each for each in found if folded(each)]


def units(typed: str) -> list[str]:
    """The words and phrases that are searched for, folded, each once: `MOST_WORDS` words, the first ones."""
    return _taken(typed)[0]


def parse(typed: str) -> Search:
    """Reads what was typed, and asks the database for the words that its parts stand for."""
    taken, gaps = _taken(typed)
    if not taken:
        return Search((), (), (), ("There is no word in this search: type a letter, a digit or an emoji.",))
    looked_up: dict[Term, None] = {}
    phrases = []
    for unit in taken:
        of_unit = [terms(word) for word in unit.split()]
        looked_up |= dict.fromkeys(term for of_word in of_unit for term in of_word[:_MOST_TERMS])
        if sum(map(len, of_unit)) > 1:
            phrases.append(unit)
    groups, cut = _expanded([term.word for term in looked_up if term.part])
    groups |= {term.word: (term.word,) for term in looked_up if not term.part}
    if cut:
        gaps.append(
            f"{_quoted(cut)} {'is' if len(cut) == 1 else 'are'} part of very many words; {MOST_EXPANDED} words were "
            "searched for, so there may be more threads. Type more of it."
        )
    found = tuple(dict.fromkeys(groups[term.word] for term in looked_up))
    return Search(tuple(taken), found, tuple(phrases), tuple(gaps), tuple(gaps))


def _taken(typed: str) -> tuple[list[str], list[str]]:
    """The units of a search, and what was left out of it, in sentences."""
    gaps: list[str] = []
    found: list[str] = []
    count = 0
    for unit in dict.fromkeys(map(folded, typed_units(typed))):
        every = unit.split()
        taken = every[: max(MOST_WORDS - count, 0)]
        count += len(every)
        if any(len(word) > LONGEST_WORD for word in taken):
            gaps.append(f"The first {LONGEST_WORD:,} characters of a longer word were searched for.")
        if taken:
            found.append(" ".join(word[:LONGEST_WORD] for word in taken))
    if count > MOST_WORDS:
        gaps.append(f"The first {MOST_WORDS} of {count:,} words were searched for. Type fewer.")
    return found, gaps


def find(
    search: Search,
    facets: Sequence[Sequence[str]],
    where: Iterable[Span],
    fits: Fits | None,
    *,
    descending: bool,
    wanted: int,
) -> Found:
    """The first `wanted` threads that match, in the numbers of the spans. `fits` is asked for each, where the numbers
    and the facets do not tell all."""
    numbers: list[int] = []
    looked_at = 0
    if search.nothing:
        return Found(())
    groups = [*(tuple(each) for each in facets), *search.groups]
    checked = bool(search.phrases) or fits is not None
    for chunk in _candidates(groups, _Places(where, descending), descending, wanted):
        found = _checked(chunk, search.phrases, fits) if checked else chunk
        looked_at += len(chunk)
        numbers += found
        if len(numbers) >= wanted:
            return Found(tuple(numbers[:wanted]))
        if checked and looked_at >= MOST_LOOKED_AT:
            return Found(tuple(numbers), chunk[-1])
    return Found(tuple(numbers))


class _Places:
    """Where to look, in the order of the list and apart from each other; those that are passed are forgotten."""

    def __init__(self, where: Iterable[Span], descending: bool) -> None:
        places = apart(where, descending=descending)
        self._left = deque((min(each.low for each in place), max(each.high for each in place)) for place in places)
        self._spans = deque(place[0] if len(place) == 1 else None for place in places)
        self._descending = descending

    def __bool__(self) -> bool:
        return bool(self._left)

    @property
    def several(self) -> bool:
        return len(self._left) > 1

    def reach(self) -> tuple[int, int]:
        """From the first place to the last."""
        first, last = (self._left[-1], self._left[0]) if self._descending else (self._left[0], self._left[-1])
        return first[0], last[1]

    def has(self, number: int, step: float) -> bool:
        """Whether a number, of which none comes before one that was asked for, lies in a place. `step` is how far apart
        the numbers are that are asked for."""
        while self._left and (number < self._left[0][0] if self._descending else number >= self._left[0][1]):
            self._left.popleft()
            self._spans.popleft()
        if self._spans and self._spans[0] is not None and self._is_in_first(number):
            low, high = self._left[0]
            if high - low > step * _FEW:
                # So many will be found in this place that it is worth knowing where its time begins and ends.
                self._left[0] = _narrowed(self._spans[0])
            self._spans[0] = None
        return self._is_in_first(number)

    def beyond(self, number: int) -> int:
        """How many numbers lie between this one and the next place."""
        if not self._left:
            return 0
        low, high = self._left[0]
        return max(number - high, low - number, 0)

    def _is_in_first(self, number: int) -> bool:
        return bool(self._left) and self._left[0][0] <= number < self._left[0][1]


def _candidates(groups: Sequence[Sequence[str]], places: _Places, descending: bool, size: int) -> Iterator[list[int]]:
    """The numbers that the index gives, of those that lie in the places. Where many lie between one place and the next,
    the index is asked anew from there; what is rare is found by asking once."""
    if places and not places.several:
        yield from engines.matching(groups, *places.reach(), descending=descending, size=size)
        return
    while places:
        for chunk in engines.matching(groups, *places.reach(), descending=descending, size=size):
            step = (abs(chunk[-1] - chunk[0]) + 1) / len(chunk)
            if found := [number for number in chunk if places.has(number, step)]:
                yield found
            if not places.has(chunk[-1], step) and places.beyond(chunk[-1]) > step * _MOST_PASSED:
                break
            if not places:
                return
        else:
            return


def _narrowed(span: Span) -> tuple[int, int]:
    ends = span.threads().aggregate(first=Min("number"), last=Max("number"))
    return (span.low, span.low) if ends["first"] is None else (ends["first"], ends["last"] + 1)


def _checked(numbers: Sequence[int], phrases: Sequence[str], fits: Fits | None) -> list[int]:
    columns = ("number", "title", "reason", "user", "created_at")
    rows = ArchivedThread.objects.filter(number__in=numbers).values_list(*columns)
    threads = {row[0]: Looked(*row) for row in rows}
    left = [number for number in numbers if number in threads and (fits is None or fits(threads[number]))]
    for phrase in phrases:
        said = ArchivedItem.objects.filter(thread__in=left, text__contains=phrase)
        having = set(said.values_list("thread_id", flat=True).distinct())
        left = [number for number in left if number in having or phrase in head(threads[number])]
    return left


def _expanded(parts: Sequence[str]) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """The words of the index that each part stands for, the likeliest first, `MOST_EXPANDED` in all; and the parts that
    stand for more. None gets less than its share, and what one does not need the others have."""
    known = {part: engines.words_with(part, MOST_EXPANDED + 1) for part in parts}
    left, cut = MOST_EXPANDED, []
    groups: dict[str, tuple[str, ...]] = {}
    for place, (part, found) in enumerate(sorted(known.items(), key=lambda each: len(each[1]))):
        groups[part] = tuple(found[: left // (len(known) - place)])
        left -= len(groups[part])
        if len(groups[part]) < len(found):
            cut.append(part)
    return groups, cut


def _quoted(parts: Sequence[str]) -> str:
    return ", ".join(f"“{part}”" for part in parts)
