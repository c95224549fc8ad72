"""From the bytes of a body to plain JSON values, with a bound on what they may cost."""

from __future__ import annotations

import json
import re

from .errors import Garbled

MAX_TOKENS = 250_000
"""The most separators and brackets in a body. A byte of JSON can cost 100 bytes of memory once it is parsed
(`[{},{},…`), so a cap on bytes alone bounds nothing; at this many, parsing adds about 30 MB at the worst.
A page of 100 long items has a few tens of thousands."""

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


class Oversized:
    """Stands where the upstream sent a number too long to be one: Python refuses to read 5,000 digits."""


def parse(body: bytes | bytearray) -> object:
    """The JSON value in `body`.

    Raises `Garbled` where it is not JSON, nested too deep, or made of too many parts.
    """
    # What stands inside of strings is none: a tool's output may be a long list of its own.
    count = _separators(body)
    if count > MAX_TOKENS and count - _separators_in_texts(body) > MAX_TOKENS:
        raise Garbled("the reply is made of too many parts")
    reason = "the reply is not JSON"
    try:
        text = body.decode()
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            raise
        except ValueError:
            return json.loads(text, parse_int=_bounded_int)
    except RecursionError:
        reason = "the reply is nested too deep"
    except ValueError:
        pass
    raise Garbled(reason)


def _separators(body: bytes | bytearray) -> int:
    return sum(body.count(mark) for mark in b",{[")


def _separators_in_texts(body: bytes | bytearray) -> int:
    """Those in texts long enough to matter."""
    return sum(_separators(found.group()) for found in _STRING.finditer(body) if found.end() - found.start() > 16)


def _bounded_int(digits: str) -> int | Oversized:
    return int(digits) if len(digits) <= 20 else Oversized()
