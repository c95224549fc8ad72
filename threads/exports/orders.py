"""Asking for an export, and for the end of one: what a page does before a worker has anything to do with it."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import tzinfo

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from threads.archive.thread_info import searched_for
from threads.archive.user_ids import column
from threads.audit.record import Action, Outcome, actor, must
from threads.jobs import queue
from threads.sources.query import DEFAULT_LIMIT, ThreadQuery

from . import storage
from .models import Export

MOST = 50
"""Exports of one account that are there at once, under way or ready: they take up room on the disk for a day."""


class TooManyError(Exception):
    """The account has as many exports as it may have."""


def of_list(kind: str, query: ThreadQuery, zone: tzinfo) -> Export:
    """An export of a list from its first page to its last, the trail's word on it before it; or the one of the same
    that the account has under way. Raises `NotRecordedError` and `TooManyError`: then there is
    none."""
    return _asked(kind, replace(query.first(), limit=DEFAULT_LIMIT), zone)


def of_user(customer: str, zone: tzinfo) -> Export:
    """An export of everything of one user, as `of_list`."""
    return _asked("zip", ThreadQuery(user=customer), zone)


def own(who_id: str) -> QuerySet[Export]:
    """What an account has asked for, and has not expired, newest first."""
    return Export.objects.filter(who_id=who_id).exclude(expires_at__lte=timezone.now())


def have_done() -> None:
    """Tells the workers that there is something to do. Where the queue can't be reached, they see it by themselves
    within a minute."""
    queue.soon(_export)


def _export() -> None:
    # The queue is reached when its tasks are loaded, and a page must not wait for that at its start.
    from . import tasks  # noqa: PLC0415

    tasks.export_now()


def take_away(export: Export) -> None:
    """Ends an export, if it has not ended, and deletes its file and its row. Raises `OSError` where the file could not
    be deleted: then the row is there still."""
    # Whoever is at it stops when it finds that it holds the row no more.
    Export.objects.filter(pk=export.pk, ended_at=None).update(holder="", ended_at=timezone.now(), phase="ended")
    storage.remove(export.pk)
    Export.objects.filter(pk=export.pk).delete()


def _asked(kind: str, query: ThreadQuery, zone: tzinfo) -> Export:
    customer = column(query.exact_user or "")
    asked = {"kind": kind, "query": query.encoded(), "zone": str(zone), "customer": customer}
    known = Export.objects.filter(who_id=actor().id, ended_at=None, **asked).first()
    if known is not None:
        return known
    if own(actor().id).count() >= MOST:
        raise TooManyError
    key = uuid.uuid4()
    detail: dict[str, object] = {"export": str(key), "format": kind, "list": asked["query"]}
    if query.q is not None:
        detail["words"] = list(searched_for(query.q))
    with transaction.atomic():
        must(Action.EXPORT, Outcome.INTENT, customer=customer, detail=detail)
        return Export.asked(id=key, **asked)
