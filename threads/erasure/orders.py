"""What a page may order: the erasure that somebody has confirmed."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from threads.archive.models import ArchivedThread
from threads.archive.user_ids import column
from threads.audit.record import Action, Outcome, must
from threads.jobs import queue

from . import journal
from .models import Erasure, Target
from .preview import Confirmed


def begin(wanted: Confirmed) -> Erasure:
    """The erasure of a preview that was confirmed: a new one, or the one that this preview began before. Raises
    `NotRecordedError` where the trail can't be written, and `JournalError` where the erasures file can't: then there is
    none."""
    found = Erasure.objects.filter(token=wanted.token).first()
    if found is not None:
        return found
    journal.check()
    of_user = bool(wanted.user)
    try:
        with transaction.atomic():
            job = Erasure.asked(
                kind=wanted.kind,
                **Erasure.of_user(wanted.user),
                token=wanted.token,
                listed_at=None if of_user else timezone.now(),
                total=None if of_user else len(wanted.threads),
            )
            Target.objects.bulk_create(_targets(job, wanted), batch_size=500)
            detail = {"erasure": str(job.pk), "kind": job.kind, "threads": job.total}
            must(Action.ERASURE, Outcome.INTENT, customer=job.customer, detail=detail, upstream_request_id="")
    except IntegrityError:  # the same form, sent twice at once
        return Erasure.objects.get(token=wanted.token)
    return job


def start() -> None:
    """Has a worker take up what was ordered, soon. Where the queue can't be reached one finds it by itself, within a
    minute or two."""
    queue.soon(_erase)


def _erase() -> None:
    # The queue is reached when its tasks are loaded, and a page must not wait for that at its start.
    from . import tasks  # noqa: PLC0415

    tasks.erase()


def _targets(job: Erasure, wanted: Confirmed) -> list[Target]:
    users = dict(
        ArchivedThread.objects.filter(thread_id__in=[each[0] for each in wanted.threads]).values_list(
            "thread_id", "user"
        )
    )
    return [
        Target(
            erasure=job,
            thread_id=thread_id,
            customer=column(user or users.get(thread_id) or ""),
            created_at=datetime.fromtimestamp(at, UTC) if at is not None else None,
        )
        for thread_id, user, at in wanted.threads
    ]
