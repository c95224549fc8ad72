"""Finds what was erased of a customer or a thread, so that a search that finds nothing of them can say so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from threads.archive.models import Erased
from threads.archive.user_ids import column, is_whole

from .models import Erasure, Target


@dataclass(frozen=True, slots=True)
class Past:
    """`at` is when it was erased, the last of several; `erasure` the receipt, None where there is none here. `whole`:
    all threads of the customer were ordered to be erased, and not some of them."""

    at: datetime
    erasure: UUID | None
    whole: bool = False


def of_user(user: str) -> Past | None:
    """What was erased of exactly this user; None where nothing was."""
    if column(user) != user:  # kept with other characters, or cut: it may be another's
        return None
    kinds = (Erasure.Kind.USER, Erasure.Kind.COPIES)
    orders = Erasure.objects.filter(customer=user, kind__in=kinds).exclude(rule__has_key="user")
    clean = Target.objects.filter(customer=user, state__in=Target.CLEAN, at__isnull=False)
    if not is_whole(user):  # of others the column holds the same: only an order says whose threads they were
        clean = clean.filter(erasure__in=orders)
    last = clean.order_by("-at", "-id").values_list("at", "erasure_id").first()
    if last is None or last[0] is None:
        return None
    whole = orders.filter(ended_at__isnull=False)
    order = whole.filter(targets__state__in=Target.CLEAN).order_by("-ended_at").values_list("pk", flat=True).first()
    return Past(last[0], order or last[1], whole=order is not None)


def of_thread(thread_id: str) -> Past | None:
    """When a thread was erased here; None where it was not."""
    tombstone = Erased.objects.filter(thread_id=thread_id).values_list("at", flat=True).first()
    if tombstone is None:
        return None
    clean = Target.objects.filter(thread_id=thread_id, state__in=Target.CLEAN)
    return Past(tombstone, clean.order_by("-at", "-id").values_list("erasure_id", flat=True).first())
