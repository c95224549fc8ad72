"""Masking: user ids and e-mail addresses are shortened for accounts without the right to see them.

At most a third of the characters are shown, and never more than six. The full text must not be anywhere in the page's
source either: not in a link, a field or an attribute.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus, unquote_plus

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User

from .rendering.escape import LONGEST
from .roles import Right

ValueT = TypeVar("ValueT")

MAX_SHOWN = 6
"""Characters of an id."""

_CUT = "\N{HORIZONTAL ELLIPSIS}"

_RUN = r"[\w.!#$'*+^`{|}~\-]"
"""A character before the @ of an e-mail address. The percent sign is allowed too, see `_RUNS`."""

_AT = (
    r"\\?(?:@|\uff20|\ufe6b|%40|\\u0040"
    r"|&(?:#0*+64|#[xX]0*+40|[cC][oO][mM][mM][aA][tT]);)"
)
_RUNS = rf"(?:{_RUN}++|%(?!40))++"
_HOST = r"[\w\-]++(?:\.[\w\-]++)*+"
_EMAIL = re.compile(
    # Matches in linear time: a match starts only at the beginning of a run, and possessive quantifiers never backtrack.
    # What is joined to an address by another @ is part of it.
    rf"(?:(?<!{_RUN[:-1]}%])|(?<=%40)){_RUNS}{_AT}{_HOST}(?:(?:{_RUNS})?+{_AT}{_HOST})*+"
)
_SIGN = re.compile(_AT.removeprefix(r"\\?"))
_MAX_EMAIL = 400
"""Characters; the standards allow fewer."""

_MIN_SUBSTRING = 6
"""Characters. A shorter id may be part of any word, so it is masked only as a whole word."""


def applies_to(user: User | AnonymousUser) -> bool:
    """Whether ids and e-mail addresses are masked for this account."""
    return bool(settings.MASK_IDENTITIES) and not user.has_perm(Right.IDENTIFY)


def mask_id(name: str) -> str:
    """A user id or an e-mail address, shortened so that it can't be mistaken for a whole one: "use…42f", "a…@e…"."""
    shown = min(MAX_SHOWN, len(name) // 3)
    parts = _SIGN.split(name, maxsplit=1)
    if len(parts) == 2 and shown >= 3 and all(parts):
        return f"{parts[0][0]}{_CUT}@{parts[1][0]}{_CUT}"
    head, tail = (shown + 1) // 2, shown // 2
    return name[:head] + _CUT + (name[-tail:] if tail else "")


def text(original: str, known: Iterable[str] = ()) -> str:
    """The text with all e-mail addresses and the `known` user ids shortened."""
    for name in known:
        original = _without(original, name)
    if not _SIGN.search(original):
        return original
    return _EMAIL.sub(lambda found: mask_id(found.group()), original)


def line(original: str, known: Iterable[str] = ()) -> str:
    """As `text`, for a text that a page cuts: only the part that it shows is searched."""
    return _within(original, tuple(known), min(len(original), LONGEST))


def beginning(original: str, known: Iterable[str] = ()) -> str:
    """As `text`, for the beginning of a text whose rest is unknown: without an end that may be the beginning of an id
    or of an address."""
    known = tuple(known)
    original = _decoded(_HALF_ESCAPE.sub("", original))
    original = text(original[: len(original) - _half(original, known)], known)
    return original.rpartition(" ")[0] if " " in original[-_MAX_EMAIL:] else original[:-_MAX_EMAIL]


def part(original: str, known: Iterable[str] = (), before: str = "", after: str = "") -> str:
    """As `text`, for a part of a longer text: without halves of ids or addresses at its ends. `before` and `after` are
    the text around it, as much as is needed, "" where it was not cut."""
    known = tuple(known)
    whole, begin, end = before + original + after, len(before), len(before) + len(original)
    begin, end = _outside(map(re.Match.span, _ESCAPE.finditer(whole)), begin, end)
    before, original, after = _decoded(whole[:begin]), _decoded(whole[begin:end]), _decoded(whole[end:])
    whole, begin, end = before + original + after, len(before), len(before) + len(original)
    addresses = [found.span() for found in _EMAIL.finditer(whole)] if _SIGN.search(whole) else []
    left = -1
    while left != end - begin > 0:  # cutting one half off may cut another in two
        left = end - begin
        if any(whole[begin:end].lower() in form.lower() for name in known for form in _forms(name) if before and after):
            return ""
        if begin:
            begin += _half(whole[begin:end], known, at_end=False)
        if end < len(whole):
            end -= _half(whole[begin:end], known)
        begin, end = _outside(addresses, begin, end)
    return text(whole[begin:end], known)


def deep(value: ValueT, known: Iterable[str] = (), budget: MaskingBudget | None = None) -> ValueT:
    """The same value with `text` applied to every string in it, in dataclasses, lists, tuples and mappings. Of long
    strings only as much as the `budget` allows is searched; the rest is blanked."""
    return _deep(value, tuple(known), budget or MaskingBudget(None))  # type: ignore[no-any-return]


class MaskingBudget:
    """The characters of long texts that may still be searched on a page; None for no limit. Of each text at least
    `LONGEST` characters are searched."""

    def __init__(self, characters: int | None) -> None:
        self._left = characters

    def take(self, original: str) -> int:
        """How many characters of a text to search; deducts them."""
        if self._left is None or len(original) <= LONGEST:
            return len(original)
        taken = min(len(original), max(self._left, LONGEST))
        self._left = max(0, self._left - taken)
        return taken


def has_email(encoded: str) -> bool:
    """Whether a percent-encoded query string contains an e-mail address."""
    plain = unquote_plus(encoded)
    return text(plain) != plain


def _deep(value: Any, known: tuple[str, ...], budget: MaskingBudget) -> Any:
    if isinstance(value, str):
        return _within(value, known, budget.take(value))
    if isinstance(value, tuple | list):
        return type(value)(_deep(each, known, budget) for each in value)
    if isinstance(value, dict):
        return {_deep(name, known, budget): _deep(each, known, budget) for name, each in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: _deep(getattr(value, each.name), known, budget) for each in fields(value)})
    return value


