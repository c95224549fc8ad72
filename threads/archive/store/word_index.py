"""Keeps the words of threads in the search index, in the transaction that keeps the threads themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol

from django.db import connection, transaction

from threads.archive.models import ArchivedItem, ArchivedThread, SearchDoc, StaleIndex, Word
from threads.lib.db import chunked
from threads.lib.process_state import on_reset

from .tokens import folded, words

MOST = 1_000_000
"""Bytes of distinct words that one thread has in the index. PostgreSQL takes 1,048,575 of them in a tsvector."""

CUT = "=cut"
"""Among the words of a thread that has more than that."""

_MOST_ITEMS = 1_000
"""Items of a thread that are read again at once; a thread of more is left to a worker."""

_LARGE = 200_000
"""Characters of words from which a thread is not written anew for each page of its items, but later by a worker."""

_DIGIT = re.compile("[0-9]")
_SHORTEST_CODE = 8
"""A word of so many characters with a digit in it is an id, a hash or a key."""

RUN = 12
"""PostgreSQL's index knows no order, so a thread has among its words which run of numbers it is in, of 2 to the power
of this: what is common is found in the first runs alone."""

_MOST_KNOWN = 500_000


@dataclass(slots=True)
class _Known:
    """Words that are in the database for sure, as long as `removals` says that none has been removed."""

    words: set[str] = field(default_factory=set)
    removals: tuple[int, int] | None = None


_known = _Known()

_gathered: ContextVar[set[str] | None] = ContextVar("_gathered", default=None)


class Headed(Protocol):
    """What has a title and a reason."""

    @property
    def title(self) -> str | None: ...
    @property
    def reason(self) -> str | None: ...


def head(thread: Headed) -> str:
    """What a thread says itself, folded."""
    return " ".join(filter(None, [folded(thread.title or ""), folded(thread.reason or "")]))


def facets(thread: ArchivedThread) -> list[str]:
    """What a thread is filtered by, as words that nobody can type."""
    found = [state_word(thread.state_id or 0)]
    if thread.person_id is not None:
        found.append(person_word(thread.person_id))
    if thread.cause_id is not None:
        found.append(cause_word(thread.cause_id))
    if connection.vendor != "sqlite":
        found.append(run_word(thread.number >> RUN))
    return found


def run_word(run: int) -> str:
    return f"=a{run}"


def state_word(state: int) -> str:
    return f"=s{state}"


def person_word(person: int) -> str:
    return f"=u{person}"


def cause_word(cause: int) -> str:
    return f"=r{cause}"


def new(threads: Sequence[ArchivedThread]) -> None:
    """Threads that have just been kept for the first time, without items yet."""
    put({thread: set(words(head(thread))) for thread in threads}, fresh=True)


def anew(threads: Iterable[ArchivedThread]) -> None:
    """Threads of which anything may have changed. A long one is left to a worker."""
    with words_last():
        for thread in threads:
            if thread.items > _MOST_ITEMS:
                later(thread)
            else:
                put({thread: words_in(thread)})


def later(thread: ArchivedThread) -> None:
    """The thread is indexed anew by a worker; until then it is found by what it was."""
    StaleIndex.objects.bulk_create([StaleIndex(thread=thread)], ignore_conflicts=True)


def words_in(thread: ArchivedThread) -> set[str]:
    """All the words of a thread and its items, as they are kept."""
    found = set(words(head(thread)))
    for item in chunked(ArchivedItem.objects.filter(thread=thread).only("place", "text"), 500, by="place"):
        found.update(words(item.text))
    return found


def more(thread: ArchivedThread, texts: Iterable[str]) -> None:
    """Items have been added to a thread that is in the index."""
    found = {word for text in texts for word in words(text)}
    there = SearchDoc.objects.filter(pk=thread.pk).values_list("words", flat=True).first() or ""
    if len(there) > _LARGE:
        later(thread)
        return
    put({thread: found | {word for word in there.split(" ") if not word.startswith("=")}})


def put(found: Mapping[ArchivedThread, set[str]], *, fresh: bool = False) -> None:
    """Writes the words of threads; `fresh` where none of them has any yet."""
    docs = [SearchDoc(thread=thread, words=document(thread, each)) for thread, each in found.items()]
    if fresh:
        SearchDoc.objects.bulk_create(docs)
    else:
        SearchDoc.objects.bulk_create(docs, update_conflicts=True, unique_fields=["thread"], update_fields=["words"])
    remember(set().union(*found.values()))


def document(thread: ArchivedThread, found: set[str]) -> str:
    """The text of a thread's row: what it is filtered by, then its words. Where there is no room for all of them, the
    longest codes are left out first: who searches types words."""
    about = facets(thread)
    text = " ".join([*about, *sorted(found - {""})])
    if len(text.encode()) <= MOST:
        return text
    kept: list[str] = []
    room = MOST - len(" ".join([CUT, *about]))
    for word in sorted(found - {""}, key=_expendable):
        room -= 1 + len(word.encode())
        if room < 0:
            break
        kept.append(word)
    return " ".join([CUT, *about, *sorted(kept)])


def _expendable(word: str) -> tuple[bool, int, str]:
    is_code = len(word) >= _SHORTEST_CODE and _DIGIT.search(word) is not None
    return is_code, len(word), word


def is_cut(thread_id: str) -> bool:
    """Whether a kept thread has more words than the index has room for."""
    return SearchDoc.objects.filter(thread__thread_id=thread_id, words__startswith=f"{CUT} ").exists()


@contextmanager
def words_last() -> Iterator[None]:
    """For a transaction that writes several threads: the words of all of them are noted at its end, in one order. On
    PostgreSQL who notes a word that another transaction has just noted waits for that one to end; were anything locked
    after a word but another that comes later in the alphabet, two could wait for each other."""
    if _gathered.get() is not None:
        yield
        return
    found = set[str]()
    token = _gathered.set(found)
    try:
        yield
    finally:
        _gathered.reset(token)
    remember(found)


def remember(found: set[str]) -> None:
    """Notes words, so that parts of them are found."""
    gathered = _gathered.get()
    if gathered is not None:
        gathered.update(found)
        return
    unknown, removals = sorted(found - _known.words - {""}), _known.removals
    if not unknown:
        return
    Word.objects.bulk_create([Word(word=each) for each in unknown], ignore_conflicts=True, batch_size=2000)

    def committed() -> None:
        if len(_known.words) > _MOST_KNOWN:
            _known.words.clear()
        # Since this transaction some of them may have been removed again.
        if _known.removals == removals:
            _known.words.update(unknown)

    transaction.on_commit(committed)


def as_of(removals: tuple[int, int]) -> None:
    """The last erasure, and the last removal of unused words: another process may have taken words away that this one
    believes to be there."""
    if _known.removals != removals:
        _known.words.clear()
        _known.removals = removals


@on_reset
def forget_known() -> None:
    """The words in the database may be fewer than this process believes."""
    _known.words.clear()
    _known.removals = None
