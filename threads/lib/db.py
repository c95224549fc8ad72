"""Database connections and large result sets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from django.db import connections

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet

ModelT = TypeVar("ModelT", bound="Model")


def chunked(rows: QuerySet[ModelT], size: int, by: str = "pk") -> Iterator[ModelT]:
    """All `rows` in the order of the field `by`, in which no two are alike, with a query for each `size` of them.

    QuerySet.iterator() needs a cursor that lives in one connection, and behind a connection pooler each transaction
    may have another one.
    """
    more = rows = rows.order_by(by)
    while True:
        chunk = list(more[:size])
        yield from chunk
        if len(chunk) < size:
            return
        more = rows.filter(**{f"{by}__gt": getattr(chunk[-1], by)})


def give_back() -> None:
    """Gives connections to the database back to their pool."""
    for connection in connections.all(initialized_only=True):
        if "pool" in connection.settings_dict["OPTIONS"] and not connection.in_atomic_block:
            connection.close()


def is_closed(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server has closed an idle connection. Reads what has arrived, and waits for nothing."""
    try:
        # The first call may read the server's last words, and only the second one the end.
        for _ in range(2):
            connection.pgconn.consume_input()
    except psycopg.Error:
        return True
    return connection.closed
