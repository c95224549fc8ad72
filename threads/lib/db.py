"""Reads many rows of the database a few at a time, so that they need not all be in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from django.db.models import Model, QuerySet

ModelT = TypeVar("ModelT", bound=Model)


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
