"""Query strings of addresses."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode


def encoded(values: Mapping[str, object]) -> str:
    """Those that are not None, percent-encoded, in their order."""
    return urlencode({name: value for name, value in values.items() if value is not None})
