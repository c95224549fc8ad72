"""Parses the bytes of a body as JSON, with a limit on the memory that the values take."""

from __future__ import annotations

import json
import re
from typing import Any

from .errors import Garbled, TooLarge
from .values import is_identifier

MAX_TOKENS = 250_000
"""Limit of separators and opening brackets in a body. A byte of JSON can take 100 bytes of memory once parsed
(`[{},{},…`), so a byte limit is not enough; with this many, parsing adds about 30 MB at worst. A page of 100 long items
has a few tens of thousands."""

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
"""A string, or an unterminated one: without that alternative the search would take quadratic time."""


class OversizedNumber:
    """Placeholder for a number that is too long to parse: Python refuses 5,000 digits."""


def parse(body: bytes | bytearray) -> object:
    """The JSON value in `body`.

    Raises `Garbled` where it is not JSON, `TooLarge` where it is nested too deeply or has too many parts.
    """
    # Characters within strings do not count: a tool's output may itself be a long list.
    count = _separators(body)
    if count > MAX_TOKENS and count - _separators_in_strings(body) > MAX_TOKENS:
        raise too_large("the reply is made of too many parts", body)
    try:
        text = body.decode()
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            raise
        except ValueError:
            return json.loads(text, parse_int=_bounded_int)
    except RecursionError:
        deep = True
    except ValueError:
        deep = False
    # Raised outside of `except`: the library's error holds the text and would become the context.
    raise too_large("the reply is nested too deep", body) if deep else Garbled("the reply is not JSON")


def too_large(detail: str, body: bytes | bytearray, **known: Any) -> TooLarge:
    """The error for an oversized reply, of which `body` is the beginning or all."""
    error = TooLarge(detail, **known)
    error.row_id = first_row_id(body)
    return error


_BEGINNING = 64 * 1024
"""Bytes of a reply that are searched for the id of its first row."""

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[{}\[\]:]', re.DOTALL)


def first_row_id(body: bytes | bytearray) -> str | None:
    """The `id` of the first row of the page that `body` begins; None where it is not in there. An "id" in a string or
    in a nested object does not count."""
    nesting, keys, text, colon = b"", [b""] * 4, b"", False
    for token in (found.group() for found in _TOKEN.finditer(bytes(body[:_BEGINNING]))):
        if token == b":":
            if len(nesting) < len(keys):
                keys[len(nesting)] = text
            colon = True
            continue
        if token in b"{[":
            nesting += token
        elif token in b"}]":
            if nesting == _ROW:
                return None
            nesting = nesting[:-1]
        elif colon and nesting == _ROW and keys[1] == b'"data"' and keys[3] == b'"id"':
            return _identifier(token)
        text, colon = token, False
    return None


_ROW = b"{[{"
"""Open brackets within the first row: the page, its `data`, the row."""


def _identifier(token: bytes) -> str | None:
    try:
        value = json.loads(token)
    except ValueError:
        return None
    return value if isinstance(value, str) and is_identifier(value) else None


def _separators(body: bytes | bytearray) -> int:
    return sum(body.count(mark) for mark in b",{[")


def _separators_in_strings(body: bytes | bytearray) -> int:
    """Separators within strings that are long enough to matter."""
    return sum(_separators(found.group()) for found in _STRING.finditer(body) if found.end() - found.start() > 16)


def _bounded_int(digits: str) -> int | OversizedNumber:
    return int(digits) if len(digits) <= 20 else OversizedNumber()
