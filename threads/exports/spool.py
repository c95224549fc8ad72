"""Spooled conversations: fetched once and read twice, with one page in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import IO, Any

from threads.chatkit import MAX_LIMIT, ChatKitError, LeftOut, ThreadItem
from threads.chatkit.dump import to_json
from threads.chatkit.items import item
from threads.sources.window import Window

from .transcript import LOST, Pages, too_large


class CountedPages:
    """The pages of a conversation, counted as they are read. Afterwards `items` is the number of items, `error` what
    ended the reading early, and `why` the reason why it is incomplete, a clause; None where it is complete."""

    def __init__(self, pages: Pages) -> None:
        self._pages, self._lost, self._left_out = pages, False, 0
        self.error: ChatKitError | None = None
        self.items = 0

    @property
    def why(self) -> str | None:
        if self.error is not None:
            return f"the API failed: {self.error.detail}"
        if self._lost:
            return LOST
        return too_large(self._left_out) if self._left_out else None

    def first(self) -> Iterator[Window[ThreadItem]]:
        """The pages, once. Raises `ChatKitError` as their source does."""
        try:
            for window in self._pages:
                left_out = sum(isinstance(row.body, LeftOut) for row in window.rows)
                self.items += len(window.rows) - left_out
                self._left_out += left_out
                self._lost = self._lost or window.lost
                self.on_page(window)
                yield window
        except ChatKitError as error:
            self.error = error
            raise

    def on_page(self, window: Window[ThreadItem]) -> None:
        """A hook for each page."""


class SpooledPages(CountedPages):
    """Pages that can be read a second time, from the file `spool`."""

    def __init__(self, pages: Pages, spool: IO[bytes]) -> None:
        super().__init__(pages)
        self._spool = spool

    def on_page(self, window: Window[ThreadItem]) -> None:
        for each in window.rows:
            left_out = each.body.detail if isinstance(each.body, LeftOut) else None
            line = [each.id, left_out] if left_out is not None else [each.raw]
            self._spool.write(to_json(line).encode() + b"\n")

    def again(self) -> Iterator[Window[ThreadItem]]:
        """The same items again, then the same error."""
        self._spool.seek(0)
        while lines := list(islice(self._spool, MAX_LIMIT)):
            yield _window(tuple(_item(*json.loads(line)) for line in lines))
        if self._lost:
            yield _window((), lost=True)
        if self.error is not None:
            raise self.error


def _item(kept: Any, left_out: str | None = None) -> ThreadItem:
    return item(kept) if left_out is None else ThreadItem(kept, None, None, LeftOut(left_out))


def _window(rows: tuple[ThreadItem, ...], *, lost: bool = False) -> Window[ThreadItem]:
    return Window(rows, None, None, has_previous=False, has_next=False, lost=lost)
