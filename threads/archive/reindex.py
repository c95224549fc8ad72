"""Reindexing: threads that an older version folded in another way, and those too long to be indexed in a request.

A worker takes what is in `StaleIndex`, a bounded number of items in each transaction: memory stays flat, others can
write in between, and a killed worker loses no more than one transaction and what it had read of one long thread.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

from django.db import transaction
from django.db.models import F

from threads.chatkit.items import item as read_item
from threads.lib.folding import VERSION

from .models import ArchivedItem, ArchivedThread, Progress, StaleIndex, Word
from .search import engines
from .store import tombstones, word_index
from .store.tokens import words
from .store.write import text_of
from .sync.lease import Held

_THREADS, _ITEMS, _WORDS = 50, 500, 500
"""Done in one transaction at the most."""

_PAUSE = 0.02
"""Seconds after each, in which others get to write."""


def is_due() -> bool:
    """Whether there is anything to do."""
    return StaleIndex.objects.exists() or _is_outdated()


def run(stopped: Callable[[], bool] = lambda: False, watch: Callable[[int], object] = lambda _done: None) -> None:
    """Indexes anew all that is stale, until it is `stopped`. `watch` is told how many threads each transaction has
    finished. Raises `HeldError` where another worker is at it, `LeaseLostError` where one has taken over."""
    held = Held("index")
    try:
        outdated, work = _is_outdated(), _Reindexing()
        for step in (work.threads, *([_unused_words] if outdated else [])):
            for done in step():
                if stopped():
                    return
                with transaction.atomic():
                    held.renew()
                watch(done)
                time.sleep(_PAUSE)
        if outdated:
            Progress.objects.update(folding=VERSION)
    finally:
        held.release()


def _is_outdated() -> bool:
    return Progress.objects.filter(folding__lt=VERSION).exists()


class _Reindexing:
    """Where it is: a thread of more items than a transaction has is gone on with in the next one."""

    def __init__(self) -> None:
        self._number: int | None = None
        self._place, self._words = 0, set[str]()

    def threads(self) -> Iterator[int]:
        while (done := self._some()) is not None:
            yield done

    def _some(self) -> int | None:
        """One transaction. Returns how many threads are done with it, None where none was left."""
        with transaction.atomic(), word_index.words_last():
            tombstones.storing()
            stale = list(StaleIndex.objects.order_by("thread").values_list("thread_id", flat=True)[:_THREADS])
            if not stale:
                return None
            # Those that somebody writes just now have their turn later.
            locked = ArchivedThread.objects.select_for_update(skip_locked=True).filter(number__in=stale)
            done: dict[ArchivedThread, set[str]] = {}
            left = _ITEMS
            for thread in locked.order_by("number"):
                read = self._read(thread, left)
                if read == left:
                    break
                left -= read
                done[thread] = self._words | set(words(word_index.head(thread)))
            if done:
                word_index.put(done)
                StaleIndex.objects.filter(thread__in=done).delete()
        return len(done)

    def _read(self, thread: ArchivedThread, most: int) -> int:
        """Folds up to `most` further items of a thread. Returns how many there were."""
        if thread.number != self._number:
            self._number, self._place, self._words = thread.number, 0, set()
        items = list(ArchivedItem.objects.filter(thread=thread, place__gte=self._place).order_by("place")[:most])
        changed = []
        for each in items:
            text = text_of(read_item(json.loads(each.raw)))
            if text != each.text:
                each.text = text
                changed.append(each)
            self._words.update(words(text))
        ArchivedItem.objects.bulk_update(changed, ["text"])
        if items:
            self._place = items[-1].place + 1
        return len(items)


def _unused_words() -> Iterator[int]:
    """Removes words that no thread has any more: a part of a word would stand for them in vain."""
    last = 0
    while True:
        with transaction.atomic():
            tombstones.erasing()
            some = list(Word.objects.filter(pk__gt=last).order_by("pk")[:_WORDS])
            unused = [each.pk for each in some if not engines.with_word(each.word, 1)]
            if unused:
                Word.objects.filter(pk__in=unused).delete()
                Progress.objects.update(removals=F("removals") + 1)
        if not some:
            return
        last = some[-1].pk
        yield 0
