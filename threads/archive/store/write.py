"""Stores threads and items from the upstream. Every function needs a transaction of its caller."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import F

from threads.archive.models import ArchivedItem, ArchivedThread, OversizedItem, Progress, current
from threads.chatkit import LeftOut, Page, Thread, ThreadItem
from threads.chatkit.dump import to_json
from threads.chatkit.items import item as read_item

from . import counters, tombstones, word_index
from .tokens import author, folded, is_message, opening_text, preview, searchable_texts

_MIN_RECHECK = timedelta(minutes=10)
"""Shortest time between two checks of a thread for new items."""

_COLUMNS = [
    "user", "title", "status", "reason", "created_at", "raw",
    "checked_at", "deleted_upstream_at", "withheld_at", "unlisted_at", "former_at",
]  # fmt: skip
_INDEXED_COLUMNS = ("user", "title", "status", "reason", "created_at")
"""A thread is counted and indexed again when one of these columns changes."""


def store_threads(rows: Sequence[Thread], now: datetime) -> tuple[int, int]:
    """Inserts or refreshes threads, which come oldest first; erased ones are skipped. Returns the number of new
    threads, and of rows that were not stored because they have no id or could not be read."""
    tombstones.lock_for_storing()
    erased = tombstones.erased_ids(row.id for row in rows if row.id)
    unreadable = sum(is_unreadable(row) for row in rows)
    rows = [row for row in rows if row.id not in erased and not is_unreadable(row)]
    known = ArchivedThread.objects.in_bulk([row.id for row in rows if row.id], field_name="thread_id")
    new = [_filled(ArchivedThread(), row, now) for row in rows if row.id and row.id not in known]
    refresh_threads([(known[row.id], row) for row in rows if row.id and row.id in known], now)
    counters.set_keys(new)
    ArchivedThread.objects.bulk_create(new)
    counters.update_counts([], [each for each in map(counters.counter_keys, new) if each])
    counters.extend_days(new)
    word_index.index_new(new)
    return len(new), unreadable


def is_unreadable(row: Thread) -> bool:
    """Whether a row of the list can't be archived: it has no id, or was too large to read."""
    return row.id is None or row.raw is None


def refresh_threads(pairs: Sequence[tuple[ArchivedThread, Thread]], now: datetime) -> None:
    """Updates archived threads from the rows that the upstream shows now. They count as confirmed at `now`."""
    changed, before, other, same = [], [], [], []
    for kept, row in pairs:
        was, under = {name: getattr(kept, name) for name in _COLUMNS}, counters.counter_keys(kept)
        _filled(kept, row, now)
        if under is None or any(was[name] != getattr(kept, name) for name in _INDEXED_COLUMNS):
            before.append(under)
            changed.append(kept)
            other.append(kept)
        elif any(was[name] != getattr(kept, name) for name in _COLUMNS if name != "checked_at"):
            other.append(kept)
        else:
            same.append(kept.pk)
    _count_anew(changed, before)
    ArchivedThread.objects.bulk_update(other, [*_COLUMNS, "archived_user", "state", "cause"])
    # Most are unchanged. One statement for all of them costs a tenth of one with their columns.
    ArchivedThread.objects.filter(pk__in=same).update(checked_at=now)
    counters.extend_days(changed)
    word_index.reindex_threads(changed)


def count_uncounted(most: int = 50) -> int:
    """Counts and indexes up to `most` threads that an older version stored without. Returns their number."""
    found = list(ArchivedThread.objects.filter(state__isnull=True).order_by("number")[:most])
    for each in found:
        items = [(item, _read(item)) for item in ArchivedItem.objects.filter(thread=each).order_by("place")]
        for item, read in items:
            item.text = text_of(read)
        ArchivedItem.objects.bulk_update([item for item, _ in items], ["text"])
        each.opening = _opening([read for _, read in items])
        each.messages = sum(is_message(read) for _, read in items)
        set_last_message(each, _last_message([read for _, read in items]))
        Progress.objects.update(items=F("items") + len(items))
    _count_anew(found, [None] * len(found))
    ArchivedThread.objects.bulk_update(
        found, ["archived_user", "state", "cause", "opening", "messages", "last_message", "last_by"]
    )
    counters.extend_days(found)
    word_index.reindex_threads(found)
    return len(found)


