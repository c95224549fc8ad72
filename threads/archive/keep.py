"""Writes what came from the upstream. Every function here runs in a transaction of its caller's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import F

from threads.chatkit import Page, Thread, ThreadItem
from threads.chatkit.items import item as read_item
from threads.raw import dumped

from . import counts, index, tombs
from .models import ArchivedItem, ArchivedThread, Progress
from .text import folded, is_message, opening, said

_SOONEST, _LATEST = timedelta(minutes=10), timedelta(days=7)


_COLUMNS = ["user", "title", "status", "reason", "created_at", "raw", "confirmed_at", "gone_at"]
_FOUND_BY = ("user", "title", "status", "reason", "created_at")
"""A thread of which one of these has changed is counted and indexed anew."""


def threads(rows: Sequence[Thread], now: datetime) -> tuple[int, int]:
    """Keeps or refreshes threads, in the API's order, oldest first, but those that were erased. Returns how many were
    new, and how many had no id and could not be kept."""
    tombs.storing()
    erased = tombs.known(row.id for row in rows if row.id)
    rows = [row for row in rows if row.id not in erased]
    known = ArchivedThread.objects.in_bulk([row.id for row in rows if row.id], field_name="thread_id")
    new = [_filled(ArchivedThread(), row, now) for row in rows if row.id and row.id not in known]
    refresh([(known[row.id], row) for row in rows if row.id and row.id in known], now)
    counts.name(new)
    ArchivedThread.objects.bulk_create(new)
    counts.change([], [each for each in map(counts.counted, new) if each])
    counts.days(new)
    index.new(new)
    return len(new), sum(row.id is None for row in rows)


def refresh(pairs: Sequence[tuple[ArchivedThread, Thread]], now: datetime) -> None:
    """Kept threads as the upstream shows them now."""
    changed, before, other, same = [], [], [], []
    for kept, row in pairs:
        was, under = {name: getattr(kept, name) for name in _COLUMNS}, counts.counted(kept)
        _filled(kept, row, now)
        if under is None or any(was[name] != getattr(kept, name) for name in _FOUND_BY):
            before.append(under)
            changed.append(kept)
            other.append(kept)
        elif any(was[name] != getattr(kept, name) for name in _COLUMNS if name != "confirmed_at"):
            other.append(kept)
        else:
            same.append(kept.pk)
    _count_anew(changed, before)
    ArchivedThread.objects.bulk_update(other, [*_COLUMNS, "person", "state", "cause"])
    # Most are as they were, and one statement for them all costs a tenth of one with their columns in it.
    ArchivedThread.objects.filter(pk__in=same).update(confirmed_at=now)
    counts.days(changed)
    index.anew(changed)


def count_uncounted(most: int = 500) -> int:
    """Counts and indexes threads that an older version kept without. Returns how many there were, at most `most`."""
    found = list(ArchivedThread.objects.filter(state__isnull=True).order_by("number")[:most])
    for each in found:
        items = [(item, _read(item)) for item in ArchivedItem.objects.filter(thread=each).order_by("place")]
        for item, read in items:
            item.text = _text(read)
        ArchivedItem.objects.bulk_update([item for item, _ in items], ["text"])
        each.opening = _opening([read for _, read in items])
        each.messages = sum(is_message(read) for _, read in items)
        Progress.objects.update(items=F("items") + len(items))
    _count_anew(found, [None] * len(found))
    ArchivedThread.objects.bulk_update(found, ["person", "state", "cause", "opening", "messages"])
    counts.days(found)
    index.anew(found)
    return len(found)


def _count_anew(threads: Sequence[ArchivedThread], before: Sequence[counts.Counted | None]) -> None:
    counts.name(threads)
    counts.change([each for each in before if each], [each for each in map(counts.counted, threads) if each])


def items(thread: ArchivedThread, page: Page[ThreadItem], now: datetime) -> int:
    """Keeps a page of items behind those that are kept, and with the last page that the thread is read. Returns how
    many were new."""
    # Whoever reads the conversation live may have kept some of these meanwhile.
    there = ArchivedThread.objects.select_for_update().only(*_READING).get(pk=thread.pk)
    for name in _READING:
        setattr(thread, name, getattr(there, name))
    ids = [row.id for row in page.rows if row.id]
    known: set[str | None] = set()
    if thread.items:  # a copy reads most threads for the first time
        found = ArchivedItem.objects.filter(thread=thread, item_id__in=ids)
        known.update(found.values_list("item_id", flat=True))
    new = [row for row in page.rows if row.id is None or row.id not in known]
    made = [item(thread, thread.items + number, row) for number, row in enumerate(new)]
    ArchivedItem.objects.bulk_create(made)
    count(thread, new)
    thread.last_item_id = page.last_id or thread.last_item_id
    if not page.has_more and not page.lost:
        thread.read_at = now
        thread.due_at = now + _pause(now - (thread.last_activity_at or thread.created_at or now))
    thread.failures, thread.trouble = 0, None
    thread.save(update_fields=_READING)
    if made:
        Progress.objects.update(items=F("items") + len(made))
        index.more(thread, [each.text for each in made])
    return len(new)


_READING = [
    "items", "last_item_id", "last_activity_at", "read_at", "failures", "trouble", "due_at", "opening", "messages",
]  # fmt: skip


def item(thread: ArchivedThread, place: int, row: ThreadItem) -> ArchivedItem:
    """An item as it is kept."""
    return ArchivedItem(
        thread=thread,
        place=place,
        item_id=row.id,
        created_at=row.created_at,
        type=_type(row.raw),
        raw=dumped(row.raw, compact=True),
        text=_text(row),
    )


def count(thread: ArchivedThread, new: Sequence[ThreadItem]) -> None:
    """What a thread's row tells of its items, with those that have come to them."""
    thread.items += len(new)
    thread.messages += sum(map(is_message, new))
    if thread.opening is None:
        thread.opening = _opening(new)
    times = [row.created_at for row in new if row.created_at]
    thread.last_activity_at = max(filter(None, [*times, thread.last_activity_at]), default=None)


