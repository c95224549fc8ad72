"""When a lease is over: told by the database's clock, the one clock that all processes share."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from . import lease_holder


def end(length: timedelta) -> Combinable:
    """When a lease ends that is taken or renewed in this statement."""
    return Now() + length


def free(rows: QuerySet[Any], longest: timedelta) -> Q:
    """The condition for those of the rows, which have a `holder` and an `until`, whose lease nobody holds any more: its
    time is over, or its holder was a process of this machine that runs no more. `longest` is the length of the longest
    lease that any process takes, whatever its settings are."""
    over = _over(longest)
    held = set(rows.exclude(holder="").values_list("holder", flat=True))
    found = Q(holder__in=[each for each in held if lease_holder.is_dead(each)])
    # SQLite's clock is that of its machine: a lease that was taken before somebody set it must be over by both.
    steps = {each: lease_holder.clock_set_by(each) for each in held} if connection.vendor == "sqlite" else {}
    stepped = {each: step for each, step in steps.items() if abs(step) >= timedelta(seconds=2)}
    for each, step in stepped.items():
        found |= Q(holder=each) & over & _over(longest, step)
    return found | (over & ~Q(holder__in=list(stepped)) if stepped else over)


def _over(longest: timedelta, step: timedelta = timedelta()) -> Q:
    now = Now() - step if step else Now()
    # One that ends later than a lease from now was taken before the clock was put back.
    return Q(until=None) | Q(until__lte=now) | Q(until__gt=now + 2 * longest)
