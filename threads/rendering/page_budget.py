"""How much of what strangers wrote one page may show. A page made to be slow stays quick, and says what is left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from markupsafe import Markup

from .markdown import markdown, plain

MARKDOWN = 60_000
"""Characters that are rendered as Markdown, some tenths of a second at the worst. Others are shown as written."""

CHARACTERS = 2_000_000
"""Characters of all texts. What comes after is left to the download."""

PARTS = 6_000
"""Parts of all widgets, messages and lists."""

OF_ONE_ITEM = 200
"""Parts of one message, files, sources or tasks of one item."""

_LEAST = 100
"""What a text costs at the least, however short."""

PartT = TypeVar("PartT")


class Allowance:
    """What is left of it. One for each page."""

    def __init__(self) -> None:
        self.markdown_left, self.characters, self.parts = MARKDOWN, CHARACTERS, PARTS

    def markdown(self, text: str) -> Markup:
        self.markdown_left -= max(len(text), _LEAST)
        if self.markdown_left < 0 or len(text) > self.characters:
            return self.plain(text)
        self.characters -= len(text)
        return markdown(text) if text else Markup("")

    def plain(self, text: str) -> Markup:
        shown = text[: max(self.characters, 0)]
        self.characters -= len(shown)
        return plain(shown) if len(shown) == len(text) else plain(shown) + _LEFT_OUT.format(len(text) - len(shown))

    def cut(self, text: str) -> str:
        """As much of a text as there is room for, as text."""
        shown = text[: max(self.characters, 0)]
        self.characters -= len(shown)
        left = len(text) - len(shown)
        return f"{shown} … ({left:,} more characters are left out; the download has them)" if left else shown

    def some(self, parts: Sequence[PartT]) -> tuple[Sequence[PartT], int]:
        """As many of the parts as there is room for, and how many are left out."""
        shown = parts[: max(0, min(OF_ONE_ITEM, self.parts))]
        self.parts -= len(shown)
        return shown, len(parts) - len(shown)


_LEFT_OUT = Markup('<p class="muted cut">… {:,} more characters are left out of this page; the download has them.</p>')
