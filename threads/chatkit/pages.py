"""Paging: iterates over the pages of a list, and fetches fewer rows where a reply is too large to read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Protocol, TypeVar

from .errors import CursorGone, Garbled, TooLarge
from .types import Page


class Paged(Protocol):
    """A page with the cursor of the next one."""

    @property
    def last_id(self) -> str | None: ...
    @property
    def has_more(self) -> bool: ...


PagedT = TypeVar("PagedT", bound=Paged)
RowT = TypeVar("RowT")

FetchPage = Callable[[str | None], PagedT]
"""Fetches the page after a cursor; None for the first page."""


def pages(
    ask: FetchPage[PagedT], after: str | None = None, *, step_back: Callable[[str], str | None] | None = None
) -> Iterator[PagedT]:
    """Iterates over all pages of a list, each fetched with the last id of the page before.

    Where a cursor is gone, `step_back` returns an earlier one to continue from, None for the start; rows after that
    come again. Without `step_back`, `CursorGone` is raised. Raises `Garbled` where the pages loop, or where a cursor is
    refused a second time; and what `ask` raises.
    """
    passed: set[str] = set()
    refused: set[str] = set()
    while True:
        try:
            page = ask(after)
        except CursorGone:
            if step_back is None or after is None:
                raise
            if after in refused:
                raise Garbled("the upstream refuses the cursor that it gives") from None
            refused.add(after)
            passed.clear()
            after = step_back(after)
            continue
        yield page
        if not page.has_more or page.last_id is None:
            return
        if page.last_id in passed:
            raise Garbled("the pages lead in a circle")
        passed.add(page.last_id)
        after = page.last_id


def smaller_until_readable(ask: Callable[[int], Page[RowT]], limit: int) -> Page[RowT]:
    """The page of `limit` rows; where it is too large, half as many, and half again. Raises `TooLarge` where a page of
    one row is too large."""
    while True:
        try:
            return ask(limit)
        except TooLarge:
            if limit <= 1:
                raise
            limit //= 2


class HasId(Protocol):
    """A row that may serve as a cursor."""

    @property
    def id(self) -> str | None: ...


AnyRowT = TypeVar("AnyRowT", bound=HasId)

_MAX_PAGES_BACKWARD = 100
"""Pages that are read from the other end to find the row after one that is too large."""


def past_unreadable_row(
    error: TooLarge,
    after: str | None,
    backward: FetchPage[Page[AnyRowT]],
    placeholder: Callable[[str | None, str], AnyRowT],
) -> Page[AnyRowT]:
    """The page after `after` where its first row is too large to read, which raised `error`.

    The page holds `placeholder(id, reason)` for that row. Where its id is unknown, the next readable row follows, which
    serves as the cursor; it is searched for with `backward`, which fetches the list from its other end. Raises `error`
    where no row can be read.
    """
    if error.row_id is not None and error.row_id != after:
        return Page((placeholder(error.row_id, error.detail),), error.row_id, error.row_id, has_more=True)
    nearest: AnyRowT | None = None
    try:
        for page in islice(pages(backward), _MAX_PAGES_BACKWARD):
            near = [row for row in page.rows if row.id is not None]
            ids = [row.id for row in near]
            if after in ids:
                near = near[: ids.index(after)]
            nearest = near[-1] if near else nearest
            if after in ids:
                break
        else:
            raise error
    except TooLarge:
        pass
    if nearest is None:
        if after is None:
            raise error
        return Page((placeholder(None, error.detail),), None, None, has_more=False)
    return Page((placeholder(None, error.detail), nearest), nearest.id, nearest.id, has_more=True)
