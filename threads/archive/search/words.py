"""Full-text search: parses what an account types and finds the matching threads. `ranking` sorts them by best match.

Each word also matches as a part of longer words: "fund" finds "refund". Words in quotation marks, and words joined by a
sign, match as a phrase. A thread has to contain all of them, anywhere. There are no operators, so any text is a search.
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
from threads.archive.store.word_index import folded_head

from . import engines
from .ranges import Span, grouped

MOST_WORDS = 32
"""Words of one search; the rest, as of a pasted page, is ignored."""

LONGEST_WORD = 10_000
"""Characters of one word: SQLite limits a LIKE pattern to 50,000 bytes."""

MOST_EXPANDED = 300
"""Indexed words that the partial words of one search may expand to, in total."""

MOST_LOOKED_AT = 1000
"""Threads whose text is compared for one page, where the index alone is not enough."""

_MOST_TERMS = 8
"""Index terms per word. A longer word is compared with the text anyway."""

_RESTART_COST = 2000
"""Rows that the index returns in about the time that a new query takes."""

_FEW = 16
"""Expected candidates in a place below which finding its exact bounds does not pay."""

Groups = tuple[tuple[str, ...], ...]

_TYPED = re.compile(
    r'["\uff02]([^"\uff02]*)["\uff02]?|“([^“”]*)”?|„([^„“”]*)[“”]?|«([^«»]*)»?|»([^«»]*)«?|「([^「」]*)」?|'
    r'([^\s"\uff02“„«»「]+)'
)
"""A phrase in the quotation marks of some language, or a word."""


@dataclass(frozen=True, slots=True)
class Search:
    """A parsed search.

    - `units`: folded words and phrases.
    - `groups`: words of the index; a thread needs one of each group.
    - `begun`: the same with only the words that begin with a typed one, where there are any. `whole`: the same with
      only the typed words, where they are in the index.
    - `all_whole`: whether `whole` has all words as they were typed.
    - `phrases`: units that are compared with the text of a candidate thread.
    - `notes`: sentences for the reader. `gaps`: those of them that say why results may be missing.
    """

    units: tuple[str, ...]
    groups: Groups
    phrases: tuple[str, ...]
    notes: tuple[str, ...]
    gaps: tuple[str, ...] = ()
    begun: Groups = ()
    whole: Groups = ()
    all_whole: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """The distinct folded words, phrases split, as typed."""
        return tuple(dict.fromkeys(word for unit in self.units for word in unit.split()))

    @property
    def nothing(self) -> bool:
        """Whether no thread can match."""
        return not self.units or not all(self.groups)


class Candidate(NamedTuple):
    """The columns of a candidate thread. Loading a thousand whole rows would take longer than the search."""

    number: int
    title: str | None
    reason: str | None
    user: str | None
    created_at: datetime | None
    last_activity_at: datetime | None


CandidateFilter = Callable[[Candidate], bool]
"""A filter that is applied to each candidate in Python."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Thread numbers in order. `stopped_at` is the last number compared where the search gave up early; None where it
    found enough or reached the end."""

    numbers: tuple[int, ...]
    stopped_at: int | None = None


def typed_units(typed: str) -> list[str]:
    """The words and phrases of a search as typed, without quotation marks."""
    found = (next(filter(None, match.groups()), "") for match in _TYPED.finditer(typed))
    return [each for each in found if folded(each)]


def could_be_phrase(typed: str) -> bool:
    """Whether a search has several words and none in quotation marks."""
    matches = [match for match in _TYPED.finditer(typed) if folded(match.group())]
    return len(matches) > 1 and not any(any(match.groups()[:-1]) for match in matches)


def folded_units(typed: str) -> list[str]:
    """The distinct folded words and phrases of a search, up to `MOST_WORDS` words."""
    return _taken(typed)[0]


def parse(typed: str) -> Search:
    """The parsed search. Expands partial words by a database query."""
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
    # The pieces of a longer word begin words only by accident.
    single = {of[0] for unit in taken for word in unit.split() if len(of := terms(word)) == 1}
    begun = {each: _begun(each, groups[each.word]) if each in single else groups[each.word] for each in looked_up}
    whole = {each: (each.word,) if each.word in begun[each] and each in single else begun[each] for each in looked_up}
    return Search(
        tuple(taken),
        tuple(dict.fromkeys(groups[each.word] for each in looked_up)),
        tuple(phrases),
        tuple(gaps),
        tuple(gaps),
        tuple(dict.fromkeys(begun.values())),
        tuple(dict.fromkeys(whole.values())),
        all(whole[each] == (each.word,) for each in looked_up if each in single),
    )


def _begun(term: Term, group: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for word in group if word.startswith(term.word)) or group


def _taken(typed: str) -> tuple[list[str], list[str]]:
    """The units of a search, and sentences about what was left out."""
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


def find_threads(
    search: Search,
    facets: Sequence[Sequence[str]],
    where: Iterable[Span],
    fits: CandidateFilter | None,
    *,
    descending: bool,
    wanted: int,
) -> SearchResult:
    """The first `wanted` threads that match the search and the facets, within the spans `where`, in the order of their
    numbers. `fits` is an additional filter, None for none."""
    numbers: list[int] = []
    looked_at = 0
    if search.nothing:
        return SearchResult(())
    groups = [*(tuple(each) for each in facets), *search.groups]
    checked = bool(search.phrases) or fits is not None
    for chunk in _candidates(groups, _Places(where, descending), descending, wanted):
        found = _checked(chunk, search.phrases, fits) if checked else chunk
        looked_at += len(chunk)
        numbers += found
        if len(numbers) >= wanted:
            return SearchResult(tuple(numbers[:wanted]))
        if checked and looked_at >= MOST_LOOKED_AT:
            return SearchResult(tuple(numbers), chunk[-1])
    return SearchResult(tuple(numbers))


class _Places:
    """Disjoint ranges of numbers to search, in list order. Ranges that the search has passed are dropped."""

    def __init__(self, where: Iterable[Span], descending: bool) -> None:
        places = grouped(where, descending=descending)
        self._left = deque((min(each.low for each in place), max(each.high for each in place)) for place in places)
        self._spans = deque(place[0] if len(place) == 1 else None for place in places)
        self._descending = descending

    def __bool__(self) -> bool:
        return bool(self._left)

    @property
    def several(self) -> bool:
        """Whether more than one range is left."""
        return len(self._left) > 1

    def reach(self) -> tuple[int, int]:
        """One range that covers all ranges left."""
        first, last = (self._left[-1], self._left[0]) if self._descending else (self._left[0], self._left[-1])
        return first[0], last[1]

    def has(self, number: int, step: float) -> bool:
        """Whether a number is in a range. Numbers have to come in list order; `step` is their average distance."""
        while self._left and (number < self._left[0][0] if self._descending else number >= self._left[0][1]):
            self._left.popleft()
            self._spans.popleft()
        if self._spans and self._spans[0] is not None and self._is_in_first(number):
            low, high = self._left[0]
            if high - low > step * _FEW:
                # With this many candidates in the range, its exact bounds are worth a query.
                self._left[0] = _narrowed(self._spans[0])
            self._spans[0] = None
        return self._is_in_first(number)

    def beyond(self, number: int) -> int:
        """The distance from a number to the next range, 0 within it or without one."""
        if not self._left:
            return 0
        low, high = self._left[0]
        return max(number - high, low - number, 0)

    def _is_in_first(self, number: int) -> bool:
        return bool(self._left) and self._left[0][0] <= number < self._left[0][1]


def _candidates(groups: Sequence[Sequence[str]], places: _Places, descending: bool, size: int) -> Iterator[list[int]]:
    """Numbers from the index that are in `places`. Where the gap to the next place has many matches, a new query starts
    there; rare matches are found with one query."""
    if places and not places.several:
        yield from engines.matching_numbers(groups, *places.reach(), descending=descending, size=size)
        return
    while places:
        for chunk in engines.matching_numbers(groups, *places.reach(), descending=descending, size=size):
            step = (abs(chunk[-1] - chunk[0]) + 1) / len(chunk)
            if found := [number for number in chunk if places.has(number, step)]:
                yield found
            if not places.has(chunk[-1], step) and places.beyond(chunk[-1]) > step * _RESTART_COST:
                break
            if not places:
                return
        else:
            return


def _narrowed(span: Span) -> tuple[int, int]:
    ends = span.threads().aggregate(first=Min("number"), last=Max("number"))
    return (span.low, span.low) if ends["first"] is None else (ends["first"], ends["last"] + 1)


def _checked(numbers: Sequence[int], phrases: Sequence[str], fits: CandidateFilter | None) -> list[int]:
    rows = ArchivedThread.objects.filter(number__in=numbers).values_list(*Candidate._fields)
    threads = {row[0]: Candidate(*row) for row in rows}
    left = [number for number in numbers if number in threads and (fits is None or fits(threads[number]))]
    for phrase in phrases:
        said = ArchivedItem.objects.filter(thread__in=left, text__contains=phrase)
        having = set(said.values_list("thread_id", flat=True).distinct())
        left = [number for number in left if number in having or phrase in folded_head(threads[number])]
    return left


def _expanded(parts: Sequence[str]) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """The indexed words that contain each part, likeliest first, at most `MOST_EXPANDED` in total; and the parts that
    were cut short. Parts share the limit fairly: what one does not use goes to the others."""
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
