"""Reindexes threads in `StaleIndex`: those folded by an older version, and those too long to be indexed in a request.
Adds previews of last messages to threads that an older version stored without.

Each transaction handles a bounded number of items. That bounds memory, lets others write in between, and a killed
worker loses at most one transaction and what it has read of one long thread.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

from django.db import transaction
from django.db.models import F, QuerySet

from threads.chatkit.items import item as read_item
from threads.lib.folding import VERSION

from .models import WITHOUT_LAST_MESSAGE, ArchivedItem, ArchivedThread, Progress, StaleIndex, Word
from .search import engines
from .store import tombstones, word_index
from .store.tokens import words
from .store.write import last_archived_message, set_last_message, text_of
from .sync.lease import ArchiveLease

_MAX_THREADS, _MAX_ITEMS, _MAX_WORDS = 50, 500, 500
"""Threads, items and unused words that one transaction handles at most."""

_MAX_PREVIEWS = 100
"""Threads whose last message one transaction reads at most."""

_PAUSE_SECONDS = 0.02
"""Pause after each transaction, so that others can write."""


def is_due() -> bool:
    """Whether any thread has to be reindexed or lacks a preview, or the folding is outdated."""
    return StaleIndex.objects.exists() or _without_last_message().exists() or _is_outdated()


def count_due() -> int:
    """The number of threads that `run` has to handle; one that is due for both reasons counts twice."""
    return StaleIndex.objects.count() + _without_last_message().count()


def run(stopped: Callable[[], bool] = lambda: False, watch: Callable[[int], object] = lambda _done: None) -> None:
    """Reindexes all stale threads, until `stopped` returns True. Calls `watch` with the number of threads that each
    transaction has finished. Raises `LeaseHeldError` if another worker holds the lease, `LeaseLostError` if one has
    taken over."""
    held = ArchiveLease("index")
    try:
        outdated, work = _is_outdated(), _Reindexer()
        for step in (work.threads, _add_last_messages, *([_delete_unused_words] if outdated else [])):
            for done in step():
                if stopped():
                    return
                with transaction.atomic():
                    held.renew()
                watch(done)
                time.sleep(_PAUSE_SECONDS)
        if outdated:
            Progress.objects.update(folding=VERSION)
    finally:
        held.release()


def _is_outdated() -> bool:
    return Progress.objects.filter(folding__lt=VERSION).exists()


class _Reindexer:
    """Keeps its place between transactions, since a long thread takes several."""

    def __init__(self) -> None:
        self._number: int | None = None
        self._place, self._words = 0, set[str]()

    def threads(self) -> Iterator[int]:
        """Reindexes all stale threads. Yields after each transaction the number of threads it has finished."""
        while (done := self._batch()) is not None:
            yield done

    def _batch(self) -> int | None:
        """One transaction. Returns how many threads it has finished, None if none was left."""
        with transaction.atomic(), word_index.words_at_end():
            tombstones.lock_for_storing()
            stale = list(StaleIndex.objects.order_by("thread").values_list("thread_id", flat=True)[:_MAX_THREADS])
            if not stale:
                return None
            # Threads that another transaction has locked are handled later.
            locked = ArchivedThread.objects.select_for_update(skip_locked=True).filter(number__in=stale)
            done: dict[ArchivedThread, set[str]] = {}
            left = _MAX_ITEMS
            for thread in locked.order_by("number"):
                read = self._read(thread, left)
                if read == left:
                    break
                left -= read
                done[thread] = self._words | set(words(word_index.folded_head(thread)))
            if done:
                word_index.write_words(done)
                StaleIndex.objects.filter(thread__in=done).delete()
        return len(done)

    def _read(self, thread: ArchivedThread, most: int) -> int:
        """Folds up to `most` further items of a thread. Returns how many it has read."""
        if thread.number != self._number:
            self._number, self._place, self._words = thread.number, 0, set()
        items = list(ArchivedItem.objects.filter(thread=thread, place__gte=self._place).order_by("place")[:most])
        changed = []
        for item in items:
            text = text_of(read_item(json.loads(item.raw)))
            if text != item.text:
                item.text = text
                changed.append(item)
            self._words.update(words(text))
        ArchivedItem.objects.bulk_update(changed, ["text"])
        if items:
            self._place = items[-1].place + 1
        return len(items)


def _without_last_message() -> QuerySet[ArchivedThread]:
    return ArchivedThread.objects.filter(WITHOUT_LAST_MESSAGE)


def _add_last_messages() -> Iterator[int]:
    """Adds the previews of last messages that are missing. Yields after each transaction its number of threads."""
    last = 0
    while True:
        with transaction.atomic():
            tombstones.lock_for_storing()
            # Threads that another transaction has locked are handled by the next run.
            locked = _without_last_message().filter(number__gt=last).select_for_update(skip_locked=True)
            some = list(locked.order_by("number").only("number")[:_MAX_PREVIEWS])
            for thread in some:
                set_last_message(thread, last_archived_message(thread))
                thread.last_by = thread.last_by or ""  # so that it is not tried again for ever
            ArchivedThread.objects.bulk_update(some, ["last_message", "last_by"])
        if not some:
            return
        last = some[-1].number
        yield len(some)


def _delete_unused_words() -> Iterator[int]:
    """Deletes words that no thread has any more, since a search for a part of a word would try them in vain."""
    last = 0
    while True:
        with transaction.atomic():
            tombstones.lock_for_erasing()
            some = list(Word.objects.filter(pk__gt=last).order_by("pk")[:_MAX_WORDS])
            unused = [word.pk for word in some if not engines.numbers_with_word(word.word, 1)]
            if unused:
                Word.objects.filter(pk__in=unused).delete()
                Progress.objects.update(removals=F("removals") + 1)
        if not some:
            return
        last = some[-1].pk
        yield 0
