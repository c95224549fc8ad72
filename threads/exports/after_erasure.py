"""Removes exports that may hold erased threads."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q
from django.utils import timezone

from threads.archive.user_ids import stored_user_id

from . import storage
from .models import KEEP_FINISHED_FOR, Export, ExportOutcome

REMOVED = "It was removed, because threads that it may have held were erased."


def remove_for_erased(thread_ids: Iterable[str], user: str | None) -> int:
    """Removes every export, finished or not, that may hold one of these erased threads: deletes its file, stops its
    worker, and stores the reason in its row. `user` is the one user of all these threads, None where they may be of
    several. Returns the number of removed exports. Call it after the threads are erased: a later export has none.

    An export stays only where it is of exactly one user, and all erased threads are of another. The threads in a list
    are stored nowhere, so no other export can be ruled out.

    Raises `OSError` where a file can't be deleted, and `DatabaseError`; it can be called again then.
    """
    if not any(True for _ in thread_ids) and user is None:
        return 0
    may_hold = Export.objects.all()
    if user is not None:
        may_hold = may_hold.filter(Q(user_id="") | Q(user_id=stored_user_id(user)))
    now = timezone.now()
    removed = 0
    for export in may_hold.only("pk"):
        # The row must not name the user either.
        removed += Export.objects.filter(pk=export.pk).exclude(outcome=ExportOutcome.REMOVED).update(
            outcome=ExportOutcome.REMOVED, reason=REMOVED, phase="ended", finished_at=now,
            expires_at=now + KEEP_FINISHED_FOR, holder="", until=None,
            query="", user_id="", cursor="", circle_mark="", name="", size=None,
        )  # fmt: skip
        storage.remove(export.pk)
    return removed
