"""From the bytes of a body to plain JSON values, with a bound on what they may cost."""

from __future__ import annotations

import json
import re
from typing import Any

from .errors import Garbled, TooLarge
from .values import is_identifier

MAX_TOKENS = 250_000
"""The most separators and brackets in a body. A byte of JSON can cost 100 bytes of memory once it is parsed
(`[{},{},…`), so a cap on bytes alone bounds nothing; at this many, parsing adds about 30 MB at the worst.
A page of 100 long items has a few tens of thousands."""

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
"""A text, or the beginning of one that does not end: looked for anew behind each mark in it, it would take for ever."""


class Oversized:
    """Stands where the upstream sent a number too long to be one: Python refuses to read 5,000 digits."""


def parse(body: bytes | bytearray) -> object:
    """The JSON value in `body`.

    Raises `Garbled` where it is not JSON, `TooLarge` where it is nested too deep or made of too many parts.
    """
    # What stands inside of strings is none: a tool's output may be a long list of its own.
    count = _separators(body)
    if count > MAX_TOKENS and count - _separators_in_texts(body) > MAX_TOKENS:
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
    # Raised here, so that neither carries the library's error, which holds the text.
    raise too_large("the reply is nested too deep", body) if deep else Garbled("the reply is not JSON")


def too_large(detail: str, body: bytes | bytearray, **known: Any) -> TooLarge:
    """The error for a reply of which `body` is the beginning, or all."""
    error = TooLarge(detail, **known)
    error.row_id = first_row_id(body)
    return error


_BEGINNING = 64 * 1024
"""Bytes of a reply in which the id of its first row is looked for."""

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[{}\[\]:]', re.DOTALL)


def first_row_id(body: bytes | bytearray) -> str | None:
    """The `id` of the first row of a page, of which `body` is the beginning; None where it is not in there. Only that
    field of that row is taken, whatever a text or an object within the row says."""
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
"""What is open within the first row: the page, its data, the row."""


def _identifier(token: bytes) -> str | None:
    try:
        value = json.loads(token)
    except ValueError:
        return None
    return value if isinstance(value, str) and is_identifier(value) else None


def _separators(body: bytes | bytearray) -> int:
    return sum(body.count(mark) for mark in b",{[")


def _separators_in_texts(body: bytes | bytearray) -> int:
    """Those in texts long enough to matter."""
    return sum(_separators(found.group()) for found in _STRING.finditer(body) if found.end() - found.start() > 16)


def _bounded_int(digits: str) -> int | Oversized:
    return int(digits) if len(digits) <= 20 else Oversized()
