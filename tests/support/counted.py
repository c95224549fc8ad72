"""Checks the counters and the search index that the archive keeps as it writes against its rows."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime

from django.db import connection

from threads.archive.models import (
    ArchivedItem,
    ArchivedThread,
    ArchivedUser,
    Day,
    Progress,
    QuarterCount,
    Reason,
    SearchDoc,
    ThreadState,
    Word,
)
from threads.archive.store import counters, word_index
from threads.archive.store.tokens import author, is_message, preview, words
from threads.chatkit.items import item as read_item

NEVER = datetime.min.replace(tzinfo=UTC)


def check() -> None:
    """Fails unless every counter and every index entry equals what the rows give."""
    threads = list(ArchivedThread.objects.all())
    under = [counters.counter_keys(each) for each in threads]
    assert None not in under
    found = [each for each in under if each]
    assert {each.pk: each.threads for each in ThreadState.objects.filter(threads__gt=0)} == Counter(
        each[0] for each in found
    )
    for model, place in ((ArchivedUser, 1), (Reason, 2)):
        kept = {each.pk: each.threads for each in model.objects.filter(threads__gt=0)}
        assert kept == Counter(each[place] for each in found if each[place] is not None)
    tallies = {(each.quarter, each.state_id): each.threads for each in QuarterCount.objects.filter(threads__gt=0)}
    assert tallies == Counter((each[3], each[0]) for each in found if each[3] is not None)
    assert Progress.objects.get().items == ArchivedItem.objects.count()
    for each in threads:
        assert each.created_at
        day = Day.objects.get(day=int(each.created_at.timestamp() // counters.DAY_SECONDS))
        assert day.first <= each.number <= day.last
        assert each.state
        assert (each.state.status, each.state.has_reason) == (each.status or "", bool(each.reason))
        items = ArchivedItem.objects.filter(thread=each).order_by("place")
        assert each.items == len(items)
        said = [row for row in (read_item(json.loads(item.raw)) for item in items) if is_message(row)]
        last = max(enumerate(said), key=lambda pair: (pair[1].created_at or NEVER, pair[0]), default=(0, None))[1]
        assert (each.last_by, each.last_message) == ((author(last), preview(last)) if last else (None, None))
    _indexed(threads)


def _indexed(threads: list[ArchivedThread]) -> None:
    known = set(Word.objects.values_list("word", flat=True))
    docs = dict(SearchDoc.objects.values_list("thread_id", "words"))
    assert docs.keys() == {each.number for each in threads}
    for each in threads:
        found = set(words(word_index.folded_head(each)))
        for text in ArchivedItem.objects.filter(thread=each).values_list("text", flat=True):
            found.update(words(text))
        assert docs[each.number] == word_index.index_text(each, found)
        assert found <= known
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            for table in ("archive_words_index", "archive_parts_index"):
                # Fails where the index is not of what is in the table.
                cursor.execute(f"INSERT INTO {table}({table}, rank) VALUES ('integrity-check', 1)")
