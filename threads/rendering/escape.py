"""Escapes untrusted text, with invisible and direction-changing characters made visible."""

from __future__ import annotations

import re
import unicodedata
from itertools import islice

from markupsafe import Markup, escape

_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(
    f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)
)
"""Code points that Unicode reserves as noncharacters, and HTML forbids."""

_HIDDEN = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls, but for tab and newline
    "\u00ad\u061c\u180e\u200b\u200e\u200f"  # soft hyphen, direction marks, zero-width space
    "\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # separators, embeddings, overrides, isolates, annotations
    "\u034f\u115f\u1160\u2800\u3164\uffa0"  # fillers and blanks
    "\U000e0000-\U000e007f" + _NONCHARACTERS + "]"  # tags: can spell a whole invisible text
)
"""Invisible characters, which can also reverse or hide the text around them. Not the joiners U+200C and U+200D:
Persian, Hindi and many emoji need them."""

LONGEST = 5_000
"""Characters of one text that a page shows."""

_NAME = 200
"""Characters of a text in a title or an attribute."""

MAX_MARKS = 20
"""Hidden characters of one text that are marked by name. Further ones become U+FFFD, since a mark is fifty times as
long as its character."""


def visible(text: str, longest: int = LONGEST) -> Markup:
    """`text` as HTML, with each hidden character replaced by a mark with its code point. Cut after `longest`
    characters, with a note."""
    if len(text) > longest:
        return visible(text[:longest], longest) + _CUT.format(longest, len(text))
    if not _HIDDEN.search(text):
        return escape(text)
    parts: list[Markup] = []
    end = 0
    for match in islice(_HIDDEN.finditer(text), MAX_MARKS):
        parts += [escape(text[end : match.start()]), _mark(match.group())]
        end = match.end()
    return Markup("").join([*parts, escape(_HIDDEN.sub("\ufffd", text[end:]))])


_SPACES = re.compile(r"^\s+|\s+$|\s{2,}|[^\S ]")
"""White space that HTML collapses: at an end, several in a row, or other than a space."""


def exact(text: str) -> Markup:
    """An id as HTML: as `visible`, with white space marked too where HTML would collapse it. So different ids look
    different, and none looks empty."""
    parts: list[Markup] = []
    end = 0
    for match in islice(_SPACES.finditer(text), MAX_MARKS):
        parts += [visible(text[end : match.start()]), *map(_mark, match.group()[:MAX_MARKS])]
        end = match.end()
    return Markup("").join([*parts, visible(text[end:])])


def in_blocks(text: str, longest: int) -> Markup:
    """As `visible`, with a long text in blocks, so that a browser lays out only those in the window (CSS
    `content-visibility`): a word of 100,000 letters, or as many changes of direction, would take half a minute. A block
    looks like a line of its own, so blocks end at line ends, unless a line is too slow to lay out as one block."""
    if len(text) <= 2 * _BLOCK:
        return visible(text, longest)
    if len(text) > longest:
        return in_blocks(text[:longest], longest) + _CUT.format(longest, len(text))
    longest_line = len(text) if _is_quick(text) else _LONGEST_LINE
    html, start = [], 0
    while start < len(text):
        end = _end(text, start, longest_line)
        html.append(_BLOCK_HTML.format(visible(text[start:end], longest)))
        start = end
        if text[end : end + 1] in {"\n", " "}:  # kept between blocks, so that copying and finding text still work
            html.append(escape(text[end]))
            start += 1
    return Markup("").join(html)


def _is_quick(text: str) -> bool:
    """Whether a browser lays the text out in linear time: only short words, in simple scripts but for a few
    characters."""
    complex_characters = sum(1 for _ in islice(_COMPLEX.finditer(text), _MAX_COMPLEX + 1))
    return complex_characters <= _MAX_COMPLEX and not _LONG_WORD.search(text)


def _end(text: str, start: int, longest_line: int) -> int:
    """Where a block ends: at a line's end, in a long line at a space, or else between two characters."""
    end = start + _BLOCK
    if end >= len(text):
        return len(text)
    if (place := text.rfind("\n", start + _BLOCK // 2, end)) >= 0:
        return place
    if (place := text.find("\n", end, start + longest_line)) >= 0:
        return place
    if start + longest_line >= len(text):
        return len(text)
    if (place := text.rfind(" ", start + _BLOCK // 2, end)) >= 0:
        return place
    return next((place for place in range(end, end - 200, -1) if not _joins(text, place)), end)


def _joins(text: str, place: int) -> bool:
    """Whether the code points around a position may form one visible character: a letter and its mark, letters joined
    by a virama, an emoji sequence, a flag."""
    before, after = text[place - 1], text[place]
    return (
        before == "\u200d" or unicodedata.combining(before) == _VIRAMA or unicodedata.category(after)[0] == "M"
        or _JOINING.match(after) is not None
    )  # fmt: skip


_BLOCK = 2_000
"""Characters of a block."""

_LONGEST_LINE = 6_000
"""Characters of a line that a browser lays out within tenths of a second, whatever they are."""

_COMPLEX = re.compile(
    r"[^\t\n -~\xa0-\xac\xae-\u02ff\u0370-\u0482\u048a-\u058f\u2010-\u2027\u2030-\u205e\u20a0-\u20bf]"
)
"""Characters other than Latin, Greek, Cyrillic, Armenian and their punctuation."""

_MAX_COMPLEX = 100
_LONG_WORD = re.compile(r"\S{200}")
_VIRAMA = 9
"""The canonical combining class of viramas."""

_JOINING = re.compile("[\u0e33\u0eb3\u1160-\u11ff\u200c\u200d\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff]")
"""What joins the character before it, besides marks: Thai, Lao and Korean vowels, joiners, halves of flags, skin
tones."""

_BLOCK_HTML = Markup('<span class="piece">{}</span>')


def attribute_text(text: str, longest: int | None = _NAME) -> str:
    """`text` for a title or an attribute, where no markup is allowed: hidden characters become U+FFFD, and it is cut
    after `longest` characters."""
    if longest is None or len(text) <= longest:
        return _HIDDEN.sub("\ufffd", text)
    return _HIDDEN.sub("\ufffd", text[:longest]) + "…"


_CUT = Markup(' <i class="muted cut">… (the first {:,} of {:,} characters)</i>')


def _mark(character: str) -> Markup:
    name = unicodedata.name(character, "CONTROL CHARACTER").capitalize()
    return Markup('<span class="hidden-character" title="{}">U+{:04X}</span>').format(name, ord(character))
