"""Takes every trace of a thread out of the archive, for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .models import ArchivedItem, ArchivedThread, Erased, Person, Reason, SearchDoc, Word
from .search import engines
from .store import tombstones, word_index, write

_FEW = 100
"""Threads whose words are gone through before a word is looked up by itself: most words are common."""

_MOST_CUT = 100_000
"""Threads with more words than the index has room for. There are hardly ever any."""


@dataclass(frozen=True, slots=True)
class Traces:
    """What there was of some threads, and is no more."""

    threads: int = 0
    items: int = 0
    words: int = 0
    people: int = 0
    reasons: int = 0

    def __add__(self, more: Traces) -> Traces:
        return Traces(
            self.threads + more.threads,
            self.items + more.items,
            self.words + more.words,
            self.people + more.people,
            self.reasons + more.reasons,
        )


def erase(thread_ids: Sequence[str]) -> Traces:
    """Forgets threads, their items, and the words, users and reasons that no other thread has; none of them is ever
    kept again. In a transaction of the caller's, which waits for those who store."""
    tombstones.erasing()
    Erased.objects.bulk_create([Erased(thread_id=each) for each in thread_ids], ignore_conflicts=True)
    traces = Traces()
    for thread in ArchivedThread.objects.filter(thread_id__in=thread_ids):
        traces += _forget(thread)
    return traces


def _forget(thread: ArchivedThread) -> Traces:
    words, items = _words_of(thread), ArchivedItem.objects.filter(thread=thread).count()
    person, cause = thread.person_id, thread.cause_id
    write.purge(thread)
    people = reasons = 0
    if person is not None and not ArchivedThread.objects.filter(person=person).exists():
        people, _ = Person.objects.filter(pk=person).delete()
    if cause is not None and not ArchivedThread.objects.filter(cause=cause).exists():
        reasons, _ = Reason.objects.filter(pk=cause).delete()
    return Traces(1, items, _drop_unused(words), people, reasons)


def _words_of(thread: ArchivedThread) -> set[str]:
    """The words that a thread has in the index, and those for which there was no room."""
    doc = SearchDoc.objects.filter(pk=thread.pk).values_list("words", flat=True).first() or ""
    if doc.startswith(f"{word_index.CUT} "):
        return word_index.words_in(thread) - {""}
    return {word for word in doc.split(" ") if word and not word.startswith("=")}


def _drop_unused(words: set[str]) -> int:
    """Forgets those of the words that no thread has any more. Returns how many."""
    left = set(words)
    for doc in SearchDoc.objects.order_by("-pk").values_list("words", flat=True)[:_FEW]:
        left.difference_update(doc.split(" "))
    left = {word for word in left if not engines.with_word(word, 1)}
    for number in engines.with_word(word_index.CUT, _MOST_CUT) if left else ():
        left -= word_index.words_in(ArchivedThread.objects.get(pk=number))
    dropped, _ = Word.objects.filter(word__in=left).delete()
    return dropped
