"""What a page may ask for."""

from __future__ import annotations

from . import upstream
from .query import ThreadQuery
from .sources import LiveSource, ThreadSource, Window


def list_threads(query: ThreadQuery) -> Window:
    """One page of threads. Raises `ChatKitError`."""
    return _source().list_threads(query)


def _source() -> ThreadSource:
    return LiveSource(upstream.client())
