"""The upstream's own objects as JSON again, for a file, a database or a reader."""

from __future__ import annotations

import json
import math

from .values import clean


def dumped(value: object, *, compact: bool = False) -> str:
    """`value` as JSON that every reader takes: no lone surrogate but as an escape, and what is no number of JSON's
    (NaN, the infinities, digits without end) as text that says so."""
    separators = (",", ":") if compact else None
    try:
        text = json.dumps(value, ensure_ascii=False, separators=separators, allow_nan=False)
    except (ValueError, TypeError):
        text = json.dumps(_numbered(value), ensure_ascii=False, separators=separators)
    return text if clean(text) is text else json.dumps(_numbered(value), separators=separators)


def _numbered(value: object) -> object:
    if isinstance(value, dict):
        return {name: _numbered(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_numbered(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, str | int | float | bool) else "a number without end"
