"""Writes what came from the upstream. Every function here runs in a transaction of its caller's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from threads.chatkit import Page, Thread, ThreadItem
from threads.raw import dumped

from .models import ArchivedItem, ArchivedThread

_SOONEST, _LATEST = timedelta(minutes=10), timedelta(days=7)


def threads(rows: Sequence[Thread], now: datetime) -> tuple[int, int]:
    """Keeps or refreshes threads, in the API's order, oldest first. Returns how many were new, and how many had no
    id and could not be kept."""
    known = ArchivedThread.objects.in_bulk([row.id for row in rows if row.id], field_name="thread_id")
    new = [_filled(ArchivedThread(), row, now) for row in rows if row.id and row.id not in known]
    old = [_filled(known[row.id], row, now) for row in rows if row.id and row.id in known]
    ArchivedThread.objects.bulk_create(new)
    ArchivedThread.objects.bulk_update(
        old, ["user", "title", "status", "reason", "created_at", "raw", "confirmed_at", "gone_at"]
    )
    return len(new), sum(row.id is None for row in rows)


def items(thread: ArchivedThread, page: Page[ThreadItem], now: datetime) -> int:
    """Keeps a page of items behind those that are kept, and with the last page that the thread is read. Returns how
    many were new."""
    ids = [row.id for row in page.rows if row.id]
    known = set(ArchivedItem.objects.filter(thread=thread, item_id__in=ids).values_list("item_id", flat=True))
    new = [row for row in page.rows if row.id is None or row.id not in known]
    ArchivedItem.objects.bulk_create(
        ArchivedItem(
            thread=thread,
            place=thread.items + number,
            item_id=row.id,
            created_at=row.created_at,
            type=_type(row.raw),
            raw=dumped(row.raw, compact=True),
        )
        for number, row in enumerate(new)
    )
    thread.items += len(new)
    thread.last_item_id = page.last_id or thread.last_item_id
    times = [row.created_at for row in new if row.created_at]
    thread.last_activity_at = max(filter(None, [*times, thread.last_activity_at]), default=None)
    if not page.has_more and not page.lost:
        thread.read_at = now
        thread.due_at = now + _pause(now - (thread.last_activity_at or thread.created_at or now))
    thread.failures, thread.trouble = 0, None
    thread.save(update_fields=["items", "last_item_id", "last_activity_at", "read_at", "failures", "trouble", "due_at"])
    return len(new)


def anew(thread: ArchivedThread) -> None:
    """Forgets the items of a thread, to be read from the beginning: the one that the reading goes on from is gone."""
    ArchivedItem.objects.filter(thread=thread).delete()
    thread.items, thread.last_item_id, thread.last_activity_at, thread.read_at, thread.due_at = (
        0,
        None,
        None,
        None,
        None,
    )
    thread.save(update_fields=["items", "last_item_id", "last_activity_at", "read_at", "due_at"])


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
    kept.raw = dumped(row.raw, compact=True)
    kept.confirmed_at = now
    kept.gone_at = None
    return kept


def _column(text: str | None, most: int | None = None) -> str | None:
    """`text` as a column can hold it, PostgreSQL's too; `raw` has it as it came."""
    return None if text is None else text.replace("\0", "\ufffd")[:most]


def _type(raw: object) -> str | None:
    found = raw.get("type") if isinstance(raw, dict) else None
    return _column(found, 100) if isinstance(found, str) else None
