"""Case folding and normalisation of text, for the search index, queries, user ids, highlighting and find in a page.

Unicode's compatibility decomposition (NFKD), full case folding, then removal of what people do not type or see:
accents, vowel points, invisible characters. `folding_js.py` generates the same rules for the browser.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

VERSION = 1
"""Version of these rules. After a change, a migration has to mark for reindexing what was folded by older rules."""

_IGNORABLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Unicode property Default_Ignorable_Code_Point, which Python's `unicodedata` lacks."""

_SKIN_TONES = "\U0001f3fb-\U0001f3ff"

_MARKS = (
    "\u0300-\u0344\u0346-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"  # accents; not the Greek iota
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"  # Hebrew points; not the maqaf, which divides words
    "\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0898-\u089f\u08ca-\u08e1"
    "\u08e3-\u08ff\u0640"  # Arabic vowel marks, and the stroke that only lengthens a word
)

DROPPED = f"[{_IGNORABLE}{_SKIN_TONES}{_MARKS}]"
"""Regular expression of the characters that a search ignores."""

_is_dropped = re.compile(DROPPED).match
_drop = re.compile(f"{DROPPED}+").sub

_BLANK = "\u2800\ufffc\ufffd"
"""Symbols that are not words: blank Braille pattern and replacement characters."""

_BASIC_LATIN = re.compile(r"LATIN SMALL LETTER ([A-Z]{1,2}) WITH ")
_LATIN = {"AE": "ae", "OE": "oe", "DOTLESS I": "i", "DOTLESS J": "j", "THORN": "th", "ETH": "d", "ENG": "n", "KRA": "q"}
"""Letters that Unicode does not decompose, by their Unicode names. Handled by name too: "L WITH STROKE" is an l."""

_ARABIC = {
    "\u0649": "\u064a", "\u06cc": "\u064a",  # yeh
    "\u06a9": "\u0643", "\u06aa": "\u0643",  # kaf
    "\u0629": "\u0647", "\u06c1": "\u0647", "\u06d5": "\u0647",  # heh, and the teh that is typed for it
    "\u0671": "\u0627",  # alef
}  # fmt: skip
"""Letters that keyboards of different languages type for each other."""

_PLAIN = re.compile(r"[0-9a-z]+")

JOINER = "\u200d"
"""Zero-width joiner, which combines emoji."""

_SAFE = 1000
"""Characters up to which the quadratic time of `unicodedata.normalize` for a run of marks does not matter. In a longer
text, ignored characters are removed first and other marks are put in canonical order."""


class _Rules(dict[int, str]):
    """Translation table, filled on demand: letters and digits, "", a space, or an emoji between spaces."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        parts = unicodedata.normalize("NFKD", character)
        if parts == character:
            parts = unicodedata.normalize("NFKD", character.casefold())
        made = _leaf(character) if parts == character else parts.translate(self)
        self[code] = made
        return made


def _leaf(character: str) -> str:
    """The folding of a character that neither decomposes nor has another case."""
    if _is_dropped(character):
        return ""
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category == "So" and character not in _BLANK:
        return f" {character} "
    if category[0] not in "LNM":
        return " "
    name = unicodedata.name(character, "")
    if letter := _BASIC_LATIN.match(name):
        return letter.group(1).lower()
    return _ARABIC.get(character) or _LATIN.get(name.removeprefix("LATIN SMALL LETTER "), character)


RULES = _Rules()
"""Folding of one character of a decomposed text, by code point."""


def folded(text: str) -> str:
    """`text` as folded words separated by one space. Idempotent, and equal for all Unicode normal forms of a text."""
    if text.isascii():
        return " ".join(_PLAIN.findall(text.lower()))
    return " ".join(spaced(text).split())


def spaced(text: str) -> str:
    """`text` folded, with one space per sign between words."""
    return unicodedata.normalize("NFC", _decomposed(text).translate(RULES))


def folded_with_signs(text: str) -> str:
    """`text` folded with all signs and white space kept, since they distinguish user ids."""
    parts = ((each, RULES[ord(each)]) for each in _decomposed(text))
    return unicodedata.normalize("NFC", "".join(made.strip() or (each if made else "") for each, made in parts))


def fold_with_origins(text: str) -> tuple[str, list[tuple[int, int]]]:
    """`text` folded, with at most one space in a row and possibly one at the end; and for each folded character the
    range (begin, end) in `text` of the character that it comes from, combining marks included."""
    made: list[str] = []
    origins: list[tuple[int, int]] = []
    begin = 0
    for end in range(1, len(text) + 1):
        if end < len(text) and (_CONTINUES[text[end]] or (text[end - 1] == JOINER and _is_symbol(text[end]))):
            continue
        character = text[begin:end]
        for each in _ONE[character] if end - begin == 1 else spaced(character):
            if each != " " or (made and made[-1] != " "):
                made.append(each)
                origins.append((begin, end))
        begin = end
    return "".join(made), origins


def split_boundary(text: str, place: int) -> int:
    """The first index from `place` on at which the text can be split without changing how it folds."""
    while place < len(text) and (_CONTINUES[text[place]] or text[place - 1] == JOINER):
        place += 1
    return min(place, len(text))


def _decomposed(text: str) -> str:
    if len(text) > _SAFE:
        text = _drop("", text)
        text = _many_marks().sub(lambda run: "".join(sorted(run.group(), key=unicodedata.combining)), text)
    return unicodedata.normalize("NFKD", text)


@cache
def _many_marks() -> re.Pattern[str]:
    marks = "".join(re.escape(each) for each in map(chr, range(0x300, 0x20000)) if unicodedata.combining(each))
    return re.compile(f"[{marks}]{{30,}}")


def _is_symbol(character: str) -> bool:
    return unicodedata.category(character) == "So"


class _Continues(dict[str, bool]):
    """Whether a character belongs to the one before: marks, ignored characters, later jamo of a syllable. A cache."""

    def __missing__(self, character: str) -> bool:
        first = unicodedata.normalize("NFKD", character)[0]
        jamo = "\u1160" <= first <= "\u11ff" or "\ud7b0" <= first <= "\ud7fb"
        self[character] = found = jamo or unicodedata.category(first)[0] == "M" or RULES[ord(character)] == ""
        return found


class _One(dict[str, str]):
    """Cache of `spaced` for one character."""

    def __missing__(self, character: str) -> str:
        self[character] = made = spaced(character)
        return made


_CONTINUES, _ONE = _Continues(), _One()
