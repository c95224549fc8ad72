"""Reads the properties of one component, of which none need be what it should."""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Iterator, Mapping

from threads.chatkit.values import clean
from threads.rendering.escape import visible

_MARK = re.compile("<span [^>]*>([^<]*)</span>")
"""What `visible` puts in the place of a hidden character. There is no other `<` in what it makes."""

MOST_STEPS = 8
"""The largest step of spacing that has a class."""

SHORT = 200
"""Characters of a name. One label may name two thousand fields, and must not be two thousand pages."""


class Props:
    """The properties of a component, or of an object in one."""

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
        """The objects in a list, or the one that stands in its place."""
        return [Props(each) for each in parts(self._raw.get(name)) if isinstance(each, dict)]

    def token(self, name: str, tokens: str) -> str:
        """The class of a property whose value is one of these words; "" where it is anything else."""
        value = self._raw.get(name)
        return f"w-{name}-{value}" if isinstance(value, str) and value in tokens.split() else ""

    def step(self, name: str) -> str:
        """The class of a property that counts steps of spacing."""
        value = self.number(name)
        return "" if value is None else f"w-{name}-{round(min(max(value, 0), MOST_STEPS))}"

    def when(self, name: str, css: str) -> str:
        """A class where the property is set: true, a number above zero, an object, or a word other than `none`."""
        value = self._raw.get(name)
        if isinstance(value, str):
            return css if value not in ("", "none", "0") else ""
        return css if (value > 0 if isinstance(value, int | float) else value) else ""


def classes(*names: str) -> str:
    return " ".join(name for name in names if name)


def words(value: object) -> str:
    """What a JSON scalar says; "" for null, lists and objects."""
    if isinstance(value, str):
        return clean(value).replace("\r\n", "\n")
    return json.dumps(value) if isinstance(value, bool | int | float) else ""


def number(value: object) -> float | None:
    """A JSON number that can be drawn; None for all else, and for what is endless or beyond a float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def parts(value: object) -> Iterator[object]:
    """What stands in `children`, be it a list, one thing or lists within lists: objects, and scalars that say
    something."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting.extend(reversed(each))
        elif each is not None and each != "":
            yield each


def every_part(root: object) -> Iterator[object]:
    """The root and all that is below it, in no particular order and however deep."""
    waiting = [root]
    while waiting:
        each = waiting.pop()
        yield each
        if isinstance(each, dict):
            waiting.extend(parts(each.get("children")))


def plain(text: str) -> str:
    """A text for an attribute, where no markup can stand: each hidden character is named in its place."""
    return html.unescape(_MARK.sub(r"\1", visible(text, len(text))))


def short(text: str, most: int = SHORT) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
