"""Ordering an export, and removing one: the steps of a page."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import tzinfo

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from threads.archive.thread_info import search_units
from threads.archive.user_ids import stored_user_id
from threads.audit.record import Action, Outcome, actor, record_or_raise
from threads.jobs import queue
from threads.sources.query import DEFAULT_LIMIT, ThreadQuery

from . import storage
from .models import Export

MAX_PER_ACCOUNT = 50
"""Exports per account, under way or finished: each takes disk space for a day."""


class TooManyExportsError(Exception):
    """The account has as many exports as are allowed."""


def order_list(kind: str, query: ThreadQuery, zone: tzinfo) -> Export:
    """Orders an export of all pages of a list, by creation; returns the existing one where the account has the same
    under way. Raises `NotRecordedError` and `TooManyExportsError`; then nothing is ordered."""
    return _order(kind, replace(query.first(), limit=DEFAULT_LIMIT, sort=None), zone)


def order_user(user: str, zone: tzinfo) -> Export:
    """Orders an export of everything of one user, as `order_list`."""
    return _order("zip", ThreadQuery(user=user), zone)


def of_account(account_id: str) -> QuerySet[Export]:
    """The exports of an account that have not expired, newest first."""
    return Export.objects.filter(account_id=account_id).exclude(expires_at__lte=timezone.now())


def notify_workers() -> None:
    """Notifies the workers of an order. Where the queue can't be reached, they find it within a minute."""
    queue.try_enqueue(_enqueue)


def _enqueue() -> None:
    # Loading the tasks opens the queue, which must not delay the start of a web process.
    from . import tasks  # noqa: PLC0415

    tasks.export_now()


def remove(export: Export) -> None:
    """Stops an export that has not ended, and deletes its file and its row. Raises `OSError` where the file can't be
    deleted; then the row stays."""
    # A worker that writes it stops when it finds that it has lost the lease.
    Export.objects.filter(pk=export.pk, finished_at=None).update(holder="", finished_at=timezone.now(), phase="ended")
    storage.remove(export.pk)
    Export.objects.filter(pk=export.pk).delete()


def _order(kind: str, query: ThreadQuery, zone: tzinfo) -> Export:
    user = stored_user_id(query.exact_user or "")
    order = {"kind": kind, "query": query.encoded(), "zone": str(zone), "user_id": user}
    running = Export.objects.filter(account_id=actor().id, finished_at=None, **order).first()
    if running is not None:
        return running
    if of_account(actor().id).count() >= MAX_PER_ACCOUNT:
        raise TooManyExportsError
    key = uuid.uuid4()
    detail: dict[str, object] = {"export": str(key), "format": kind, "list": order["query"]}
    if query.q is not None:
        detail["words"] = list(search_units(query.q))
    with transaction.atomic():
        record_or_raise(Action.EXPORT, Outcome.INTENT, user_id=user, detail=detail)
        return Export.create_for_actor(id=key, **order)
