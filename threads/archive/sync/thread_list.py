"""The upstream's list of threads as sync reads it, and the archived threads that it is compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.db.models import QuerySet

from threads.archive.models import ArchivedThread, current
from threads.archive.store import tombstones
from threads.chatkit import MAX_LIMIT, Garbled, Order, Page, Thread, pages

from .context import SyncContext

NOT_OURS = (
    "the list shows none of the threads that are kept, so it may be another project's. If all of them were deleted, "
    "`manage.py archive adopt` goes on and keeps them as they are"
)

Before = Callable[[ArchivedThread | None], QuerySet[ArchivedThread]]
"""Archived threads before one, nearest first; None stands for a thread that is not archived."""


def list_page(context: SyncContext, cursor: str | None, order: Order = "asc") -> Page[Thread]:
    """One page of the list, with retries. Raises `ChatKitError`."""
    return context.with_retries(lambda: context.client.list_threads(order=order, limit=MAX_LIMIT, after=cursor))


def list_pages(context: SyncContext, start: str | None, before: Before) -> Iterator[Page[Thread]]:
    """Pages from a cursor on, oldest first. If a cursor is gone, goes on from an earlier thread of `before`. Raises
    `Garbled` if the list is another project's, and `ChatKitError`."""
    back = _step_back(before)

    def checked(cursor: str) -> str | None:
        # A retired endpoint refuses every cursor; this call raises the error that says so.
        context.evidence.list_answers()
        return back(cursor)

    def ask(after: str | None) -> Page[Thread]:
        page = context.wait_for(lambda: list_page(context, after))
        if after is None and current().exists() and not archived_ids(page):
            raise Garbled(NOT_OURS)
        return page

    return pages(ask, start, step_back=checked)


def _step_back(before: Before) -> Callable[[str], str | None]:
    """Gives the cursor to go on from when one is gone: an archived thread before it, twice as far back each time, and
    finally None, the beginning of the list."""
    far = 0

    def back(cursor: str) -> str | None:
        nonlocal far
        far = 2 * far or 1
        place = ArchivedThread.objects.filter(thread_id=cursor).first()
        return before(place).values_list("thread_id", flat=True)[far - 1 : far].first()

    return back


def newest_id(context: SyncContext) -> str | None:
    """The id of the newest thread of the list; None if the list is empty, or that thread has no id."""
    page = context.wait_for(
        lambda: context.with_retries(lambda: context.client.list_threads(order="desc", limit=1)),
    )
    return page.rows[0].id if page.rows else None


def is_known(thread_id: str | None) -> bool:
    """Whether a listed thread is archived or was erased; True for one without an id, which can't be archived."""
    if thread_id is None or ArchivedThread.objects.filter(thread_id=thread_id).exists():
        return True
    return bool(tombstones.erased_ids([thread_id]))


def before(thread: ArchivedThread | None) -> QuerySet[ArchivedThread]:
    """Archived threads before one, nearest first; all of them for None."""
    there = current().order_by("-number")
    return there if thread is None else there.filter(number__lt=thread.number)


def archived_ids(page: Page[Thread]) -> set[str]:
    """The ids on a page that are archived."""
    ids = [row.id for row in page.rows if row.id]
    return set(ArchivedThread.objects.filter(thread_id__in=ids).values_list("thread_id", flat=True))
