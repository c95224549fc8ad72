"""What was erased is never kept again, not even by somebody who read it before and stores it after.

Who stores and who erases exclude each other. On SQLite one transaction writes at a time anyway. On PostgreSQL those who
store share a lock and who erases has it alone: so whoever stores after an erasure sees it, and whoever stored before it
has ended, and is erased with the rest.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection

from threads.archive.models import Erased, Progress

from . import word_index

_LOCK = 7_265_173_101
"""Among the advisory locks of the database."""


def storing() -> None:
    """First of all in a transaction that stores what came from the upstream: until it ends nothing is erased."""
    _lock("pg_advisory_xact_lock_shared")
    # A statement of its own: one that waits for the lock sees what there was before it waited.
    erased = Erased.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    word_index.as_of((erased, Progress.objects.values_list("removals", flat=True).first() or 0))


def erasing() -> None:
    """First of all in a transaction that erases: until it ends nobody stores."""
    _lock("pg_advisory_xact_lock")


def known(thread_ids: Iterable[str]) -> set[str]:
    """Those of the threads that were erased."""
    return set(Erased.objects.filter(thread_id__in=list(thread_ids)).values_list("thread_id", flat=True))


def _lock(function: str) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s)", [_LOCK])