def _within(original: str, known: tuple[str, ...], length: int) -> str:
    """The first `length` characters, masked. Blanks pad the rest, so that counts of what is left out stay right."""
    if length < len(original):
        length = _cut_before_id(original, known, length)
    head = original[:length]
    shown = _json(head, known) if "\\u" in head or "\\/" in head else text(head, known)
    return shown + " " * (len(original) - length)


def _cut_before_id(original: str, known: tuple[str, ...], length: int) -> int:
    """Where to cut a text so that no id or address is cut in two: half of one would not be recognised."""
    for name in known:
        for form in _forms(name):
            before = min(len(form), length)
            around, small = _lowered(original[length - before : length + len(form)]), _lowered(form)
            length -= next((each for each in range(before, 0, -1) if around.startswith(small, before - each)), 0)
    begin = max(0, length - _MAX_EMAIL)
    for found in _EMAIL.finditer(original[begin : length + _MAX_EMAIL]):
        if begin + found.start() < length < begin + found.end():
            return begin + found.start()
    return length


def _json(original: str, known: tuple[str, ...]) -> str:
    """Masks JSON by decoding it first: its escapes can spell any character in a way that no pattern matches."""
    try:
        return json.dumps(_deep(json.loads(original), known, MaskingBudget(None)), ensure_ascii=False)
    except (ValueError, RecursionError):
        plain = _ESCAPE.sub(_unescaped, original)
        shown = text(plain, known)
        return text(original, known) if shown == plain else shown


_ESCAPE = re.compile(r"\\(?:u(00[2-7][0-9a-fA-F])|/)")


_HALF_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?\Z")


def _unescaped(escape: re.Match[str]) -> str:
    """The character of an escape, unless it would end a JSON string."""
    character = chr(int(escape[1], 16)) if escape[1] else "/"
    return escape[0] if character in '"\\' else character


def _outside(spans: Iterable[tuple[int, int]], begin: int, end: int) -> tuple[int, int]:
    """The range from `begin` to `end`, shrunk so that it cuts none of these spans in two."""
    for first, last in spans:
        begin = last if first < begin < last else begin
        end = first if first < end < last else end
    return begin, max(begin, end)


def _half(original: str, known: tuple[str, ...], *, at_end: bool = True) -> int:
    """How many characters at the end of a text, or at its beginning, may belong to an id that was cut."""
    most, original = 0, _lowered(original)
    for form in {_lowered(form) for name in known for form in _forms(name)}:
        for length in range(min(len(form), len(original)), max(1, most), -1):
            if original.endswith(form[:length]) if at_end else original.startswith(form[-length:]):
                most = length
                break
    return most


def _decoded(original: str) -> str:
    """The text with JSON escapes decoded one by one, since a part of JSON can't be parsed."""
    return _ESCAPE.sub(_unescaped, original) if "\\" in original else original


def _forms(name: str) -> list[str]:
    """The spellings of an id: as it is, percent-encoded, and with white space collapsed as a page shows it."""
    spellings = (name, " ".join(name.split())) if name.strip() else (name,)
    encoded = (form for each in spellings for form in (quote(each, safe=""), quote(each), quote_plus(each)))
    return list(dict.fromkeys((name, *encoded, spellings[-1])))


def _lowered(original: str) -> str:
    """In lower case, at the same length."""
    return original.replace("\u0130", "I").lower()


def _without(original: str, name: str) -> str:
    if not name.strip():
        return original
    for form in _forms(name):
        if form == name and form not in original:
            continue
        if len(form) < _MIN_SUBSTRING:
            pattern = rf"(?<!\w){re.escape(form)}(?!\w)"
            original = re.sub(
                pattern, lambda _: mask_id(name), original, flags=re.NOFLAG if form == name else re.IGNORECASE
            )
        elif form == name:
            original = original.replace(form, mask_id(name))
        else:
            original = _replaced(original, form, mask_id(name))
    return original


def _replaced(original: str, form: str, by: str) -> str:
    """The text with `by` for each `form`, ignoring case: %7c is the same as %7C."""
    lowered, form = _lowered(original), form.lower()
    parts, end = [], 0
    while (place := lowered.find(form, end)) >= 0:
        parts += [original[end:place], by]
        end = place + len(form)
    return "".join([*parts, original[end:]])
