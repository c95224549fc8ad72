"""Indents untrusted JSON without decoding it: only the white space between its tokens changes."""

from __future__ import annotations

import json
import re
from itertools import pairwise

from threads.chatkit.values import replace_surrogates

_MAX_INDENT = 12
"""Levels of indentation. Deeper levels get no more, or the output could grow with the square of the input."""

_LONGEST = 1_000_000
"""Characters; longer JSON is not indented."""

_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+')


def indented(text: str) -> str | None:
    """`text` indented by two spaces per level; None if it is not JSON. Duplicate names and the digits of numbers are
    kept, which decoding and encoding would lose. Escaped letters become letters."""
    if len(text) > _LONGEST or not _is_json(text):
        return None
    parts = [_readable(part) for part in _TOKENS.findall(text)]
    lines: list[str] = []
    depth = 0
    for part, following in pairwise([*parts, ""]):
        if part in "]}":
            depth -= 1
        lines.append(part)
        if part in "[{":
            depth += 1
            empty = following in "]}"
            lines.append("" if empty else _line(depth))
        elif part == ",":
            lines.append(_line(depth))
        elif part == ":":
            lines.append(" ")
        elif following and following in "]}":
            lines.append(_line(depth - 1))
    return "".join(lines)


def _is_json(text: str) -> bool:
    try:
        json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return False
    return True


def _readable(part: str) -> str:
    if "\\" not in part:
        return part
    return json.dumps(replace_surrogates(json.loads(part)), ensure_ascii=False)


def _line(depth: int) -> str:
    return "\n" + "  " * min(depth, _MAX_INDENT)
