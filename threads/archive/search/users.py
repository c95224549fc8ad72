"""Finds archived users by a part of their id, and suggests users while an id is typed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import BooleanField, Count, Max, Min, Q, QuerySet, Sum
from django.db.models.expressions import RawSQL

from threads.archive.models import ArchivedThread, ArchivedUser, ThreadState
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


def activity_period(name: str) -> tuple[datetime | None, datetime | None]:
    """The creation of the first thread of the user with exactly this id, and the last activity in any of them."""
    theirs = ArchivedThread.objects.filter(archived_user=find_user(name) or 0)
    found = theirs.aggregate(first=Min("created_at"), last=Max("last_activity_at"))
    return found["first"], found["last"]


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


@dataclass(frozen=True, slots=True)
class SuggestedUser:
    """A user to choose, with the number of their threads, and of those that are locked."""

    user_id: str
    threads: int
    locked: int


def only_user_with(typed: str) -> str | None:
    """The user id that contains this text, where exactly one user with threads has it."""
    wanted = folded_user_id(typed)
    if not wanted:
        return None
    having = ArchivedUser.objects.filter(threads__gt=0, folded__contains=wanted)
    found = list(having.values_list("user_id", flat=True)[:2])
    return found[0] if len(found) == 1 and is_exact(found[0]) else None


def suggest(typed: str, most: int = 10) -> list[SuggestedUser]:
    """Up to `most` users for a typed text: ids that start with it, then ids that contain it, each by number of
    threads."""
    found = _suggested(typed, most)
    locked_states = ThreadState.objects.filter(status="locked")
    threads = ArchivedThread.objects.filter(archived_user__in=found, state__in=list(locked_states))
    locked = dict(threads.values_list("archived_user").annotate(number=Count("number")))
    return [SuggestedUser(each.user_id, each.threads, locked.get(each.pk, 0)) for each in found]


def _suggested(typed: str, most: int) -> list[ArchivedUser]:
    wanted = folded_user_id(typed)
    if not wanted:
        return []
    busiest = ArchivedUser.objects.filter(threads__gt=0).order_by("-threads", "id")
    beginning = list(busiest.filter(Q(user_id__startswith=typed) | Q(folded__startswith=wanted))[:most])
    others = busiest.filter(folded__contains=wanted).exclude(pk__in=[each.pk for each in beginning])
    return beginning + list(others[: most - len(beginning)])
