"""User ids and e-mail addresses shortened, for accounts that may not see them whole.

What is shown of one is at most a third of its characters, and never more than six. Whoever is shown a page may be shown
its source too: what is shortened stands nowhere in it, so that no link, field or attribute holds it either.
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

MOST = 6
"""Characters of an id that are shown at most."""

_CUT = "\N{HORIZONTAL ELLIPSIS}"

_RUN = r"[\w.!#$'*+^`{|}~\-]"
"""Of what stands before the sign of an address, beside the percent sign."""

_AT = (
    r"\\?(?:@|\uff20|\ufe6b|%40|\\u0040"
    r"|&(?:#0*+64|#[xX]0*+40|[cC][oO][mM][mM][aA][tT]);)"
)
_RUNS = rf"(?:{_RUN}++|%(?!40))++"
_HOST = r"[\w\-]++(?:\.[\w\-]++)*+"
_EMAIL = re.compile(
    # In linear time: what may be an address begins where such a run does and nowhere in it, and nothing that was read
    # is given back. What hangs on an address by another sign is a part of it.
    rf"(?:(?<!{_RUN[:-1]}%])|(?<=%40)){_RUNS}{_AT}{_HOST}(?:(?:{_RUNS})?+{_AT}{_HOST})*+"
)
_SIGN = re.compile(_AT.removeprefix(r"\\?"))
_LONGEST_EMAIL = 400
"""Characters, more than the standards allow."""

_WORD = 6
"""An id that is shorter may be a part of any word, so it counts only where it stands alone."""


def is_due(user: User | AnonymousUser) -> bool:
    """Whether this account is to see ids and addresses shortened."""
    return bool(settings.MASK_IDENTITIES) and not user.has_perm(Right.IDENTIFY)


def short(name: str) -> str:
    """A user id or an e-mail address, shortened: "use…42f", "a…@e…". So it can't be mistaken for a whole one."""
    shown = min(MOST, len(name) // 3)
    parts = _SIGN.split(name, maxsplit=1)
    if len(parts) == 2 and shown >= 3 and all(parts):
        return f"{parts[0][0]}{_CUT}@{parts[1][0]}{_CUT}"
    head, tail = (shown + 1) // 2, shown // 2
    return name[:head] + _CUT + (name[-tail:] if tail else "")


def text(said: str, known: Iterable[str] = ()) -> str:
    """A text with every e-mail address in it shortened, and every one of the `known` user ids."""
    for name in known:
        said = _without(said, name)
    if not _SIGN.search(said):
        return said
    return _EMAIL.sub(lambda found: short(found.group()), said)


def line(said: str, known: Iterable[str] = ()) -> str:
    """As `text`, of a text of which a page shows only the beginning: no more than that is gone through."""
    return _within(said, tuple(known), min(len(said), LONGEST))


def beginning(said: str, known: Iterable[str] = ()) -> str:
    """The beginning of a text that goes on in an unknown way, as `text` gives it, and without what could be that of an
    id or an address at its end."""
    known = tuple(known)
    said = _read(_HALF_ESCAPE.sub("", said))
    said = text(said[: len(said) - _half(said, known)], known)
    return said.rpartition(" ")[0] if " " in said[-_LONGEST_EMAIL:] else said[:-_LONGEST_EMAIL]


def part(said: str, known: Iterable[str] = (), before: str = "", after: str = "") -> str:
    """A part of a text, as `text` gives it, and without what is a half of an id or an address. `before` and `after` are
    what it was cut from, as far as that has to be known, "" where it was not cut."""
    known = tuple(known)
    whole, begin, end = before + said + after, len(before), len(before) + len(said)
    begin, end = _outside(map(re.Match.span, _ESCAPE.finditer(whole)), begin, end)
    before, said, after = _read(whole[:begin]), _read(whole[begin:end]), _read(whole[end:])
    whole, begin, end = before + said + after, len(before), len(before) + len(said)
    addresses = [found.span() for found in _EMAIL.finditer(whole)] if _SIGN.search(whole) else []
    left = -1
    while left != end - begin > 0:  # without one half, another may be cut anew
        left = end - begin
        if any(whole[begin:end].lower() in form.lower() for name in known for form in _forms(name) if before and after):
            return ""
        if begin:
            begin += _half(whole[begin:end], known, at_end=False)
        if end < len(whole):
            end -= _half(whole[begin:end], known)
        begin, end = _outside(addresses, begin, end)
    return text(whole[begin:end], known)


def deep(value: ValueT, known: Iterable[str] = (), budget: Budget | None = None) -> ValueT:
    """The same value with each text in it as `text` gives it, the names of fields kept: of dataclasses, lists, tuples
    and mappings. Of long texts, only what the `budget` has room for is gone through; the rest is left out."""
    return _deep(value, tuple(known), budget or Budget(None))  # type: ignore[no-any-return]


class Budget:
    """How many characters of long texts are still gone through, but of each as many as a page shows of a name; None for
    all."""

    def __init__(self, characters: int | None) -> None:
        self._left = characters

    def take(self, said: str) -> int:
        """How many characters of a text there is room for."""
        if self._left is None or len(said) <= LONGEST:
            return len(said)
        taken = min(len(said), max(self._left, LONGEST))
        self._left = max(0, self._left - taken)
        return taken


def has_any(encoded: str) -> bool:
    """Whether the query of an address, percent-encoded, has an e-mail address in it."""
    plain = unquote_plus(encoded)
    return text(plain) != plain


def _deep(value: Any, known: tuple[str, ...], budget: Budget) -> Any:
    if isinstance(value, str):
        return _within(value, known, budget.take(value))
    if isinstance(value, tuple | list):
        return type(value)(_deep(each, known, budget) for each in value)
    if isinstance(value, dict):
        return {_deep(name, known, budget): _deep(each, known, budget) for name, each in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: _deep(getattr(value, each.name), known, budget) for each in fields(value)})
    return value


