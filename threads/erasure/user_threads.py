"""The threads of a user, from the upstream's list and from the archive, and the targets made of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Q

from threads.archive import user_ids
from threads.archive.models import ArchivedThread
from threads.archive.search import users as archived
from threads.archive.search.source import to_thread
from threads.chatkit import MAX_LIMIT, ChatKitClient, Garbled, Page, Thread, pages
from threads.lib.db import chunked

from .models import Erasure, Target

_BATCH = 500

_MAX_RESTARTS = 20
"""Restarts of a listing whose cursor was deleted meanwhile."""


@dataclass(slots=True)
class UserListing:
    """A pass over a user's list at the upstream. `others` counts rows that are not surely this user's, or have no id:
    they are never erased. `lost`: the list has more rows, and no cursor leads to them."""

    user: str
    others: int = 0
    lost: bool = False
    seen: set[str] = field(default_factory=set)

    def pages(self, client: ChatKitClient) -> Iterator[list[Thread]]:
        """The user's threads, page by page, oldest first. Raises `ChatKitError`."""
        restarts = 0

        def ask(after: str | None) -> Page[Thread]:
            return client.list_threads(user=self.user, order="asc", limit=MAX_LIMIT, after=after)

        def restart(_cursor: str) -> None:
            nonlocal restarts
            restarts += 1
            if restarts > _MAX_RESTARTS:
                raise Garbled("the place that the walk had come to was deleted again and again")
            self.others = 0

        for page in pages(ask, step_back=restart):
            # The upstream's filter is not trusted: a thread of another user is never erased.
            yield [row for row in page.rows if self._is_new(row)]
            self.lost = page.lost

    def _is_new(self, row: Thread) -> bool:
        if row.id is None or not row.is_of(self.user):
            self.others += 1
            return False
        if row.id in self.seen:
            return False
        self.seen.add(row.id)
        return True


def archived_threads(user: str) -> Iterator[list[Thread]]:
    """The archived threads of exactly this user, oldest first, in batches."""
    person = archived.find_user(user)
    of_user = Q(state__isnull=True, user=user_ids.stored_user_id(user))
    if person is not None:
        of_user |= Q(archived_user=person)
    rows = ArchivedThread.objects.filter(of_user).order_by("number")
    batch = list(rows[:_BATCH])
    while batch:
        # A column may hold an id that was cut or has no NUL: the upstream's own object decides.
        yield [thread for thread in map(to_thread, batch) if thread.is_of(user)]
        batch = list(rows.filter(number__gt=batch[-1].number)[:_BATCH])


def archived_users() -> Iterator[str]:
    """The exact ids of all users with archived threads."""
    with_user = ArchivedThread.objects.exclude(user=None).exclude(user="").order_by()
    for user in with_user.values_list("user", flat=True).distinct():
        if user_ids.is_exact(user or ""):
            yield user or ""
        else:
            yield from {name for row in chunked(with_user.filter(user=user), _BATCH) if (name := to_thread(row).user)}


def add_targets(job: Erasure, rows: Iterable[Thread]) -> int:
    """Adds threads as targets of an erasure, each once. Returns the number of new ones."""
    targets = [
        Target(
            erasure=job, thread_id=row.id, user_id=user_ids.stored_user_id(row.user or ""), created_at=row.created_at
        )
        for row in rows
        if row.id
    ]
    with transaction.atomic():
        job.renew()
        ids = [target.thread_id for target in targets]
        known = set(job.targets.filter(thread_id__in=ids).values_list("thread_id", flat=True))
        new = {target.thread_id: target for target in targets if target.thread_id not in known}
        Target.objects.bulk_create(new.values(), batch_size=500)
        job.renew(total=(job.total or 0) + len(new))
    return len(new)


def count_erased(job: Erasure, rows: Iterable[Thread]) -> int:
    """How many of these threads the erasure already holds for erased or gone."""
    return job.targets.filter(state__in=Target.CLEAN, thread_id__in=[row.id for row in rows]).count()
