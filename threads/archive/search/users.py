"""Finds archived users by a part of their id, and suggests users while an id is typed."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection
from django.db.models import BooleanField, Q, QuerySet, Sum
from django.db.models.expressions import RawSQL

from threads.archive.models import ArchivedThread, ArchivedUser
from threads.archive.user_ids import folded_user_id, is_exact, stored_user_id

MAX_LOOKUPS = 100
"""Users up to which threads are looked up per user. Where more match, scanning threads in order soon finds some."""

FEW = 10_000
"""Threads up to which the threads of many users are collected and sorted. More of them are found sooner in order."""


@dataclass(frozen=True, slots=True)
class UserMatches:
    """The users that match a filter, by primary key. `keys` is None for more than `MAX_LOOKUPS` users: those with
    `part` in their folded ids, with `threads` threads in total."""

    keys: tuple[int, ...] | None
    part: str = ""
    threads: int = 0

    @property
    def nobody(self) -> bool:
        """Whether no user matches."""
        return self.keys == ()

    @property
    def few(self) -> bool:
        """Whether they have so few threads that scanning all threads in order would take longer."""
        return self.threads <= FEW

    def gathered(self, threads: QuerySet[ArchivedThread]) -> QuerySet[ArchivedThread]:
        """The threads of these users, for a query that reads them by user and then sorts."""
        return threads.filter(_of_users("archive_archivedthread.archived_user_id", self.part))

    def filtered(self, threads: QuerySet[ArchivedThread]) -> QuerySet[ArchivedThread]:
        """The threads of these users, for a query that scans threads in order. The `+ 0` keeps the planner to that."""
        return threads.filter(_of_users("(archive_archivedthread.archived_user_id + 0)", self.part))


def _of_users(key: str, part: str) -> RawSQL:
    """SQL condition: `key` belongs to a user with `part` in the folded id. Wildcards in `part` are escaped."""
    sql = f"{key} IN (SELECT id FROM archive_archiveduser WHERE folded LIKE %s ESCAPE '\\')"
    return RawSQL(sql, [f"%{connection.ops.prep_for_like_query(part)}%"], output_field=BooleanField())


def find_user(name: str) -> int | None:
    """The primary key of the user with exactly this id; None where there is none."""
    return ArchivedUser.objects.filter(user_id=stored_user_id(name)).values_list("pk", flat=True).first()


def find_users(typed: str, *, part: bool) -> UserMatches:
    """The users that match: with exactly this id, or with `part` all that contain it."""
    if not part:
        found = find_user(typed)
        return UserMatches(() if found is None else (found,))
    wanted = folded_user_id(typed)
    if not wanted:
        return UserMatches(())
    having = ArchivedUser.objects.filter(folded__contains=wanted)
    keys = tuple(having.values_list("pk", flat=True)[: MAX_LOOKUPS + 1])
    if len(keys) <= MAX_LOOKUPS:
        return UserMatches(keys, wanted)
    return UserMatches(None, wanted, having.aggregate(sum=Sum("threads"))["sum"])


def only_user_with(typed: str) -> str | None:
    """The user id that contains this text, where exactly one user with threads has it."""
    wanted = folded_user_id(typed)
    if not wanted:
        return None
    having = ArchivedUser.objects.filter(threads__gt=0, folded__contains=wanted)
    found = list(having.values_list("user_id", flat=True)[:2])
    return found[0] if len(found) == 1 and is_exact(found[0]) else None


def suggest(typed: str, most: int = 10) -> list[ArchivedUser]:
    """Up to `most` users for a typed text: ids that start with it, then ids that contain it, each by number of
    threads."""
    wanted = folded_user_id(typed)
    if not wanted:
        return []
    busiest = ArchivedUser.objects.filter(threads__gt=0).order_by("-threads", "id")
    beginning = list(busiest.filter(Q(user_id__startswith=typed) | Q(folded__startswith=wanted))[:most])
    others = busiest.filter(folded__contains=wanted).exclude(pk__in=[each.pk for each in beginning])
    return beginning + list(others[: most - len(beginning)])
