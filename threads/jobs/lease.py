"""Leases: one holder at a time, which renews its lease; another process takes over when the holder is dead.

Every function takes rows with the columns `holder` and `until`. Times are by the database's clock, the one clock that
all processes share.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from . import lease_holder


class LeaseLostError(Exception):
    """Another process has taken over the lease, or its row is gone: nothing more may be stored under it."""


def claim(rows: QuerySet[Any], length: timedelta, longest: timedelta) -> str | None:
    """Takes the lease of the one row if it is free. Returns the new holder id, None where another holds it. See `free`
    for `longest`."""
    holder = lease_holder.new_id()
    return holder if rows.filter(free(rows, longest)).update(holder=holder, until=end(length)) else None


def renew(rows: QuerySet[Any], holder: str, length: timedelta, **values: Any) -> None:
    """Extends the holder's lease and stores `values` in the same row. Raises `LeaseLostError`; so in one transaction
    with other writes, it keeps two processes from storing the same work."""
    if not rows.filter(holder=holder).update(until=end(length), **values):
        raise LeaseLostError


def release(rows: QuerySet[Any], holder: str) -> None:
    """Gives the lease up, so that another process can take it at once."""
    rows.filter(holder=holder).update(holder="", until=Now())


def end(length: timedelta) -> Combinable:
    """When a lease ends that this statement takes or renews."""
    return Now() + length


def age(rows: QuerySet[Any], length: timedelta) -> timedelta | None:
    """Time since the one row was last renewed for `length`; None where there is no row."""
    left = rows.values_list(Now() - F("until"), flat=True).first()
    return left + length if left is not None else None


def free(rows: QuerySet[Any], longest: timedelta) -> Q:
    """The condition for those of the rows whose lease is free: it was released, it has expired, or its holder was a
    process of this machine that no longer runs. `longest` is the longest lease that any process takes, whatever its
    settings."""
    expired = _expired(longest)
    holders = set(rows.exclude(holder="").values_list("holder", flat=True))
    released = Q(holder="") | Q(holder__in=[holder for holder in holders if lease_holder.is_dead(holder)])
    # SQLite's clock is that of its machine: a lease from before a clock change has to be expired by both clocks.
    steps = {holder: lease_holder.clock_step(holder) for holder in holders} if connection.vendor == "sqlite" else {}
    steps = {holder: step for holder, step in steps.items() if abs(step) >= timedelta(seconds=2)}
    for holder, step in steps.items():
        released |= Q(holder=holder) & expired & _expired(longest, step)
    return released | (expired & ~Q(holder__in=list(steps)) if steps else expired)


def _expired(longest: timedelta, step: timedelta = timedelta()) -> Q:
    now = Now() - step if step else Now()
    # A lease that ends too far ahead was taken before the clock was put back.
    return Q(until=None) | Q(until__lte=now) | Q(until__gt=now + 2 * longest)
