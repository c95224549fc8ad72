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
    100,000 letters, or as many changes of direction, it takes half a minute otherwise. A piece looks like a line of its
    own, so it ends at a line's end, unless a line is so long and so odd that it would take too long in one piece."""
    if len(text) <= 2 * _PIECE:
        return visible(text, longest)
    if len(text) > longest:
        return in_pieces(text[:longest], longest) + _CUT.format(longest, len(text))
    longest_line = len(text) if _is_quick(text) else _LONGEST_LINE
    made, start = [], 0
    while start < len(text):
        end = _end(text, start, longest_line)
        made.append(_IN_PIECES.format(visible(text[start:end], longest)))
        start = end
        if text[end : end + 1] in {"\n", " "}:  # between two pieces it is still copied, and found
            made.append(escape(text[end]))
            start += 1
    return Markup("").join(made)


def _is_quick(text: str) -> bool:
    """Whether a browser lays out a line of it in a time that grows with its length: it has short words of letters that
    stand one beside the other, but for a few."""
    odd = sum(1 for _ in islice(_ODD.finditer(text), _MOST_ODD + 1))
    return odd <= _MOST_ODD and not _LONG_WORD.search(text)


def _end(text: str, start: int, longest_line: int) -> int:
    """Where a piece of a text ends: at a line's end, or in a longer line at a space, or else between two characters."""
    end = start + _PIECE
    if end >= len(text):
        return len(text)
    if (place := text.rfind("\n", start + _PIECE // 2, end)) >= 0:
        return place
    if (place := text.find("\n", end, start + longest_line)) >= 0:
        return place
    if start + longest_line >= len(text):
        return len(text)
    if (place := text.rfind(" ", start + _PIECE // 2, end)) >= 0:
        return place
    return next((place for place in range(end, end - 200, -1) if not _is_within(text, place)), end)


def _is_within(text: str, place: int) -> bool:
    """Whether what stands on both sides of a place may be one character to a reader: a letter and its mark, letters
    that a virama joins, an emoji of several, a flag."""
    before, after = text[place - 1], text[place]
    return (
        before == "\u200d" or unicodedata.combining(before) == _VIRAMA or unicodedata.category(after)[0] == "M"
        or _JOINING.match(after) is not None
    )  # fmt: skip


_PIECE = 2_000
_LONGEST_LINE = 6_000
"""Characters of a line that a browser lays out in some tenths of a second, whatever they are."""

_ODD = re.compile(r"[^\t\n -~\xa0-\xac\xae-\u02ff\u0370-\u0482\u048a-\u058f\u2010-\u2027\u2030-\u205e\u20a0-\u20bf]")
"""What is not Latin, Greek, Cyrillic or Armenian, or their signs."""

_MOST_ODD = 100
_LONG_WORD = re.compile(r"\S{200}")
_VIRAMA = 9
_JOINING = re.compile("[\u0e33\u0eb3\u1160-\u11ff\u200c\u200d\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff]")
"""What goes with the character before it, beside marks: vowels of Thai, Lao and Korean, joiners, halves of flags, skin
tones."""

_IN_PIECES = Markup('<span class="piece">{}</span>')


def named(text: str, longest: int | None = _NAME) -> str:
    """`text` where no markup can stand, as in a title: nothing in it hides, and it is no longer than that."""
    if longest is None or len(text) <= longest:
        return _HIDDEN.sub("\ufffd", text)
    return _HIDDEN.sub("\ufffd", text[:longest]) + "…"


_CUT = Markup(' <i class="muted cut">… (the first {:,} of {:,} characters)</i>')


def _mark(character: str) -> Markup:
    name = unicodedata.name(character, "CONTROL CHARACTER").capitalize()
    return Markup('<span class="hidden-character" title="{}">U+{:04X}</span>').format(name, ord(character))
