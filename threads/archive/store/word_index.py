"""Search index: writes the words of threads, in the transaction that stores the threads themselves."""

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
"""Bytes of distinct words per thread. A PostgreSQL tsvector has at most 1,048,575."""

CUT_MARKER = "=cut"
"""Marker word of a thread with more words than `MOST` allows."""

_MOST_ITEMS = 1_000
"""Items of a thread up to which it is reindexed at once; a longer one is left to a worker."""

_LARGE = 200_000
"""Characters of a thread's words from which on a new page of items is indexed later, by a worker."""

_DIGIT = re.compile("[0-9]")
_SHORTEST_CODE = 8
"""A word of at least this many characters with a digit counts as an id, a hash or a key."""

RUN_BITS = 12
"""A run has 2 to the power of this thread numbers. PostgreSQL's index has no order, so each thread also has a word for
its run, and frequent words are found in the first runs alone."""

_MAX_CACHED_WORDS = 500_000


@dataclass(slots=True)
class _WordCache:
    """Words that are in the database for sure, as long as no words were removed since `removals`."""

    words: set[str] = field(default_factory=set)
    removals: tuple[int, int] | None = None


_cache = _WordCache()

_gathered: ContextVar[set[str] | None] = ContextVar("_gathered", default=None)


class HasHead(Protocol):
    """A thread's title and reason."""

    @property
    def title(self) -> str | None: ...
    @property
    def reason(self) -> str | None: ...


def folded_head(thread: HasHead) -> str:
    """The folded title and reason of a thread."""
    return " ".join(filter(None, [folded(thread.title or ""), folded(thread.reason or "")]))


def marker_words(thread: ArchivedThread) -> list[str]:
    """Filter values of a thread as marker words, which begin with "=" and so can't be typed."""
    found = [state_word(thread.state_id or 0)]
    if thread.archived_user_id is not None:
        found.append(person_word(thread.archived_user_id))
    if thread.cause_id is not None:
        found.append(cause_word(thread.cause_id))
    if connection.vendor != "sqlite":
        found.append(run_word(thread.number >> RUN_BITS))
    return found


def run_word(run: int) -> str:
    """The marker word of a run of thread numbers."""
    return f"=a{run}"


def state_word(state: int) -> str:
    """The marker word of a `ThreadState`."""
    return f"=s{state}"


def person_word(person: int) -> str:
    """The marker word of an `ArchivedUser`."""
    return f"=u{person}"


def cause_word(cause: int) -> str:
    """The marker word of a `Reason`."""
    return f"=r{cause}"


def index_new(threads: Sequence[ArchivedThread]) -> None:
    """Indexes threads that were just stored for the first time and have no items yet."""
    write_words({thread: set(words(folded_head(thread))) for thread in threads}, fresh=True)


def reindex_threads(threads: Iterable[ArchivedThread]) -> None:
    """Reindexes threads completely. One with many items is left to a worker."""
    with words_at_end():
        for thread in threads:
            if thread.items > _MOST_ITEMS:
                mark_stale(thread)
            else:
                write_words({thread: all_words(thread)})


def mark_stale(thread: ArchivedThread) -> None:
    """Marks a thread for reindexing by a worker. Until then it is found by its old words."""
    StaleIndex.objects.bulk_create([StaleIndex(thread=thread)], ignore_conflicts=True)


def all_words(thread: ArchivedThread) -> set[str]:
    """All words of an archived thread and its items."""
    found = set(words(folded_head(thread)))
    for item in chunked(ArchivedItem.objects.filter(thread=thread).only("place", "text"), 500, by="place"):
        found.update(words(item.text))
    return found


def add_items(thread: ArchivedThread, texts: Iterable[str]) -> None:
    """Adds the folded texts of new items to an indexed thread; a long thread is left to a worker."""
    found = {word for text in texts for word in words(text)}
    there = SearchDoc.objects.filter(pk=thread.pk).values_list("words", flat=True).first() or ""
    if len(there) > _LARGE:
        mark_stale(thread)
        return
    write_words({thread: found | {word for word in there.split(" ") if not word.startswith("=")}})


def write_words(found: Mapping[ArchivedThread, set[str]], *, fresh: bool = False) -> None:
    """Writes the words of threads. `fresh` is whether none of them is in the index yet."""
    docs = [SearchDoc(thread=thread, words=index_text(thread, each)) for thread, each in found.items()]
    if fresh:
        SearchDoc.objects.bulk_create(docs)
    else:
        SearchDoc.objects.bulk_create(docs, update_conflicts=True, unique_fields=["thread"], update_fields=["words"])
    store_words(set().union(*found.values()))


def index_text(thread: ArchivedThread, found: set[str]) -> str:
    """The text of a thread's index row: marker words, then its words. Beyond `MOST` bytes, long codes are left out
    first, since people search for words."""
    about = marker_words(thread)
    text = " ".join([*about, *sorted(found - {""})])
    if len(text.encode()) <= MOST:
        return text
    kept: list[str] = []
    room = MOST - len(" ".join([CUT_MARKER, *about]))
    for word in sorted(found - {""}, key=_keep_order):
        room -= 1 + len(word.encode())
        if room < 0:
            break
        kept.append(word)
    return " ".join([CUT_MARKER, *about, *sorted(kept)])


def _keep_order(word: str) -> tuple[bool, int, str]:
    is_code = len(word) >= _SHORTEST_CODE and _DIGIT.search(word) is not None
    return is_code, len(word), word


def is_cut(thread_id: str) -> bool:
    """Whether an archived thread has more words than are indexed."""
    return SearchDoc.objects.filter(thread__thread_id=thread_id, words__startswith=f"{CUT_MARKER} ").exists()


@contextmanager
def words_at_end() -> Iterator[None]:
    """For a transaction that writes several threads: inserts all their words at the end of the block, in one order.

    Prevents deadlocks on PostgreSQL: inserting a word that another transaction has inserted waits for that one to end,
    so nothing may be locked after a word but words later in the alphabet.
    """
    if _gathered.get() is not None:
        yield
        return
    found = set[str]()
    token = _gathered.set(found)
    try:
        yield
    finally:
        _gathered.reset(token)
    store_words(found)


def store_words(found: set[str]) -> None:
    """Stores words in the dictionary `Word`, by which partial words are expanded."""
    gathered = _gathered.get()
    if gathered is not None:
        gathered.update(found)
        return
    unknown, removals = sorted(found - _cache.words - {""}), _cache.removals
    if not unknown:
        return
    Word.objects.bulk_create([Word(word=each) for each in unknown], ignore_conflicts=True, batch_size=2000)

    def committed() -> None:
        if len(_cache.words) > _MAX_CACHED_WORDS:
            _cache.words.clear()
        # Words may have been removed since this transaction began.
        if _cache.removals == removals:
            _cache.words.update(unknown)

    transaction.on_commit(committed)


def match_removals(removals: tuple[int, int]) -> None:
    """Sets the state of removals that the cache has to match: the last erasure, and the number of removals of unused
    words. Where it changed, another process has removed words, and the cache is emptied."""
    if _cache.removals != removals:
        _cache.words.clear()
        _cache.removals = removals


@on_reset
def clear_cache() -> None:
    """Empties the word cache of this process, after words were removed from the database."""
    _cache.words.clear()
    _cache.removals = None
