"""From what a person types to the threads it is found in.

Each word is looked for as a part of the words that there are, so "fund" finds "refund"; words between quotation marks,
and those with a sign between them, are looked for as they stand. All of them must be in the thread, wherever in it.
Whatever is typed is a search: there are no operators.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from . import engines
from .index import head
from .models import ArchivedItem, ArchivedThread
from .text import LONGEST_WORD, folded, unspaced, words

MOST_UNITS = 32
"""Words or phrases of one search; a person who pastes a page is looking for its beginning."""

MOST_EXPANDED = 300
"""Words that a part of a word may stand for."""

MOST_LOOKED_AT = 2000
"""Threads whose text is looked at for one page, where the index alone cannot tell."""

_SHORTEST_PART = 3

_TYPED = re.compile(r'"([^"]*)"?|“([^”]*)”?|([^\s"“]+)')


@dataclass(frozen=True, slots=True)
class Search:
    """`units` are the folded words and phrases; `groups` are words of the index of which one of each must be there; a
    thread is then looked at for each of `phrases`. `notes` say what was not searched for. `nothing` where it is clear
    already that nothing can be found."""

    units: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    phrases: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def nothing(self) -> bool:
        return not self.units or not all(self.groups)


@dataclass(frozen=True, slots=True)
class Found:
    """Numbers of threads in order. `stopped_at` is the last that was looked at, where the looking ended before the list
    did; None where it went on to the end or found enough."""

    numbers: tuple[int, ...]
    stopped_at: int | None = None


def units(typed: str) -> list[str]:
    """The words and phrases of a search, folded, each once."""
    found = (folded(next(filter(None, match.groups()), "")) for match in _TYPED.finditer(typed))
    return list(dict.fromkeys(filter(None, found)))


def parse(typed: str) -> Search:
    """Reads what was typed, and asks the database for the words that its parts stand for."""
    every = units(typed)
    taken, notes = every[:MOST_UNITS], []
    if not every:
        notes.append("There is no word in this search: type a letter, a digit or an emoji.")
    if len(every) > MOST_UNITS:
        notes.append(f"The first {MOST_UNITS} of {len(every):,} words were searched for. Type fewer.")
    groups: list[tuple[str, ...]] = []
    for unit in taken:
        for word in dict.fromkeys(words(unit)):
            known, all_known = _expanded(word)
            groups.append(known)
            if not all_known:
                notes.append(
                    f"“{word}” is a part of very many words; {MOST_EXPANDED} were searched for. Type more of it."
                )
    phrases = [unit for unit in taken if len(list(words(unit))) > (2 if unspaced(unit) else 1)]
    return Search(tuple(taken), tuple(dict.fromkeys(groups)), tuple(phrases), tuple(notes))


def find(
    search: Search,
    facets: Sequence[Sequence[str]],
    within: tuple[int, int],
    fits: Callable[[ArchivedThread], bool] | None,
    *,
    descending: bool,
    wanted: int,
) -> Found:
    """The first `wanted` threads that match, `within` being the numbers to look in (from, up to but not). `fits` is
    asked for each, where the numbers and the facets do not tell all."""
    numbers: list[int] = []
    looked_at = 0
    if search.nothing:
        return Found(())
    groups = [*(tuple(each) for each in facets), *search.groups]
    checked = bool(search.phrases) or fits is not None
    for chunk in engines.matching(groups, *within, descending=descending, size=wanted):
        found = _checked(chunk, search.phrases, fits) if checked else chunk
        looked_at += len(chunk)
        numbers += found
        if len(numbers) >= wanted:
            return Found(tuple(numbers[:wanted]))
        if checked and looked_at >= MOST_LOOKED_AT:
            return Found(tuple(numbers), chunk[-1])
    return Found(tuple(numbers))


def _checked(
    numbers: Sequence[int], phrases: Sequence[str], fits: Callable[[ArchivedThread], bool] | None
) -> list[int]:
    threads = ArchivedThread.objects.defer("raw").in_bulk(list(numbers))
    left = [number for number in numbers if number in threads and (fits is None or fits(threads[number]))]
    for phrase in phrases:
        said = ArchivedItem.objects.filter(thread__in=left, text__contains=phrase)
        having = set(said.values_list("thread_id", flat=True).distinct())
        left = [number for number in left if number in having or phrase in head(threads[number])]
    return left


def _expanded(word: str) -> tuple[tuple[str, ...], bool]:
    """The words of the index that `word` stands for, the likeliest first, and whether these are all."""
    if len(word) == 1 and unspaced(word):
        found = engines.words_beginning(word, MOST_EXPANDED + 1)
    elif len(word) < _SHORTEST_PART or len(word) >= LONGEST_WORD or any(map(unspaced, word)):
        return (word,), True
    else:
        found = engines.words_with(word, MOST_EXPANDED + 1)
    return tuple(found[:MOST_EXPANDED]), len(found) <= MOST_EXPANDED
