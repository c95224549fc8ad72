"""The budget of one page: how much untrusted content it shows, so that hostile content can't make it slow. What exceeds
the budget is counted in a note on the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from markupsafe import Markup

from .markdown import markdown, plain

MAX_MARKDOWN = 60_000
"""Characters rendered as Markdown: tenths of a second in the worst case. The rest is shown as plain text."""

MAX_CHARACTERS = 2_000_000
"""Characters of all texts together."""

MAX_PARTS = 6_000
"""Parts of all widgets, messages and lists together."""

MAX_ITEM_PARTS = 200
"""Parts, files, sources or tasks of one item."""

_MIN_COST = 100
"""Characters that even a shorter Markdown text costs."""

PartT = TypeVar("PartT")


class PageBudget:
    """What is left of the budget of one page."""

    def __init__(self) -> None:
        self.markdown_left, self.characters, self.parts = MAX_MARKDOWN, MAX_CHARACTERS, MAX_PARTS

    def markdown(self, text: str) -> Markup:
        """A Markdown text as HTML, or as plain text when the budget for Markdown is spent."""
        self.markdown_left -= max(len(text), _MIN_COST)
        if self.markdown_left < 0 or len(text) > self.characters:
            return self.plain(text)
        self.characters -= len(text)
        return markdown(text) if text else Markup("")

    def plain(self, text: str) -> Markup:
        """As much of a plain text as fits, as HTML."""
        shown = text[: max(self.characters, 0)]
        self.characters -= len(shown)
        return plain(shown) if len(shown) == len(text) else plain(shown) + _LEFT_OUT.format(len(text) - len(shown))

    def cut(self, text: str) -> str:
        """As much of a text as fits, as text."""
        shown = text[: max(self.characters, 0)]
        self.characters -= len(shown)
        left = len(text) - len(shown)
        return f"{shown} … ({left:,} more characters are left out; the download has them)" if left else shown

    def fit(self, parts: Sequence[PartT]) -> tuple[Sequence[PartT], int]:
        """As many of the parts as fit, and how many are left out."""
        shown = parts[: max(0, min(MAX_ITEM_PARTS, self.parts))]
        self.parts -= len(shown)
        return shown, len(parts) - len(shown)


_LEFT_OUT = Markup('<p class="muted cut">… {:,} more characters are left out of this page; the download has them.</p>')
