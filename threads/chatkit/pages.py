"""Pages of a list: one after another, and smaller ones where a reply is too large to read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Protocol, TypeVar

from .errors import CursorGone, Garbled, TooLarge
from .types import Page


class Paged(Protocol):
    """What has a next page."""

    @property
    def last_id(self) -> str | None: ...
    @property
    def has_more(self) -> bool: ...


PagedT = TypeVar("PagedT", bound=Paged)
RowT = TypeVar("RowT")

Ask = Callable[[str | None], PagedT]
"""Asks for the page after a cursor; None for the first page."""


def pages(
    ask: Ask[PagedT], after: str | None = None, *, step_back: Callable[[str], str | None] | None = None
) -> Iterator[PagedT]:
    """Page after page, each asked for with the last id of the one before, to the end of the list.

    Where a cursor is gone, `step_back` gives an earlier place to go on from, None for the beginning; rows behind that
    place come again. Without it `CursorGone` is raised. Raises `Garbled` where the pages lead in a circle, or where the
    upstream refuses a cursor that it gave after refusing it before; and whatever `ask` raises.
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


def shrinking(ask: Callable[[int], Page[RowT]], limit: int) -> Page[RowT]:
    """The page of `limit` rows, or as many of its first rows as the client can read, by halves. Raises `TooLarge` where
    a page of one row is too large."""
    while True:
        try:
            return ask(limit)
        except TooLarge:
            if limit <= 1:
                raise
            limit //= 2


class Row(Protocol):
    """What can be asked behind by its id."""

    @property
    def id(self) -> str | None: ...


AnyRowT = TypeVar("AnyRowT", bound=Row)

_MOST_BACKWARD = 100
"""Pages from the other end in which the place behind a row that is too large is looked for."""


def beyond(
    error: TooLarge, after: str | None, backward: Ask[Page[AnyRowT]], stand_in: Callable[[str | None, str], AnyRowT]
) -> Page[AnyRowT]:
    """The page after `after`, whose first row is the one that `error` tells of: its `stand_in`, made of its id and the
    reason, and, where the id is not known, the next row that can be read. `backward` asks for the same list from its
    other end. Raises `error` where nothing of the list can be read."""
    if error.row_id is not None and error.row_id != after:
        return Page((stand_in(error.row_id, error.detail),), error.row_id, error.row_id, has_more=True)
    nearest: AnyRowT | None = None
    try:
        for page in islice(pages(backward), _MOST_BACKWARD):
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
        return Page((stand_in(None, error.detail),), None, None, has_more=False)
    return Page((stand_in(None, error.detail), nearest), nearest.id, nearest.id, has_more=True)
