"""The list of threads as a sync reads it, and the kept threads that it is compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.db.models import QuerySet

from threads.archive.deletions import step_back
from threads.archive.models import ArchivedThread, current
from threads.archive.store import tombstones
from threads.chatkit import MAX_LIMIT, Garbled, Order, Page, Thread, pages

from .run import Asking

NOT_OURS = (
    "the list shows none of the threads that are kept, so it may be another project's. If all of them were deleted, "
    "`manage.py archive adopt` goes on and keeps them as they are"
)


def list_page(asking: Asking, cursor: str | None, order: Order = "asc") -> Page[Thread]:
    """One page of the list, within the budget of the run. Raises `ChatKitError`."""
    return asking.asked(lambda: asking.client.list_threads(order=order, limit=MAX_LIMIT, after=cursor))


def list_pages(
    asking: Asking, start: str | None, before: Callable[[ArchivedThread | None], QuerySet[ArchivedThread]]
) -> Iterator[Page[Thread]]:
    """Page after page, oldest first; `before` is for a cursor that is gone, as in `step_back`. Raises `Garbled` where
    the list is not that of the threads that are kept, and `ChatKitError`."""
    back = step_back(before)

    def checked(cursor: str) -> str | None:
        # An endpoint that is no more refuses every cursor. This raises what says so.
        asking.evidence.list_answers()
        return back(cursor)

    def ask(after: str | None) -> Page[Thread]:
        page = asking.one(lambda: list_page(asking, after))
        if after is None and current().exists() and not known(page):
            raise Garbled(NOT_OURS)
        return page

    return pages(ask, start, step_back=checked)


def newest_id(asking: Asking) -> str | None:
    """The id of the thread that the list shows first, newest first; None where it shows none, or one without an id."""
    page = asking.one(lambda: asking.asked(lambda: asking.client.list_threads(order="desc", limit=1)))
    return page.rows[0].id if page.rows else None


def is_known(thread_id: str | None) -> bool:
    """Whether a thread that the list has shown is kept, or was erased; True for one without an id, which can't be."""
    if thread_id is None or ArchivedThread.objects.filter(thread_id=thread_id).exists():
        return True
    return bool(tombstones.known([thread_id]))


def before(thread: ArchivedThread | None) -> QuerySet[ArchivedThread]:
    """Kept threads that stand before one, nearest first; all where it is not known."""
    there = current().order_by("-number")
    return there if thread is None else there.filter(number__lt=thread.number)


def known(page: Page[Thread]) -> set[str]:
    """The ids of a page that are kept."""
    ids = [row.id for row in page.rows if row.id]
    return set(ArchivedThread.objects.filter(thread_id__in=ids).values_list("thread_id", flat=True))
