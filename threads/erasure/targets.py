"""Which threads are a user's: those that the upstream lists, and those that are kept here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Q

from threads.archive import user_ids
from threads.archive.models import ArchivedThread
from threads.archive.search import users as people
from threads.archive.search.source import shown
from threads.chatkit import MAX_LIMIT, ChatKitClient, Garbled, Page, Thread, pages
from threads.lib.db import chunked

from .models import Erasure, Target

_BATCH = 500

_MOST_RESTARTS = 20
"""How often the walk begins anew because the thread that it had come to was deleted meanwhile."""


@dataclass(slots=True)
class Walk:
    """A walk through a user's list. `others` counts rows that can't be told to be this user's, or have no id: they are
    left alone. `lost`: there was more, which nothing leads to."""

    user: str
    others: int = 0
    lost: bool = False
    seen: set[str] = field(default_factory=set)

    def pages(self, client: ChatKitClient) -> Iterator[list[Thread]]:
        """The user's threads, page by page, oldest first. Raises `ChatKitError`."""
        restarts = 0

        def ask(after: str | None) -> Page[Thread]:
            return client.list_threads(user=self.user, order="asc", limit=MAX_LIMIT, after=after)

        def again(_cursor: str) -> None:
            nonlocal restarts
            restarts += 1
            if restarts > _MOST_RESTARTS:
                raise Garbled("the place that the walk had come to was deleted again and again")
            self.others = 0

        for page in pages(ask, step_back=again):
            # Whatever the upstream makes of the filter, what is not this user's is never erased for them.
            yield [row for row in page.rows if self._is_theirs(row)]
            self.lost = page.lost

    def _is_theirs(self, row: Thread) -> bool:
        if row.id is None or not row.is_of(self.user):
            self.others += 1
            return False
        if row.id in self.seen:
            return False
        self.seen.add(row.id)
        return True


def kept(user: str) -> Iterator[list[Thread]]:
    """The threads of exactly this user that are kept here, oldest first, some at a time."""
    person = people.exactly(user)
    theirs = Q(state__isnull=True, user=user_ids.column(user))
    if person is not None:
        theirs |= Q(person=person)
    left = ArchivedThread.objects.filter(theirs).order_by("number")
    batch = list(left[:_BATCH])
    while batch:
        # A column holds no more than so many characters, and no NUL: what the upstream said decides.
        yield [thread for thread in map(shown, batch) if thread.is_of(user)]
        batch = list(left.filter(number__gt=batch[-1].number)[:_BATCH])


def users() -> Iterator[str]:
    """The very ids of all users who have threads here."""
    held = ArchivedThread.objects.exclude(user=None).exclude(user="").order_by()
    for user in held.values_list("user", flat=True).distinct():
        if user_ids.is_whole(user or ""):
            yield user or ""
        else:
            yield from {name for each in chunked(held.filter(user=user), _BATCH) if (name := shown(each).user)}


def add(job: Erasure, rows: Iterable[Thread]) -> int:
    """Notes threads as targets, each once. Returns how many were new."""
    made = [
        Target(erasure=job, thread_id=row.id, customer=user_ids.column(row.user or ""), created_at=row.created_at)
        for row in rows
        if row.id
    ]
    with transaction.atomic():
        job.keep()
        known = set(
            job.targets.filter(thread_id__in=[each.thread_id for each in made]).values_list("thread_id", flat=True)
        )
        new = {each.thread_id: each for each in made if each.thread_id not in known}
        Target.objects.bulk_create(new.values(), batch_size=500)
        job.keep(total=(job.total or 0) + len(new))
    return len(new)


def gone(job: Erasure, rows: Iterable[Thread]) -> int:
    """How many of these are said to be gone."""
    return job.targets.filter(state__in=Target.CLEAN, thread_id__in=[row.id for row in rows]).count()
