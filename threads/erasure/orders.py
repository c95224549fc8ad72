"""Ordering the erasure of a confirmed preview."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import IntegrityError
from django.utils import timezone

from threads.archive.models import ArchivedThread
from threads.archive.user_ids import stored_user_id
from threads.jobs import queue

from . import journal
from .models import Erasure, Target
from .preview import ConfirmedPreview


def order_erasure(wanted: ConfirmedPreview) -> Erasure:
    """Orders the erasure of a confirmed preview; returns the existing one where the form was sent twice. Raises
    `NotRecordedError` where the audit log can't be written, and `JournalError` where the erasures file can't: then
    nothing is ordered."""
    found = Erasure.objects.filter(token=wanted.token).first()
    if found is not None:
        return found
    journal.check()
    of_user = bool(wanted.user)
    try:
        return Erasure.order(
            wanted.kind,
            wanted.token,
            _targets(wanted),
            **Erasure.of_user(wanted.user),
            listed_at=None if of_user else timezone.now(),
            total=None if of_user else len(wanted.threads),
        )
    except IntegrityError:  # the same form, sent twice at once
        return Erasure.objects.get(token=wanted.token)


def notify_workers() -> None:
    """Notifies the workers. Where the queue can't be reached, one finds the order within two minutes."""
    queue.try_enqueue(_enqueue)


def _enqueue() -> None:
    # Loading the tasks opens the queue, which must not delay the start of a web process.
    from . import tasks  # noqa: PLC0415

    tasks.erase()


def _targets(wanted: ConfirmedPreview) -> list[Target]:
    ids = [thread_id for thread_id, _, _ in wanted.threads]
    users = dict(ArchivedThread.objects.filter(thread_id__in=ids).values_list("thread_id", "user"))
    return [
        Target(
            thread_id=thread_id,
            user_id=stored_user_id(user or users.get(thread_id) or ""),
            created_at=datetime.fromtimestamp(created, UTC) if created is not None else None,
        )
        for thread_id, user, created in wanted.threads
    ]