def anew(thread: ArchivedThread) -> None:
    """Forgets the items of a thread, to be read from the beginning: the one that the reading goes on from is gone."""
    forgotten, _ = ArchivedItem.objects.filter(thread=thread).delete()
    Progress.objects.update(items=F("items") - forgotten)
    thread.items, thread.messages, thread.opening = 0, 0, None
    thread.last_item_id, thread.last_activity_at, thread.read_at, thread.due_at = None, None, None, None
    thread.save(update_fields=_READING)
    index.anew([thread])


def is_there(thread: ArchivedThread) -> bool:
    """Whether a thread that was found in an earlier transaction is still kept, and stays so until the end of this
    one."""
    return ArchivedThread.objects.filter(pk=thread.pk).exists()


def purge(thread: ArchivedThread) -> None:
    """Forgets a thread and all that is known by it. A place that a walk has come to is moved to the thread before:
    behind one that nobody knows any more it could not be found again."""
    for place in ("cursor", "sweep_cursor"):
        there = Progress.objects.filter(**{place: thread.thread_id})
        if there.exists():
            there.update(**{place: before(thread)})
    was = counts.counted(thread)
    forgotten, _ = ArchivedItem.objects.filter(thread=thread).delete()
    if was:  # else its items have not been counted either
        Progress.objects.update(items=F("items") - forgotten)
    thread.delete()
    counts.change([was] if was else [], [])


def before(thread: ArchivedThread | None) -> str | None:
    """The id of the last thread before this one that the upstream still has, as far as is known; of the last of all for
    one that is not known."""
    there = ArchivedThread.objects.filter(gone_at__isnull=True)
    if thread is not None:
        there = there.filter(number__lt=thread.number)
    return there.order_by("-number").values_list("thread_id", flat=True).first()


def gone(thread: ArchivedThread, now: datetime) -> None:
    """The upstream has it no more. What is kept of it stays."""
    thread.gone_at = thread.gone_at or now
    thread.trouble = None
    thread.save(update_fields=["gone_at", "trouble"])


def trouble(thread: ArchivedThread, said: str, due_at: datetime) -> None:
    """Its items could not be had this time."""
    thread.failures += 1
    thread.trouble, thread.due_at = said, due_at
    thread.save(update_fields=["failures", "trouble", "due_at"])


def as_kept(row: Thread) -> str:
    """The upstream's own object as it is kept."""
    return dumped(row.raw, compact=True)


def _pause(silent: timedelta) -> timedelta:
    """After how long a thread is asked again for new items: a quarter of the time that it has been silent. Who has just
    written may write again; who has not for a year may as well not."""
    return min(max(silent / 4, _SOONEST), _LATEST)


def _filled(kept: ArchivedThread, row: Thread, now: datetime) -> ArchivedThread:
    kept.thread_id = row.id or ""
    kept.user = _column(row.user, 512)
    kept.title = _column(row.title)
    kept.status = _column(row.status.label, 100) if row.status else None
    kept.reason = _column(row.status.reason) if row.status else None
    kept.created_at = row.created_at
    kept.raw = as_kept(row)
    kept.confirmed_at = now
    kept.gone_at = None
    return kept


def _column(text: str | None, most: int | None = None) -> str | None:
    """`text` as a column can hold it, PostgreSQL's too; `raw` has it as it came."""
    return None if text is None else text.replace("\0", "\ufffd")[:most]


def _opening(rows: Sequence[ThreadItem]) -> str | None:
    return _column(next(filter(None, map(opening, rows)), None))


def _type(raw: object) -> str | None:
    found = raw.get("type") if isinstance(raw, dict) else None
    return _column(found, 100) if isinstance(found, str) else None


def _text(row: ThreadItem) -> str:
    return "\n".join(filter(None, map(folded, said(row))))


def _read(kept: ArchivedItem) -> ThreadItem:
    return read_item(json.loads(kept.raw))