def _count_anew(threads: Sequence[ArchivedThread], before: Sequence[counters.CounterKeys | None]) -> None:
    counters.set_keys(threads)
    counters.update_counts(
        [each for each in before if each], [each for each in map(counters.counter_keys, threads) if each]
    )


def store_items(thread: ArchivedThread, page: Page[ThreadItem], now: datetime) -> int:
    """Appends a page of items to a thread, and marks the thread as read with the last page. Returns the number of new
    items."""
    # A page that shows the conversation may have stored some of these meanwhile.
    there = ArchivedThread.objects.select_for_update().only(*_READ_COLUMNS).get(pk=thread.pk)
    for name in _READ_COLUMNS:
        setattr(thread, name, getattr(there, name))
    new = [row for row in new_items(thread, page.rows) if not isinstance(row.body, LeftOut)]
    _oversized(thread, page, new)
    made = [item_row(thread, thread.items + number, row) for number, row in enumerate(new)]
    ArchivedItem.objects.bulk_create(made)
    add_to_counts(thread, new)
    thread.last_item_id = page.last_id or thread.last_item_id
    if not page.has_more and not page.lost:
        mark_checked(thread, now)
    thread.failures, thread.sync_error = 0, None
    thread.save(update_fields=_READ_COLUMNS)
    if made:
        Progress.objects.update(items=F("items") + len(made))
        word_index.add_items(thread, [each.text for each in made])
    return len(new)


def new_items(thread: ArchivedThread, rows: Sequence[ThreadItem]) -> list[ThreadItem]:
    """The items that are not archived yet. An item without an id is compared by its whole JSON."""
    if not thread.items:  # the common case in a backfill
        return list(rows)
    there = ArchivedItem.objects.filter(thread=thread)
    known = set(there.filter(item_id__in=[row.id for row in rows if row.id]).values_list("item_id", flat=True))
    nameless = set[str]()
    if any(row.id is None for row in rows):
        nameless.update(there.filter(item_id__isnull=True).values_list("raw", flat=True))
    return [row for row in rows if (row.id not in known if row.id else to_json(row.raw, compact=True) not in nameless)]


def _oversized(thread: ArchivedThread, page: Page[ThreadItem], new: Sequence[ThreadItem]) -> None:
    """Records the items of a page that are too large to read, and removes the records of those that now fit."""
    fits = [row.id for row in page.rows if row.id and not isinstance(row.body, LeftOut)]
    noted = OversizedItem.objects.filter(thread=thread)
    if noted.exists():  # hardly ever, and a look costs less than two deletions
        noted.filter(item_id__in=fits).delete()
        noted.filter(item_id="", place=thread.items).delete()
    fresh, place = {id(row) for row in new}, thread.items
    for row in page.rows:
        place += id(row) in fresh
        if isinstance(row.body, LeftOut):
            _note(thread, place, row.id or "", row.body.detail)


def _note(thread: ArchivedThread, place: int, item_id: str, detail: str) -> None:
    about = {"detail": detail, "limit": settings.CHATKIT_MAX_BYTES}
    noted = OversizedItem.objects.filter(thread=thread)
    if not (item_id and noted.filter(item_id=item_id).update(**about)):
        noted.update_or_create(thread=thread, place=place, item_id=item_id, defaults=about)


def mark_checked(thread: ArchivedThread, now: datetime) -> None:
    """Sets that the last item is known to be archived, and when to check again. The caller saves `_READ_COLUMNS`."""
    thread.read_at = now
    thread.due_at = now + _recheck_after(now - (thread.last_activity_at or thread.created_at or now))


