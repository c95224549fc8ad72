"""What an erasure asks of exports: that none is left with an erased thread in it."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q
from django.utils import timezone

from threads.archive.user_ids import column

from . import storage
from .models import KEPT, Export, Outcome

REMOVED = "It was removed, because threads that it may have held were erased."


def forget(thread_ids: Iterable[str], customer: str | None) -> int:
    """Removes every export, finished or not, that may hold one of these threads: its file is deleted, whoever is at it
    stops, its row says why. `customer` is the one user whose threads they all are, None where they may be anybody's.
    Returns how many were removed. To be called after the threads are gone: what is asked for later finds them no more.

    The rule: an export stays only where it is of exactly one user and all the erased threads are of another. Which
    threads a list holds is nowhere noted, so none of them can be excluded otherwise.

    Raises `OSError` where a file could not be deleted, and `DatabaseError`. Called again it tries again.
    """
    if not any(True for _ in thread_ids) and customer is None:
        return 0
    may_hold = Export.objects.all()
    if customer is not None:
        may_hold = may_hold.filter(Q(customer="") | Q(customer=column(customer)))
    now = timezone.now()
    removed = 0
    for export in may_hold.only("pk"):
        # Nor does the row tell whose threads they were.
        removed += Export.objects.filter(pk=export.pk).exclude(outcome=Outcome.REMOVED).update(
            outcome=Outcome.REMOVED, reason=REMOVED, phase="ended", ended_at=now, expires_at=now + KEPT,
            holder="", until=None, query="", customer="", cursor="", mark="", name="", size=None,
        )  # fmt: skip
        storage.remove(export.pk)
    return removed
