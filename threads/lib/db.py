"""Helpers for database connections and for large result sets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from django.db import connections

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet

ModelT = TypeVar("ModelT", bound="Model")


def chunked(rows: QuerySet[ModelT], size: int, by: str = "pk") -> Iterator[ModelT]:
    """All `rows`, ordered by the unique field `by`, read with one query per `size` rows (keyset pagination).

    `QuerySet.iterator()` needs a server-side cursor, which a connection pooler breaks: each transaction may get another
    connection.
    """
    more = rows = rows.order_by(by)
    while True:
        chunk = list(more[:size])
        yield from chunk
        if len(chunk) < size:
            return
        more = rows.filter(**{f"{by}__gt": getattr(chunk[-1], by)})


def release_connections() -> None:
    """Returns this thread's pooled connections to their pool, except within a transaction."""
    for connection in connections.all(initialized_only=True):
        if "pool" in connection.settings_dict["OPTIONS"] and not connection.in_atomic_block:
            connection.close()


def is_closed(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server has closed an idle connection. Does not block."""
    try:
        # The first call may read the server's last message, and only the second one the end of the stream.
        for _ in range(2):
            connection.pgconn.consume_input()
    except psycopg.Error:
        return True
    return connection.closed
