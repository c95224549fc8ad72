"""Looks up past erasures of a user or a thread, for a page that finds nothing of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from threads.archive.models import Tombstone
from threads.archive.user_ids import is_exact, stored_user_id

from .models import Erasure, Target


@dataclass(frozen=True, slots=True)
class PastErasure:
    """A past erasure. `at` is when the last thread was erased; `erasure` is the id of the receipt, None where this
    database has none. `whole`: all threads of the user were ordered to be erased, not single ones."""

    at: datetime
    erasure: UUID | None
    whole: bool = False


def of_user(user: str) -> PastErasure | None:
    """The past erasure of threads of exactly this user; None for none."""
    if stored_user_id(user) != user:  # the column holds it changed or cut, as it may hold another id
        return None
    kinds = (Erasure.Kind.USER, Erasure.Kind.COPIES)
    orders = Erasure.objects.filter(user_id=user, kind__in=kinds).exclude(rule__has_key="user")
    clean = Target.objects.filter(user_id=user, state__in=Target.CLEAN, at__isnull=False)
    if not is_exact(user):  # the column may mean other ids too: only an order names the user
        clean = clean.filter(erasure__in=orders)
    last = clean.order_by("-at", "-id").values_list("at", "erasure_id").first()
    if last is None or last[0] is None:
        return None
    whole = orders.filter(finished_at__isnull=False)
    order = whole.filter(targets__state__in=Target.CLEAN).order_by("-finished_at").values_list("pk", flat=True).first()
    return PastErasure(last[0], order or last[1], whole=order is not None)


def of_thread(thread_id: str) -> PastErasure | None:
    """The past erasure of a thread; None where it was not erased here."""
    tombstone = Tombstone.objects.filter(thread_id=thread_id).values_list("erased_at", flat=True).first()
    if tombstone is None:
        return None
    clean = Target.objects.filter(thread_id=thread_id, state__in=Target.CLEAN)
    return PastErasure(tombstone, clean.order_by("-at", "-id").values_list("erasure_id", flat=True).first())
