"""Removes threads from the archive: marks them as deleted upstream, purges their copies, erases every trace of them.

`deletion_evidence` decides whether a thread may be marked or purged. Every function here that writes runs in a
transaction of its caller.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from threads.audit.record import Action, Outcome, record, record_or_raise

from . import deletion_evidence
from .models import ArchivedItem, ArchivedThread, ArchivedUser, Reason, SearchDoc, Tombstone, Word
from .search import engines
from .store import tombstones, word_index, write

log = logging.getLogger(__name__)

_SAMPLE_DOCS = 100
"""Threads whose words are compared before each word is looked up by itself: most words are common."""

_MAX_CUT_THREADS = 100_000
"""Upper bound for threads with more words than the index holds. They are rare."""


@dataclass(frozen=True, slots=True)
class ErasedCounts:
    """Numbers of erased rows: threads, items, index words, users and reasons."""

    threads: int = 0
    items: int = 0
    words: int = 0
    people: int = 0
    reasons: int = 0

    def __add__(self, more: ErasedCounts) -> ErasedCounts:
        return ErasedCounts(
            self.threads + more.threads,
            self.items + more.items,
            self.words + more.words,
            self.people + more.people,
            self.reasons + more.reasons,
        )


def mark_deleted(thread: ArchivedThread, now: datetime) -> None:
    """Marks a thread as deleted upstream; its copy stays. While the circuit breaker is open, the thread is withheld
    instead. If this thread exceeds the daily limit, that opens the circuit breaker."""
    if not write.is_archived(thread):
        return
    if not deletion_evidence.withheld().exists():
        if deletion_evidence.may_mark(now):
            write.mark_deleted_upstream(thread, now)
            return
        limit = deletion_evidence.daily_limit()
        log.error(
            "More than %d threads were deleted at OpenAI within 24 hours. No more are marked or removed until an "
            "administrator accepts them on the archive's page.",
            limit,
        )
        record(Action.ARCHIVE, Outcome.REFUSED, detail={"deletions": "circuit breaker opened", "limit": limit})
    ArchivedThread.objects.filter(pk=thread.pk, withheld_at__isnull=True).update(withheld_at=now)


def purge(thread: ArchivedThread) -> None:
    """Removes the copy of a thread that was deleted upstream, with an audit event and without a tombstone. Raises
    `NotRecordedError`: then the copy must stay."""
    if not write.is_archived(thread):
        return
    record_or_raise(
        Action.PURGE,
        Outcome.DONE,
        thread_id=thread.thread_id,
        user_id=thread.user or "",
        detail={"items": thread.items},
    )
    write.delete_thread(thread)


def erase(thread_ids: Sequence[str]) -> ErasedCounts:
    """Erases threads, their items, and the words, users and reasons that no other thread has. Leaves a tombstone for
    each id, so that the thread is never stored again. Waits for transactions that store. Returns the counts."""
    tombstones.lock_for_erasing()
    Tombstone.objects.bulk_create([Tombstone(thread_id=thread_id) for thread_id in thread_ids], ignore_conflicts=True)
    traces = ErasedCounts()
    for thread in ArchivedThread.objects.filter(thread_id__in=thread_ids):
        traces += _erase_thread(thread)
    return traces


def _erase_thread(thread: ArchivedThread) -> ErasedCounts:
    words, items = _words_of(thread), ArchivedItem.objects.filter(thread=thread).count()
    person, cause = thread.archived_user_id, thread.cause_id
    write.delete_thread(thread)
    people = reasons = 0
    if person is not None and not ArchivedThread.objects.filter(archived_user=person).exists():
        people, _ = ArchivedUser.objects.filter(pk=person).delete()
    if cause is not None and not ArchivedThread.objects.filter(cause=cause).exists():
        reasons, _ = Reason.objects.filter(pk=cause).delete()
    return ErasedCounts(1, items, _delete_unused(words), people, reasons)


def _words_of(thread: ArchivedThread) -> set[str]:
    """The indexed words of a thread, and those that the index had no room for."""
    doc = SearchDoc.objects.filter(pk=thread.pk).values_list("words", flat=True).first() or ""
    if doc.startswith(f"{word_index.CUT_MARKER} "):
        return word_index.all_words(thread) - {""}
    return {word for word in doc.split(" ") if word and not word.startswith("=")}


def _delete_unused(words: set[str]) -> int:
    """Deletes those of the words that no thread has any more. Returns how many."""
    left = set(words)
    for doc in SearchDoc.objects.order_by("-pk").values_list("words", flat=True)[:_SAMPLE_DOCS]:
        left.difference_update(doc.split(" "))
    left = {word for word in left if not engines.numbers_with_word(word, 1)}
    for number in engines.numbers_with_word(word_index.CUT_MARKER, _MAX_CUT_THREADS) if left else ():
        left -= word_index.all_words(ArchivedThread.objects.get(pk=number))
    deleted, _ = Word.objects.filter(word__in=left).delete()
    return deleted
