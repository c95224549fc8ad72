"""Keeps the words of threads in the search index, in the transaction that keeps the threads themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from django.db import connection, transaction

from threads.chunks import chunked

from .models import ArchivedItem, ArchivedThread, SearchDoc, Word
from .text import folded, words

MOST = 400_000
"""Characters of distinct words that one thread has in the index. PostgreSQL takes a megabyte, and a conversation in
human language stays far below."""

CUT = "=cut"
"""Among the words of a thread that has more than that."""

RUN = 12
"""PostgreSQL's index knows no order, so a thread has among its words which run of numbers it is in, of 2 to the power
of this: what is common is found in the first runs alone."""

_MOST_KNOWN = 500_000


@dataclass(slots=True)
class _Known:
    """Words that are in the database for sure, as long as nothing has been erased after `erased`."""

    words: set[str] = field(default_factory=set)
    erased: int | None = None


_known = _Known()


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
    """Threads of which anything may have changed."""
    for thread in threads:
        put({thread: words_in(thread)})


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
    """The text of a thread's row: what it is filtered by, then its words, as many as there is room for."""
    text = " ".join([*facets(thread), *sorted(found - {""})])
    if len(text) <= MOST:
        return text
    return f"{CUT} {text[:MOST].rpartition(' ')[0]}"


def remember(found: set[str]) -> None:
    """Notes words, so that parts of them are found."""
    unknown, erased = sorted(found - _known.words - {""}), _known.erased
    if not unknown:
        return
    Word.objects.bulk_create([Word(word=each) for each in unknown], ignore_conflicts=True, batch_size=2000)

    def committed() -> None:
        if len(_known.words) > _MOST_KNOWN:
            _known.words.clear()
        # Since this transaction some of them may have been erased again.
        if _known.erased == erased:
            _known.words.update(unknown)

    transaction.on_commit(committed)


def as_of(erased: int) -> None:
    """What was erased last: another process may have taken words away that this one believes to be there."""
    if _known.erased != erased:
        _known.words.clear()
        _known.erased = erased


def forget_known() -> None:
    """The words in the database may be fewer than this process believes."""
    _known.words.clear()
    _known.erased = None