def is_newest_archived(thread: ArchivedThread, newest: Page[ThreadItem]) -> bool:
    """Whether the newest item of a thread, on the page `newest`, is archived or known to be too large. False where the
    size limit was raised since."""
    noted = OversizedItem.objects.filter(thread=thread)
    if noted.filter(limit__lt=settings.CHATKIT_MAX_BYTES).exists():
        return False
    left = new_items(thread, newest.rows)
    known = set(noted.filter(item_id__in=[row.id for row in left if row.id]).values_list("item_id", flat=True))
    return not newest.lost and all(row.id in known for row in left)


def mark_incomplete(thread: ArchivedThread, before: datetime | None) -> None:
    """Stores that the last page lacks the newest item: the thread was last known to be complete at `id_before`."""
    thread.read_at = before
    thread.save(update_fields=["read_at"])


def mark_up_to_date(thread: ArchivedThread, now: datetime) -> None:
    """Stores that the last archived item is the upstream's last one."""
    mark_checked(thread, now)
    thread.failures, thread.sync_error = 0, None
    thread.save(update_fields=["read_at", "due_at", "failures", "sync_error"])


_READ_COLUMNS = [
    "items", "last_item_id", "last_activity_at", "read_at", "failures", "sync_error", "due_at", "opening", "messages",
    "last_message", "last_by",
]  # fmt: skip


def item_row(thread: ArchivedThread, place: int, row: ThreadItem) -> ArchivedItem:
    """An unsaved row for one item."""
    return ArchivedItem(
        thread=thread,
        place=place,
        item_id=row.id,
        created_at=row.created_at,
        type=_type(row.raw),
        raw=to_json(row.raw, compact=True),
        text=text_of(row),
    )


def add_to_counts(thread: ArchivedThread, new: Sequence[ThreadItem]) -> None:
    """Adds new items to the counts and times of a thread's row. The caller saves it."""
    _follow_last_message(thread, new)
    thread.items += len(new)
    thread.messages += sum(map(is_message, new))
    if thread.opening is None:
        thread.opening = _opening(new)
    times = [row.created_at for row in new if row.created_at]
    thread.last_activity_at = max(filter(None, [*times, thread.last_activity_at]), default=None)


def set_last_message(thread: ArchivedThread, message: ThreadItem | None) -> None:
    """Sets the preview of the last message, None for a thread without messages. The caller saves it."""
    thread.last_message = _column(preview(message)) if message is not None else None
    thread.last_by = author(message) if message is not None else None


def last_archived_message(thread: ArchivedThread) -> ThreadItem | None:
    """The newest archived message of a thread; of several of one time, the one that was archived last."""
    said = ArchivedItem.objects.filter(thread=thread, type__in=_MESSAGE_TYPES)
    for key in said.order_by(F("created_at").desc(nulls_last=True), "-place").values_list("pk", flat=True):
        read = _read(ArchivedItem.objects.get(pk=key))
        if is_message(read):
            return read
    return None


def _follow_last_message(thread: ArchivedThread, new: Sequence[ThreadItem]) -> None:
    """Sets the last message from new items, before they are counted. Items that are not newer than all archived ones,
    as after a restart, are compared with those."""
    last = _last_message(new)
    if last is None:
        return
    follows = last.created_at and thread.last_activity_at and last.created_at >= thread.last_activity_at
    set_last_message(thread, last if follows or not thread.messages else last_archived_message(thread) or last)


def _last_message(rows: Sequence[ThreadItem]) -> ThreadItem | None:
    """The newest message; of several of one time, the last."""
    said = [row for row in rows if is_message(row)]
    return max(reversed(said), key=lambda row: row.created_at or _NO_TIME, default=None)


_MESSAGE_TYPES = tuple(f"{prefix}{kind}_message" for prefix in ("chatkit.", "") for kind in ("user", "assistant"))
_NO_TIME = datetime.min.replace(tzinfo=UTC)


def restart_items(thread: ArchivedThread) -> None:
    """Makes the next read start at the first item, because the cursor is gone or is not the last item. Archived items
    stay."""
    OversizedItem.objects.filter(thread=thread, item_id="").delete()
    thread.last_item_id = None
    thread.save(update_fields=["last_item_id"])


