"""Reads the properties of a component, any of which may be missing or of the wrong type."""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Iterator, Mapping

from threads.chatkit.values import replace_surrogates
from threads.rendering.escape import visible

_MARK = re.compile("<span [^>]*>([^<]*)</span>")
"""The mark by which `visible` replaces a hidden character. Its result has no other `<`."""

MAX_STEP = 8
"""The largest spacing step with a CSS class."""

SHORT = 200
"""Characters of a name, since one label may name two thousand fields."""


class Props:
    """The properties of a component, or of an object within one."""

    def __init__(self, raw: object) -> None:
        self._raw: Mapping[str, object] = raw if isinstance(raw, dict) else {}

    def get(self, name: str) -> object:
        return self._raw.get(name)

    def text(self, name: str) -> str:
        return words(self._raw.get(name))

    def flag(self, name: str) -> bool:
        return self._raw.get(name) is True

    def number(self, name: str) -> float | None:
        return number(self._raw.get(name))

    def inner(self, name: str) -> Props:
        return Props(self._raw.get(name))

    def objects(self, name: str) -> list[Props]:
        """The objects of a list; a single object counts as a list of one."""
        return [Props(each) for each in parts(self._raw.get(name)) if isinstance(each, dict)]

    def token(self, name: str, tokens: str) -> str:
        """The CSS class of a property whose value is one of the space-separated `tokens`; "" for other values."""
        value = self._raw.get(name)
        return f"w-{name}-{value}" if isinstance(value, str) and value in tokens.split() else ""

    def step(self, name: str) -> str:
        """The CSS class of a property in spacing steps; "" if it is not a number."""
        value = self.number(name)
        return "" if value is None else f"w-{name}-{round(min(max(value, 0), MAX_STEP))}"

    def when(self, name: str, css: str) -> str:
        """The class `css` if the property is set: true, a number above zero, an object, or a word other than `none`."""
        value = self._raw.get(name)
        if isinstance(value, str):
            return css if value not in ("", "none", "0") else ""
        return css if (value > 0 if isinstance(value, int | float) else value) else ""


def classes(*names: str) -> str:
    """The CSS classes that are not empty, for a `class` attribute."""
    return " ".join(name for name in names if name)


def words(value: object) -> str:
    """A JSON scalar as text; "" for null, lists and objects."""
    if isinstance(value, str):
        return replace_surrogates(value).replace("\r\n", "\n")
    return json.dumps(value) if isinstance(value, bool | int | float) else ""


def number(value: object) -> float | None:
    """A finite JSON number as a float; None for all else, and for numbers beyond a float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def parts(value: object) -> Iterator[object]:
    """The objects and scalars of `children`, which may be a list, one value or nested lists. Skips null and ""."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting.extend(reversed(each))
        elif each is not None and each != "":
            yield each


def every_part(root: object) -> Iterator[object]:
    """The root and all its descendants, in no particular order; not recursive, so of any depth."""
    waiting = [root]
    while waiting:
        each = waiting.pop()
        yield each
        if isinstance(each, dict):
            waiting.extend(parts(each.get("children")))


def plain(text: str) -> str:
    """A text for an attribute, with hidden characters replaced by their code points."""
    return html.unescape(_MARK.sub(r"\1", visible(text, len(text))))


def short(text: str, longest: int = SHORT) -> str:
    """The text, cut to `longest` characters with an ellipsis."""
    return text if len(text) <= longest else text[: longest - 1] + "…"
