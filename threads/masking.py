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

from .roles import Right

ValueT = TypeVar("ValueT")

MOST = 6
"""Characters of an id that are shown at most."""

_CUT = "\N{HORIZONTAL ELLIPSIS}"

_EMAIL = re.compile(
    # At most 64 characters before the sign, as the standard has it: it also keeps a long word from being gone through
    # once for each of its characters.
    r"[\w.!#$%'*+^`{|}~\-]{1,64}"
    r"\\?(?:@|\N{FULLWIDTH COMMERCIAL AT}|\N{SMALL COMMERCIAL AT}|%40|&#0*64;|&#x0*40;|&commat;|\\u0040)"
    r"[\w\-]{1,255}(?:\.[\w\-]{1,255}){0,20}",
    re.IGNORECASE,
)
_SIGN = re.compile(r"@|%40|&#0*64;|&#x0*40;|&commat;|\\u0040|[\uff20\ufe6b]", re.IGNORECASE)
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


def deep(value: ValueT, known: Iterable[str] = ()) -> ValueT:
    """The same value with each text in it as `text` gives it, the names of fields kept: of dataclasses, lists, tuples
    and mappings."""
    return _deep(value, tuple(known))  # type: ignore[no-any-return]


def has_any(encoded: str) -> bool:
    """Whether the query of an address, percent-encoded, has an e-mail address in it."""
    plain = unquote_plus(encoded)
    return text(plain) != plain


def _deep(value: Any, known: tuple[str, ...]) -> Any:
    if isinstance(value, str):
        return _json(value, known) if "\\u" in value or "\\/" in value else text(value, known)
    if isinstance(value, tuple | list):
        return type(value)(_deep(each, known) for each in value)
    if isinstance(value, dict):
        return {_deep(name, known): _deep(each, known) for name, each in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: _deep(getattr(value, each.name), known) for each in fields(value)})
    return value


def _json(said: str, known: tuple[str, ...]) -> str:
    """JSON can write any character in a way that no pattern sees through, so it is read, and written anew."""
    try:
        return json.dumps(_deep(json.loads(said), known), ensure_ascii=False)
    except (ValueError, RecursionError):
        return text(said, known)


def _without(said: str, name: str) -> str:
    if not name.strip():
        return said
    for form in dict.fromkeys((name, quote(name, safe=""), quote(name), quote_plus(name))):
        # Encoded, %7c is the same as %7C.
        encoded = form != name
        if form in said or (encoded and form.lower() in said.lower()):
            pattern = re.escape(form) if len(form) >= _WORD else rf"(?<!\w){re.escape(form)}(?!\w)"
            said = re.sub(pattern, lambda _found: short(name), said, flags=re.IGNORECASE if encoded else re.NOFLAG)
    return said