def is_archived(thread: ArchivedThread) -> bool:
    """Whether a thread from an earlier transaction is still archived. `tombstones.lock_for_storing` keeps it so until
    the end of this one."""
    return ArchivedThread.objects.filter(pk=thread.pk).exists()


def delete_thread(thread: ArchivedThread) -> None:
    """Deletes a thread with its items, index and counters. A sync cursor on this thread moves to the thread before,
    since its own position would be lost."""
    for place in ("cursor", "sweep_cursor"):
        there = Progress.objects.filter(**{place: thread.thread_id})
        if there.exists():
            there.update(**{place: id_before(thread)})
    was = counters.counter_keys(thread)
    forgotten, _ = ArchivedItem.objects.filter(thread=thread).delete()
    if was:  # else its items have not been counted either
        Progress.objects.update(items=F("items") - forgotten)
    thread.delete()
    counters.update_counts([was] if was else [], [])


def id_before(thread: ArchivedThread | None) -> str | None:
    """The id of the last thread before this one that is still upstream as far as is known; with None, of the last
    one of all."""
    there = current()
    if thread is not None:
        there = there.filter(number__lt=thread.number)
    return there.order_by("-number").values_list("thread_id", flat=True).first()


def mark_deleted_upstream(thread: ArchivedThread, now: datetime) -> None:
    """Marks a thread as deleted upstream. The archived copy stays."""
    thread.deleted_upstream_at, thread.withheld_at = thread.deleted_upstream_at or now, None
    thread.sync_error = None
    thread.save(update_fields=["deleted_upstream_at", "withheld_at", "sync_error"])


def store_failure(thread: ArchivedThread, said: str, due_at: datetime) -> None:
    """Stores a failed read of a thread's items: the reason, and when to try again."""
    thread.failures += 1
    thread.sync_error, thread.due_at = said, due_at
    thread.save(update_fields=["failures", "sync_error", "due_at"])


def raw_json(row: Thread) -> str:
    """The upstream's object as compact JSON, as in `ArchivedThread.raw`."""
    return to_json(row.raw, compact=True)


def _recheck_after(silent: timedelta) -> timedelta:
    """Time until the next check for new items: a quarter of the time since the last activity, from 10 minutes up to
    `ARCHIVE_RECHECK_ITEMS_HOURS`."""
    return max(_MIN_RECHECK, min(silent / 4, timedelta(hours=settings.ARCHIVE_RECHECK_ITEMS_HOURS)))


def _filled(kept: ArchivedThread, row: Thread, now: datetime) -> ArchivedThread:
    kept.thread_id = row.id or ""
    kept.user = _column(row.user, 512)
    kept.title = _column(row.title)
    kept.status = _column(row.status.label, 100) if row.status else None
    kept.reason = _column(row.status.reason) if row.status else None
    kept.created_at = row.created_at
    kept.raw = raw_json(row)
    kept.checked_at = now
    kept.deleted_upstream_at = kept.withheld_at = kept.unlisted_at = kept.former_at = None
    return kept


def _column(text: str | None, most: int | None = None) -> str | None:
    """`text` without NUL, which PostgreSQL refuses, and cut to `most` characters. `raw` keeps the original."""
    return None if text is None else text.replace("\0", "\ufffd")[:most]


def _opening(rows: Sequence[ThreadItem]) -> str | None:
    return _column(next(filter(None, map(opening_text, rows)), None))


def _type(raw: object) -> str | None:
    found = raw.get("type") if isinstance(raw, dict) else None
    return _column(found, 100) if isinstance(found, str) else None


def text_of(row: ThreadItem) -> str:
    """The folded texts of an item, one per line."""
    return "\n".join(filter(None, map(folded, searchable_texts(row))))


def _read(kept: ArchivedItem) -> ThreadItem:
    return read_item(json.loads(kept.raw))
