"""Best match: ranks the threads that a search has found.

Threads that have all words as they were typed come first. Otherwise a whole word counts most, the beginning of a word
less, a part of a word little. Words count more in one message, close together or as the phrase that was typed, and in
the title or the reason. Common words weigh little. Of equal threads the newest comes first.

All of it is bounded: the newest `MOST_RANKED` threads, the first `_MOST_ITEMS` items of a conversation, `_MOST_READ`
items in total, the first `_MOST_CHARACTERS` of an item, the first `_MOST_WORDS` words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import log
from typing import NamedTuple

from django.db.models.functions import Left

from threads.archive.models import ArchivedItem, ArchivedThread
from threads.archive.store.tokens import is_unspaced, is_whole, terms, words
from threads.archive.store.word_index import RUN_BITS, folded_head

from . import engines
from .snippets import Sought
from .words import Groups, Search

MOST_RANKED = 1000
"""Threads that are ranked."""

_MOST_WORDS = 8
_MOST_ITEMS = 200
_MOST_READ = 10_000
_MOST_CHARACTERS = 4000
_THREADS_PER_QUERY = 200

_RUNS = 2
"""Runs of the newest threads in which words are counted, to tell how common they are."""

_COMMON = 0.2
"""Share of threads from which on a word is common."""

_FEW = 100
"""Threads up to which no word is common."""

_LEAST_WEIGHT = 0.1

_WHOLE, _BEGINNING, _PART = 1.0, 0.5, 0.1
"""What a word counts, by how a thread has it."""

_HAS, _TOGETHER, _PHRASE, _CLOSE, _HEAD = 4.0, 2.0, 2.0, 1.0, 1.0
"""What counts: words anywhere; in one message; as the phrase that was typed; close together; in the title or reason."""

_NEAR = 100
"""Characters between words at which closeness counts half."""

Find = Callable[[Groups, tuple[int, int] | None], Sequence[int]]
"""Finds the newest threads that match these groups, more than `MOST_RANKED` if there are; or, by the index alone, those
in a range of numbers (lower bound, exclusive upper bound)."""


@dataclass(slots=True)
class Candidates:
    """The threads to rank: those with whole words first, then those with beginnings of words, then the rest, each
    newest first. `whole` and `begun` are the numbers of the first kind and of the first two. `more` tells whether
    further threads match."""

    numbers: list[int]
    whole: set[int] = field(default_factory=set)
    begun: set[int] = field(default_factory=set)
    more: bool = False


def candidates(search: Search, found: Sequence[int], find: Find, *, more: bool) -> Candidates:
    """The threads to rank. `found` are the newest that match, and `more` tells whether there are older ones. If so, the
    newest with whole words replace the oldest without."""
    if not found:
        return Candidates([], more=more)
    rest, known = list(found[:MOST_RANKED]), (min(found), max(found) + 1)
    more = more or len(found) > MOST_RANKED
    # Phrases are compared with texts, which would take too long for older threads too.
    if not more or search.phrases:
        begun = rest if search.begun == search.groups else _kept(rest, find(search.begun, known))
        whole = begun if search.whole == search.begun else _kept(begun, find(search.whole, known))
    else:
        whole = rest if search.whole == search.groups else list(find(search.whole, None)[:MOST_RANKED])
        begun = whole
        if len(whole) < MOST_RANKED and search.begun != search.whole:
            begun = rest if search.begun == search.groups else list(find(search.begun, None)[:MOST_RANKED])
    numbers = list(dict.fromkeys([*whole, *begun, *rest]))[:MOST_RANKED]
    return Candidates(numbers, set(whole), {*whole, *begun}, more)


def _kept(numbers: Sequence[int], among: Iterable[int]) -> list[int]:
    within = set(among)
    return [number for number in numbers if number in within]


class _Pattern(NamedTuple):
    """How a text has a word: `whole` as a whole word, `begun` as the beginning of one, None if that does not match."""

    whole: str
    begun: str | None


class _Head(NamedTuple):
    number: int
    title: str | None
    reason: str | None
    items: int


@dataclass(slots=True)
class _Score:
    """What a thread has of each word, what its best text counts, and what its title and reason count."""

    has: list[float]
    text: float = 0.0
    head: float = 0.0


class Ranking:
    """Ranks threads by words, titles and reasons; by the texts of their items once `compare_texts` was called."""

    def __init__(self, search: Search, found: Candidates) -> None:
        self._words = search.words[:_MOST_WORDS]
        weights = word_weights(self._words)
        total = sum(weights) or 1.0
        self._weights = [weight / total for weight in weights]
        self._patterns = [_pattern(word) for word in self._words]
        sequence = [word for unit in search.units for word in unit.split()]
        self._phrase = _as_words(sequence) if len(sequence) > 1 else None
        self._first = found.whole if search.all_whole else set[int]()
        least = {
            "whole": _floors(self._words, search.whole, _BEGINNING),
            "begun": _floors(self._words, search.begun, _BEGINNING),
            "part": _floors(self._words, search.groups, _PART),
        }
        self._scores = {
            number: _Score(
                list(least["whole" if number in found.whole else "begun" if number in found.begun else "part"])
            )
            for number in found.numbers
        }
        rows = ArchivedThread.objects.filter(number__in=found.numbers)
        heads = [_Head(*row) for row in rows.values_list("number", "title", "reason", "items")]
        self._items = {head.number: head.items for head in heads}
        for head in heads:
            score = self._scores[head.number]
            score.text, score.head = self._compare(folded_head(head), score.has)

    def compare_texts(self) -> None:
        """Compares the texts of items, if there are several words. Raises `QueryTimeout`; then none of them count."""
        if len(self._words) < 2:
            return
        scores = {number: _Score(list(score.has), score.text, score.head) for number, score in self._scores.items()}
        read = self._read()
        for start in range(0, len(read), _THREADS_PER_QUERY):
            some = read[start : start + _THREADS_PER_QUERY]
            items = ArchivedItem.objects.filter(thread__in=some, place__lt=_MOST_ITEMS)
            for number, text in items.values_list("thread_id", Left("text", _MOST_CHARACTERS)):
                score = scores[number]
                score.text = max(score.text, self._compare(text, score.has)[0])
        self._scores = scores

    def numbers(self) -> list[int]:
        """The numbers of the threads, the best match first."""
        return sorted(self._scores, key=self._place)

    def _place(self, number: int) -> tuple[bool, float, int]:
        score = self._scores[number]
        has = sum(weight * each for weight, each in zip(self._weights, score.has, strict=True))
        counts = _HAS * has + score.text + _HEAD * score.head
        return number not in self._first, -round(counts, 6), -number

    def _read(self) -> list[int]:
        """The threads whose items are read."""
        left, chosen = _MOST_READ, []
        for number in self._scores:
            left -= min(self._items.get(number, 0), _MOST_ITEMS)
            if left < 0:
                break
            chosen.append(number)
        return chosen

    def _compare(self, text: str, has: list[float]) -> tuple[float, float]:
        """What a folded text counts, and the share of the words that it has. Updates `has`, by word."""
        spaced = f" {text} ".replace("\n", " ")
        share, first, last = 0.0, len(spaced), 0
        for place, (pattern, weight) in enumerate(zip(self._patterns, self._weights, strict=True)):
            at, level = spaced.find(pattern.whole), _WHOLE
            if at < 0 and pattern.begun is not None:
                at, level = spaced.find(pattern.begun), _BEGINNING
            if at >= 0:
                share += weight * level
                first, last = min(first, at), max(last, at)
                if level > has[place]:
                    has[place] = level
        if not share:
            return 0.0, 0.0
        counts = _TOGETHER * share
        if self._phrase is not None:
            if self._phrase in spaced:
                counts += _PHRASE + _CLOSE
            else:
                counts += _CLOSE * share / (1 + (last - first) / _NEAR)
        return counts, share


def word_weights(found: Sequence[str]) -> list[float]:
    """The weight of each folded word: the rarer it is in the newest threads, the greater (inverse document
    frequency)."""
    counts, threads = _counts(found)
    return [_weight(count, threads) for count in counts]


def sought(units: Sequence[str]) -> Sought:
    """What to mark of the folded units of a search. A phrase weighs as much as its words together."""
    found = list(dict.fromkeys(word for unit in units for word in unit.split()))[:_MOST_WORDS]
    counts, threads = _counts(found)
    weights = {word: _weight(count, threads) for word, count in zip(found, counts, strict=True)}
    common = [word for word, count in zip(found, counts, strict=True) if threads > _FEW and count > _COMMON * threads]
    return Sought(
        tuple(units), tuple(sum(weights.get(word, 1.0) for word in unit.split()) for unit in units), frozenset(common)
    )


def _weight(count: int, threads: int) -> float:
    return max(_LEAST_WEIGHT, log((threads + 1) / (count + 1)))


def _counts(found: Sequence[str]) -> tuple[list[int], int]:
    """For each word how many of the newest threads have it; and the number of these threads."""
    newest = ArchivedThread.objects.order_by("-number").values_list("number", flat=True).first()
    if newest is None:
        return [0] * len(found), 0
    run = newest >> RUN_BITS
    low, high = max(0, run + 1 - _RUNS) << RUN_BITS, (run + 1) << RUN_BITS
    # The last of its index words is the word itself, or the last two characters of a script without spaces.
    counts = engines.count_threads([[*words(word)][-1] for word in found], low, high)
    return counts, ArchivedThread.objects.filter(number__gte=low).count()


def _pattern(word: str) -> _Pattern:
    if len(terms(word)) > 1 or is_unspaced(word):
        return _Pattern(word, None)
    return _Pattern(f" {word} ", None if is_whole(word) else f" {word}")


def _as_words(sequence: Sequence[str]) -> str:
    """The words in a row, as whole words where their scripts have spaces."""
    begin, end = ("" if is_unspaced(word) else " " for word in (sequence[0], sequence[-1]))
    return f"{begin}{' '.join(sequence)}{end}"


def _floors(found: Sequence[str], groups: Groups, otherwise: float) -> list[float]:
    """What a thread that matches the groups has at least of each word."""
    return [_WHOLE if len(terms(word)) > 1 or (word,) in groups else otherwise for word in found]
