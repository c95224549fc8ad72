"""Tombstones: an erased thread is never stored again, even by a sync that read it before the erasure.

Storing and erasing exclude each other. SQLite has one writer at a time anyway. On PostgreSQL, transactions that store
share an advisory lock and an erasure takes it exclusively: a transaction that stores after an erasure sees its
tombstones, and the data of one that stored before is committed and erased.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection

from threads.archive.models import Progress, Tombstone

from . import word_index

_LOCK = 7_265_173_101
"""Key of the advisory lock."""


def lock_for_storing() -> None:
    """Call first in a transaction that stores upstream data: until it ends, nothing is erased."""
    _lock("pg_advisory_xact_lock_shared")
    # A separate statement: the one that waits for the lock has a snapshot from before it waited.
    erased = Tombstone.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    word_index.match_removals((erased, Progress.objects.values_list("removals", flat=True).first() or 0))


def lock_for_erasing() -> None:
    """Call first in a transaction that erases: until it ends, nothing is stored."""
    _lock("pg_advisory_xact_lock")


def erased_ids(thread_ids: Iterable[str]) -> set[str]:
    """The thread ids among these that have a tombstone."""
    return set(Tombstone.objects.filter(thread_id__in=list(thread_ids)).values_list("thread_id", flat=True))


def _lock(function: str) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s)", [_LOCK])
