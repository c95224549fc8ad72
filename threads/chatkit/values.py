"""Reads untrusted JSON values, and describes in words those that are wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

MAX_ID = 512
"""Longest id that is accepted, in characters. A limit of this client; the API's ids have about 50."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def replace_surrogates(text: str) -> str:
    """`text` with each lone surrogate replaced by U+FFFD. JSON allows them, UTF-8 does not."""
    return _SURROGATE.sub("\ufffd", text) if _SURROGATE.search(text) else text


class Fields:
    """Typed access to the fields of one JSON object. `problems` collects the fields that could not be read."""

    def __init__(self, raw: Mapping[str, object]) -> None:
        self._raw = raw
        self.problems: list[str] = []

    def text(self, name: str) -> str | None:
        """The string; None where it is null, absent, or of another type, which is a problem."""
        value = self._raw.get(name)
        if value is None:
            return None
        if isinstance(value, str):
            return replace_surrogates(value)
        self._wrong(name, "text", value)
        return None

    def identifier(self, name: str) -> str | None:
        """An id that can be used in a URL, as in `is_identifier`; None, which is a problem, for anything else."""
        value = self._raw.get(name)
        if isinstance(value, str) and is_identifier(value):
            return value
        if value is None:
            self.problems.append(f"it has no {name}")
        else:
            self._wrong(name, "an id", value)
        return None

    def time(self, name: str) -> datetime | None:
        """A Unix time in seconds, as an aware UTC datetime; None where null, absent, or (a problem) invalid."""
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
        """The JSON object; None where it is null, absent, or of another type, which is a problem."""
        value = self._raw.get(name)
        if value is None or isinstance(value, dict):
            return value
        self._wrong(name, "an object", value)
        return None

    def sequence(self, name: str) -> list[object]:
        """The JSON array; empty where it is null, absent, or of another type, which is a problem."""
        value = self._raw.get(name)
        if value is None:
            return []
        if isinstance(value, list):
            return value
        self._wrong(name, "a list", value)
        return []

    def _wrong(self, name: str, wanted: str, value: object) -> None:
        self.problems.append(f"{name} is not {wanted} but {json_type(value)}")


def is_identifier(text: str) -> bool:
    """Whether a text can be used as an id: not blank, at most `MAX_ID` characters, no NUL, no lone surrogate."""
    return 0 < len(text) <= MAX_ID and text.strip() != "" and "\0" not in text and not _SURROGATE.search(text)


def is_cursor(text: str) -> bool:
    """Whether a text can be used as a cursor from a URL: an id without control characters, which hint at tampering."""
    return is_identifier(text) and not _CONTROL.search(text)


def json_type(value: object) -> str:
    """The type of a JSON value in words, such as "a list", for a sentence."""
    names = {dict: "an object", list: "a list", str: "unreadable text", bool: "true or false", type(None): "nothing"}
    return names.get(type(value), "a number")
