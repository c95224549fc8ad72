"""Serialises decoded API objects to JSON again, for a file, the database or a page."""

from __future__ import annotations

import json
import math

from .values import replace_surrogates


def to_json(value: object, *, compact: bool = False) -> str:
    """`value` as strict JSON that encodes as UTF-8. Lone surrogates are escaped; NaN, infinities and numbers that are
    too long to parse become strings."""
    separators = (",", ":") if compact else None
    try:
        text = json.dumps(value, ensure_ascii=False, separators=separators, allow_nan=False)
    except (ValueError, TypeError):
        text = json.dumps(_strict(value), ensure_ascii=False, separators=separators)
    return text if replace_surrogates(text) is text else json.dumps(_strict(value), separators=separators)


def _strict(value: object) -> object:
    if isinstance(value, dict):
        return {name: _strict(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_strict(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, str | int | float | bool) else "a number without end"
