"""Query strings of URLs."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode


def encode_query(values: Mapping[str, object]) -> str:
    """The values other than None as a query string, in their order."""
    return urlencode({name: value for name, value in values.items() if value is not None})
