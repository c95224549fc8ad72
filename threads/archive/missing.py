"""Which kept threads a page of the list should show and does not: those that may be gone upstream."""

from __future__ import annotations

from threads.chatkit import Page, Thread

from .models import ArchivedThread


def passed(cursor: str | None, page: Page[Thread]) -> list[ArchivedThread]:
    """The kept threads that should stand on this page of a sweep, which began behind `cursor`, and do not."""
    ends = ArchivedThread.objects.filter(thread_id__in=[each for each in (cursor, page.last_id) if each])
    numbers: dict[str | None, int] = dict(ends.values_list("thread_id", "number"))
    if cursor is not None and cursor not in numbers:
        return []  # removed while it was asked behind; whoever is missing is noticed by the next sweep
    if not page.has_more:
        return between(numbers.get(cursor), None, page)
    # A page that ends with a thread that is not kept yet lies behind all that are.
    return between(numbers.get(cursor), numbers[page.last_id], page) if page.last_id in numbers else []


def between(low: int | None, high: int | None, page: Page[Thread]) -> list[ArchivedThread]:
    """The kept threads with a number between these two that the page does not show."""
    there = ArchivedThread.objects.filter(gone_at__isnull=True)
    if low is not None:
        there = there.filter(number__gt=low)
    if high is not None:
        there = there.filter(number__lt=high)
    shown = {row.id for row in page.rows}
    return [thread for thread in there if thread.thread_id not in shown]
