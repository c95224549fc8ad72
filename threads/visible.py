"""Shows text that a stranger wrote for what it is: escaped, and with nothing in it that hides."""

from __future__ import annotations

import re
import unicodedata
from itertools import islice

from markupsafe import Markup, escape

_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(
    f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)
)
"""What Unicode promises never to be a character, and HTML does not admit."""

_HIDDEN = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls, but for tab and newline
    "\u00ad\u061c\u180e\u200b\u200e\u200f"  # soft hyphen, direction marks, zero-width space
    "\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # separators, embeddings, overrides, isolates, annotations
    "\u034f\u115f\u1160\u2800\u3164\uffa0"  # fillers and blanks that take no ink
    "\U000e0000-\U000e007f" + _NONCHARACTERS + "]"  # tags: a whole text can be written in them unseen
)
"""Characters that show nothing and can turn or hide what stands beside them. The joiners U+200C and U+200D are not
among them: Persian, Hindi and half of all emoji are written with them."""


LONGEST = 5_000
"""Characters of one text that a page shows. A person reads no more in a table, and 9 MB would be no page."""

_NAME = 200

MOST_MARKS = 20
"""Hidden characters of one text that are named; those beyond are shown as U+FFFD, so that a text of nothing else does
not grow to fifty times its size."""


def visible(text: str, longest: int = LONGEST) -> Markup:
    """`text` as HTML, each hidden character replaced by a mark that names it. A text that is cut, after `longest`
    characters, says so."""
    if len(text) > longest:
        return visible(text[:longest], longest) + _CUT.format(longest, len(text))
    if not _HIDDEN.search(text):
        return escape(text)
    parts: list[Markup] = []
    end = 0
    for match in islice(_HIDDEN.finditer(text), MOST_MARKS):
        parts += [escape(text[end : match.start()]), _mark(match.group())]
        end = match.end()
    return Markup("").join([*parts, escape(_HIDDEN.sub("\ufffd", text[end:]))])


_SPACES = re.compile(r"^\s+|\s+$|\s{2,}|[^\S ]")
"""White space that a page does not show as it is: at an end, more than one in a row, or other than a space."""


def exact(text: str) -> Markup:
    """An id as HTML, as `visible` gives it, and with the names of all white space that a page would hide: two ids that
    differ look different, and none looks like nothing."""
    parts: list[Markup] = []
    end = 0
    for match in islice(_SPACES.finditer(text), MOST_MARKS):
        parts += [visible(text[end : match.start()]), *map(_mark, match.group()[:MOST_MARKS])]
        end = match.end()
    return Markup("").join([*parts, visible(text[end:])])


def in_pieces(text: str, longest: int) -> Markup:
    """As `visible`, a long text in pieces of which a browser lays out those alone that are in the window: for a word of
    100,000 letters, or as many changes of direction, it takes half a minute otherwise."""
    if len(text) <= 2 * _PIECE:
        return visible(text, longest)
    if len(text) > longest:
        return in_pieces(text[:longest], longest) + _CUT.format(longest, len(text))
    made, start = [], 0
    while start < len(text):
        end = _end(text, start)
        made.append(_IN_PIECES.format(visible(text[start:end])))
        start = end
        if text[end : end + 1] in {"\n", " "}:  # between two pieces it is still copied, and found
            made.append(escape(text[end]))
            start += 1
    return Markup("").join(made)


def _end(text: str, start: int) -> int:
    """Where a piece of a text ends: at a line's end or a space in its latter half, or else where a letter follows."""
    end = start + _PIECE
    if end >= len(text):
        return len(text)
    for mark in "\n ":
        if (place := text.rfind(mark, start + _PIECE // 2, end)) >= 0:
            return place
    return next((place for place in range(end, end - 100, -1) if text[place].isalnum()), end)


_PIECE = 2_000
_IN_PIECES = Markup('<span class="piece">{}</span>')


def named(text: str, longest: int | None = _NAME) -> str:
    """`text` where no markup can stand, as in a title: nothing in it hides, and it is no longer than that."""
    if longest is None or len(text) <= longest:
        return _HIDDEN.sub("\ufffd", text)
    return _HIDDEN.sub("\ufffd", text[:longest]) + "…"


_CUT = Markup(' <i class="muted">… (the first {:,} of {:,} characters)</i>')


def _mark(character: str) -> Markup:
    name = unicodedata.name(character, "CONTROL CHARACTER").capitalize()
    return Markup('<span class="hidden-character" title="{}">U+{:04X}</span>').format(name, ord(character))
