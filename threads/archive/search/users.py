"""Users that were seen: found by a part of their id, and offered while one is typed."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection
from django.db.models import BooleanField, Q, QuerySet, Sum
from django.db.models.expressions import RawSQL

from threads.archive.models import ArchivedThread, Person
from threads.archive.user_ids import column, fold

MOST = 100
"""People who are looked up one by one; where more match, threads are gone through in order, and many of them match."""


FEW = 10_000
"""Threads that are gathered by their people and sorted; more of them lie so close that going in order meets them."""


@dataclass(frozen=True, slots=True)
class Matching:
    """People by their keys; `keys` is None where there are too many, who all have `part` in their folded names and have
    `threads` threads together."""

    keys: tuple[int, ...] | None
    part: str = ""
    threads: int = 0

    @property
    def nobody(self) -> bool:
        return self.keys == ()

    @property
    def few(self) -> bool:
        """Whether they have so few threads that going through all to find one of theirs would take longer."""
        return self.threads <= FEW

    def gathered(self, threads: QuerySet[ArchivedThread]) -> QuerySet[ArchivedThread]:
        """Those of the threads that are theirs, to be had by person and then put in order."""
        return threads.filter(_of_people("archive_archivedthread.person_id", self.part))

    def filtered(self, threads: QuerySet[ArchivedThread]) -> QuerySet[ArchivedThread]:
        """Those of the threads that are theirs, in a way that keeps the planner to the order of the threads."""
        return threads.filter(_of_people("(archive_archivedthread.person_id + 0)", self.part))


def _of_people(key: str, part: str) -> RawSQL:
    """Whether `key` is that of somebody with `part` in their folded name, to the letter: an id has signs in it that
    LIKE takes for any."""
    sql = f"{key} IN (SELECT id FROM archive_person WHERE folded LIKE %s ESCAPE '\\')"
    return RawSQL(sql, [f"%{connection.ops.prep_for_like_query(part)}%"], output_field=BooleanField())


def exactly(name: str) -> int | None:
    """The key of the person with exactly this name."""
    return Person.objects.filter(name=column(name)).values_list("pk", flat=True).first()


def matching(typed: str, *, part: bool) -> Matching:
    """Who is meant: one exactly, or all that have what was typed in their names."""
    if not part:
        found = exactly(typed)
        return Matching(() if found is None else (found,))
    wanted = fold(typed)
    if not wanted:
        return Matching(())
    having = Person.objects.filter(folded__contains=wanted)
    keys = tuple(having.values_list("pk", flat=True)[: MOST + 1])
    if len(keys) <= MOST:
        return Matching(keys, wanted)
    return Matching(None, wanted, having.aggregate(sum=Sum("threads"))["sum"])


def offered(typed: str, most: int = 10) -> list[Person]:
    """People to choose from while a name is typed: those whose names begin so, then those that have it in them, the
    busiest first."""
    wanted = fold(typed)
    if not wanted:
        return []
    busiest = Person.objects.filter(threads__gt=0).order_by("-threads", "id")
    beginning = list(busiest.filter(Q(name__startswith=typed) | Q(folded__startswith=wanted))[:most])
    others = busiest.filter(folded__contains=wanted).exclude(pk__in=[each.pk for each in beginning])
    return beginning + list(others[: most - len(beginning)])