def _within(said: str, known: tuple[str, ...], length: int) -> str:
    """The first `length` characters. Blanks stand for the rest, so that whoever says how much is left out is right."""
    if length < len(said):
        length = _before_a_name(said, known, length)
    head = said[:length]
    shown = _json(head, known) if "\\u" in head or "\\/" in head else text(head, known)
    return shown + " " * (len(said) - length)


def _before_a_name(said: str, known: tuple[str, ...], length: int) -> int:
    """Where to cut instead of in the middle of what would be shortened, and was not seen to be in halves."""
    for name in known:
        for form in _forms(name):
            before = min(len(form), length)
            around, small = _lowered(said[length - before : length + len(form)]), _lowered(form)
            length -= next((each for each in range(before, 0, -1) if around.startswith(small, before - each)), 0)
    begin = max(0, length - _LONGEST_EMAIL)
    for found in _EMAIL.finditer(said[begin : length + _LONGEST_EMAIL]):
        if begin + found.start() < length < begin + found.end():
            return begin + found.start()
    return length


def _json(said: str, known: tuple[str, ...]) -> str:
    """JSON can write any character in a way that no pattern sees through, so it is read, and written anew."""
    try:
        return json.dumps(_deep(json.loads(said), known, Budget(None)), ensure_ascii=False)
    except (ValueError, RecursionError):
        plain = _ESCAPE.sub(_unescaped, said)
        shown = text(plain, known)
        return text(said, known) if shown == plain else shown


_ESCAPE = re.compile(r"\\(?:u(00[2-7][0-9a-fA-F])|/)")


_HALF_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?\Z")


def _unescaped(escape: re.Match[str]) -> str:
    """The character that an escape stands for, unless that would end a text in JSON."""
    character = chr(int(escape[1], 16)) if escape[1] else "/"
    return escape[0] if character in '"\\' else character


def _outside(spans: Iterable[tuple[int, int]], begin: int, end: int) -> tuple[int, int]:
    """The part from `begin` to `end` without halves of these spans."""
    for first, last in spans:
        begin = last if first < begin < last else begin
        end = first if first < end < last else end
    return begin, max(begin, end)


def _half(said: str, known: tuple[str, ...], *, at_end: bool = True) -> int:
    """How many characters at the end of a text, or at its beginning, could be a part of an id that goes on beyond."""
    most, said = 0, _lowered(said)
    for form in {_lowered(form) for name in known for form in _forms(name)}:
        for length in range(min(len(form), len(said)), max(1, most), -1):
            if said.endswith(form[:length]) if at_end else said.startswith(form[-length:]):
                most = length
                break
    return most


def _read(said: str) -> str:
    """The text with the escapes of JSON read: a half of one can't be parsed."""
    return _ESCAPE.sub(_unescaped, said) if "\\" in said else said


def _forms(name: str) -> list[str]:
    """How an id may stand in a text: as it is, encoded for an address, and with each white space in it one space, as a
    page shows it."""
    spellings = (name, " ".join(name.split())) if name.strip() else (name,)
    encoded = (form for each in spellings for form in (quote(each, safe=""), quote(each), quote_plus(each)))
    return list(dict.fromkeys((name, *encoded, spellings[-1])))


def _lowered(said: str) -> str:
    """In small letters, each character one."""
    return said.replace("\u0130", "I").lower()


def _without(said: str, name: str) -> str:
    if not name.strip():
        return said
    for form in _forms(name):
        if form == name and form not in said:
            continue
        if len(form) < _WORD:
            pattern = rf"(?<!\w){re.escape(form)}(?!\w)"
            said = re.sub(pattern, lambda _: short(name), said, flags=re.NOFLAG if form == name else re.IGNORECASE)
        elif form == name:
            said = said.replace(form, short(name))
        else:
            said = _replaced(said, form, short(name))
    return said


def _replaced(said: str, form: str, by: str) -> str:
    """The text with `by` for each `form`, whether in capital or small letters: encoded, %7c is the same as %7C."""
    lowered, form = _lowered(said), form.lower()
    parts, end = [], 0
    while (place := lowered.find(form, end)) >= 0:
        parts += [said[end:place], by]
        end = place + len(form)
    return "".join([*parts, said[end:]])
