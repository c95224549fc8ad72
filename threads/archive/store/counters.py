"""Denormalised counters of threads by state, user, reason and time, updated with each write, so that no page counts."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import connection
from django.db.models import F

from threads.archive import user_ids
from threads.archive.models import ArchivedThread, ArchivedUser, Day, Reason, ThreadState

QUARTER_SECONDS, DAY_SECONDS = 900, 86_400
"""Seconds of a quarter of an hour and of a day."""

CounterKeys = tuple[int | None, int | None, int | None, int | None]
"""The counters of a thread: primary keys of its state, user and reason, and its quarter of an hour since 1970."""


def counter_keys(thread: ArchivedThread) -> CounterKeys | None:
    """The counters that a thread is counted in; None where it was never counted."""
    if thread.state_id is None:
        return None
    return thread.state_id, thread.archived_user_id, thread.cause_id, _quarter(thread.created_at)


def set_keys(threads: Sequence[ArchivedThread]) -> None:
    """Sets the foreign keys `state`, `archived_user` and `cause` of each thread from its columns. The caller saves."""
    people = _user_keys({each.user for each in threads if each.user is not None})
    causes = _reason_keys({each.reason for each in threads if each.reason})
    states = _state_keys({(each.status or "", bool(each.reason)) for each in threads})
    for each in threads:
        each.archived_user_id = people[each.user] if each.user is not None else None
        each.cause_id = causes[digest(each.reason)] if each.reason else None
        each.state_id = states[each.status or "", bool(each.reason)]


def update_counts(before: Iterable[CounterKeys], after: Iterable[CounterKeys]) -> None:
    """Updates the counters of threads whose counters change from `before` to `after`."""
    change = Counter(after)
    change.subtract(Counter(before))
    states, people, causes = Counter[int](), Counter[int](), Counter[int]()
    tallies: Counter[tuple[int, int]] = Counter()
    for (state, person, cause, quarter), number in change.items():
        for sums, key in ((states, state), (people, person), (causes, cause)):
            if key is not None:
                sums[key] += number
        if quarter is not None and state is not None:
            tallies[quarter, state] += number
    for key, number in states.items():
        ThreadState.objects.filter(pk=key).update(threads=F("threads") + number)
    more = [(*key, number) for key, number in sorted(tallies.items()) if number > 0]
    less = [(number, *key) for key, number in sorted(tallies.items()) if number < 0]
    with connection.cursor() as cursor:
        for statement, rows in (
            (_ADD_TO_USER, [(number, key) for key, number in sorted(people.items()) if number]),
            (_ADD_TO_REASON, [(number, key) for key, number in sorted(causes.items()) if number]),
            (_INCREASE_TALLY, more),
            (_DECREASE_TALLY, less),
        ):
            if rows:
                cursor.executemany(statement, rows)


def extend_days(threads: Iterable[ArchivedThread]) -> None:
    """Widens the number ranges in `Day` to include these threads, which must have numbers."""
    ends: dict[int, tuple[int, int]] = {}
    for each in threads:
        if each.created_at is not None:
            day = int(each.created_at.timestamp() // DAY_SECONDS)
            first, last = ends.get(day, (each.number, each.number))
            ends[day] = min(first, each.number), max(last, each.number)
    known = Day.objects.in_bulk(list(ends))
    for day, (first, last) in ends.items():
        there = known.get(day)
        if there is None:
            Day.objects.create(day=day, first=first, last=last)
        elif first < there.first or last > there.last:
            Day.objects.filter(day=day).update(first=min(first, there.first), last=max(last, there.last))


def digest(text: str) -> str:
    """The SHA-256 of a text in hex, the key of `Reason`."""
    return hashlib.sha256(text.encode()).hexdigest()


def _quarter(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() // QUARTER_SECONDS)


def _user_keys(names: set[str]) -> dict[str, int]:
    known = dict(ArchivedUser.objects.filter(user_id__in=names).values_list("user_id", "pk"))
    if new := sorted(names - known.keys()):
        # Another process may be inserting the same names.
        ArchivedUser.objects.bulk_create(
            [ArchivedUser(user_id=each, folded=user_ids.folded_user_id(each)) for each in new], ignore_conflicts=True
        )
        known |= dict(ArchivedUser.objects.filter(user_id__in=new).values_list("user_id", "pk"))
    return known


def _reason_keys(texts: set[str]) -> dict[str, int]:
    wanted = {digest(text): text for text in texts}
    known = dict(Reason.objects.filter(digest__in=wanted).values_list("digest", "pk"))
    if new := sorted(wanted.keys() - known.keys()):
        Reason.objects.bulk_create([Reason(digest=each, text=wanted[each]) for each in new], ignore_conflicts=True)
        known |= dict(Reason.objects.filter(digest__in=new).values_list("digest", "pk"))
    return known


def _state_keys(wanted: set[tuple[str, bool]]) -> dict[tuple[str, bool], int]:
    known = {(each.status, each.has_reason): each.pk for each in ThreadState.objects.all()}
    for status, has_reason in sorted(wanted - known.keys()):
        known[status, has_reason] = ThreadState.objects.create(status=status, has_reason=has_reason).pk
    return known


# Raw SQL, since the ORM has no executemany for updates and upserts.
_ADD_TO_USER = "UPDATE archive_archiveduser SET threads = threads + %s WHERE id = %s"
_ADD_TO_REASON = "UPDATE archive_reason SET threads = threads + %s WHERE id = %s"
_INCREASE_TALLY = """INSERT INTO archive_quartercount (quarter, state_id, threads) VALUES (%s, %s, %s)
ON CONFLICT (quarter, state_id) DO UPDATE SET threads = archive_quartercount.threads + excluded.threads"""
_DECREASE_TALLY = "UPDATE archive_quartercount SET threads = threads + %s WHERE quarter = %s AND state_id = %s"
