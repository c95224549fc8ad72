"""Reads single JSON values that nobody can vouch for, and notes in words what was wrong with them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

MAX_ID = 512
"""The longest id that is taken for one, in characters; the API's have about 50."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def clean(text: str) -> str:
    """`text` with every lone surrogate replaced by U+FFFD: JSON may carry them, UTF-8 cannot."""
    return _SURROGATE.sub("\ufffd", text) if _SURROGATE.search(text) else text


class Fields:
    """The fields of one JSON object, read one by one; `problems` collects what could not be read."""

    def __init__(self, raw: Mapping[str, object]) -> None:
        self._raw = raw
        self.problems: list[str] = []

    def text(self, name: str) -> str | None:
        """The string, or None where it is null, absent or (a problem) something else."""
        value = self._raw.get(name)
        if value is None:
            return None
        if isinstance(value, str):
            return clean(value)
        self._wrong(name, "text", value)
        return None

    def identifier(self, name: str) -> str | None:
        """A string that can stand in an address: not blank, not endless, and readable to the last character."""
        value = self._raw.get(name)
        if isinstance(value, str) and is_identifier(value):
            return value
        if value is None:
            self.problems.append(f"it has no {name}")
        else:
            self._wrong(name, "an id", value)
        return None

    def time(self, name: str) -> datetime | None:
        """Seconds since 1970, as an aware UTC time."""
        value = self._raw.get(name)
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool):
            try:
                return datetime.fromtimestamp(value, UTC)
            except (OverflowError, OSError, ValueError):
                self.problems.append(f"{name} is a number outside the calendar")
                return None
        self._wrong(name, "a time", value)
        return None

    def mapping(self, name: str) -> Mapping[str, object] | None:
        value = self._raw.get(name)
        if value is None or isinstance(value, dict):
            return value
        self._wrong(name, "an object", value)
        return None

    def sequence(self, name: str) -> list[object]:
        value = self._raw.get(name)
        if value is None:
            return []
        if isinstance(value, list):
            return value
        self._wrong(name, "a list", value)
        return []

    def _wrong(self, name: str, wanted: str, value: object) -> None:
        self.problems.append(f"{name} is not {wanted} but {kind(value)}")


def is_identifier(text: str) -> bool:
    return 0 < len(text) <= MAX_ID and text.strip() != "" and "\0" not in text and not _SURROGATE.search(text)


def is_cursor(text: str) -> bool:
    """Whether an id can name a place in a list that somebody's address asks for: control characters in one are no
    accident."""
    return is_identifier(text) and not _CONTROL.search(text)


def kind(value: object) -> str:
    """What a JSON value is, in a word or two, for a sentence about it."""
    names = {dict: "an object", list: "a list", str: "unreadable text", bool: "true or false", type(None): "nothing"}
    return names.get(type(value), "a number")
