"""Compares the erasures file with the database, which may be a restored backup with erased threads in it, or know of
erasures that the file lacks. `replay` erases the copies again, `fill` completes the file."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from threading import Event
from typing import TypeVar
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from threads.archive.models import ArchivedThread
from threads.archive.store import tombstones
from threads.archive.user_ids import stored_user_id
from threads.lib.db import chunked
from threads.lib.ttl_cache import TTLCache
from threads.sources import upstream

from . import journal, journal_summary, user_threads
from .journal import EntryKind, JournalEntry, NewEntry
from .journal_summary import JournalSummary
from .models import Erasure, Target
from .runner import work, workable

_BATCH = 500

_warned: TTLCache[str] = TTLCache(30)
_agreed: TTLCache[bool] = TTLCache(24 * 3600)
"""Set while the whole file agreed with the database when this process last read it."""

AHEAD = (
    "The database is older than the erasures file: a backup was restored. {threads:,} erased threads may be back, and "
    "{orders:,} erasures are not known here."
)

ValueT = TypeVar("ValueT")


@dataclass(slots=True)
class JournalComparison:
    """How the file and the database differ.

    `threads` are erased according to the file, not to the database, each with its line. `orders` are erasures that the
    database does not know, each with its line about a user if it has one; `unfinished` are those of them that had not
    ended. `unwritten` counts threads that are erased according to the database and not to the file; `damaged` counts
    lines that can't be parsed."""

    lines: int = 0
    threads: dict[str, JournalEntry] = field(default_factory=dict)
    orders: dict[UUID, JournalEntry | None] = field(default_factory=dict)
    unfinished: list[UUID] = field(default_factory=list)
    unwritten: int = 0
    damaged: int = 0

    @property
    def is_ahead(self) -> bool:
        """Whether the file knows of erasures that the database does not: the database is an older copy."""
        return bool(self.threads or self.orders)


def compare(*, whole: bool = True) -> JournalComparison:
    """Compares the file with the database. Without `whole`, `unwritten` is 0: counting it reads every erased thread.
    Raises `JournalError`."""
    file = journal_summary.read()
    result = JournalComparison(lines=file.lines, damaged=file.damaged)
    takeable = set(
        workable(Erasure.objects.filter(finished_at=None, needs_confirmation=False)).values_list("pk", flat=True)
    )
    for batch in _batches(file.erased.values()):
        erased = tombstones.erased_ids({entry.thread for entry in batch})
        left = [entry for entry in batch if entry.thread not in erased]
        noted = _noted(file, left)
        for entry in left:
            # A running erasure writes a line just before the database knows of it, one at a time.
            is_begun = entry.erasure in takeable and entry.number == file.last[entry.erasure]
            if not is_begun and (entry.thread, entry.erasure) not in noted:
                result.threads[entry.thread] = entry
    known = _known(file)
    result.orders = {erasure: entry for erasure, entry in file.orders.items() if erasure not in known}
    result.unfinished = [erasure for erasure in result.orders if erasure not in file.ended]
    if whole:
        result.unwritten = sum(1 for _ in _unwritten(thread for thread, _ in file.erased))
    return result


def describe_problems(comparison: JournalComparison) -> list[tuple[str, str]]:
    """Pairs of sentences: a problem, and what to do about it. Empty where file and database agree."""
    problems = []
    if comparison.is_ahead:
        ahead = AHEAD.format(threads=len(comparison.threads), orders=len(comparison.orders))
        problems.append((ahead, "Run `manage.py erasures replay`."))
    if comparison.unwritten:
        lacking = f"The erasures file lacks {comparison.unwritten:,} erased threads"
        advice = "Put back the file that was lost, if there was one, then run `manage.py erasures fill`."
        problems.append((f"{lacking}: a restored backup would bring them back.", advice))
    if comparison.damaged:
        damaged = f"{comparison.damaged:,} lines of the erasures file can't be read."
        problems.append((damaged, "Put back a whole one from where it is kept."))
    return problems


def warning() -> str:
    """The warning for administrators on every page, "" for none: the database is older than the file, or the file can't
    be read. Checked at most twice a minute. Raises `DatabaseError`."""
    if settings.ERASURES_FILE is None:
        return ""
    text = _warned.get("now")
    if text is None:
        text = _warning()
        _warned.put("now", text)
    return text


def _warning() -> str:
    try:
        # The whole file is read once per process, and while it is ahead. Else its end is enough: a database that is
        # replaced while the desk runs is behind it.
        if _agreed.get("") and journal.last_in_file() <= journal.last_in_database():
            return ""
        comparison = compare(whole=False)
    except journal.JournalError as error:
        return f"{str(error).capitalize()}."
    if comparison.is_ahead:
        _agreed.clear()
        return " ".join(describe_problems(comparison)[0])
    _agreed.put("", True)
    return ""


def forget_warning() -> None:
    """Makes the next call of `warning` check again."""
    _warned.clear()
    _agreed.clear()


def replay(say: Callable[[str], None] = lambda _text: None) -> Erasure | None:
    """Erases the copies of threads that are erased according to the file, and of all threads that a user had when the
    user's erasure ended. Returns the erasure, None where there is nothing to do. Raises `JournalError` and
    `NotRecordedError`."""
    job = Erasure.objects.filter(kind=Erasure.Kind.REPLAY, finished_at=None).first()
    job = job or _order(compare(whole=False), say)
    if job is not None:
        work(job, upstream.client(), Event())
        job.refresh_from_db()
        forget_warning()
    return job


def fill() -> int:
    """Writes erased threads to the file that it lacks: from before there was a file, or after one was lost. Returns
    their number. Raises `JournalError`."""
    written = 0
    for batch in _batches(list(_unwritten(thread for thread, _ in journal_summary.read().erased))):
        last = journal.append(*(NewEntry(target.erasure_id, EntryKind.ERASE, target.thread_id) for target in batch))
        if last is None:
            return 0
        for number, target in enumerate(batch, last - len(batch) + 1):
            target.journal_line = number
        Target.objects.bulk_update(batch, ["journal_line"])
        written += len(batch)
    return written


def _order(comparison: JournalComparison, say: Callable[[str], None]) -> Erasure | None:
    if not comparison.is_ahead:
        return None
    targets = {thread_id: entry.number for thread_id, entry in comparison.threads.items()}
    of_users = {erasure: entry for erasure, entry in comparison.orders.items() if entry}
    by_hash = _users_by_hash(entry.user for entry in of_users.values())
    ended = [entry for erasure, entry in of_users.items() if erasure not in comparison.unfinished]
    again = [erasure for erasure in comparison.unfinished if erasure in of_users and of_users[erasure].user in by_hash]
    for thread_id, number in _of_users(ended, by_hash):
        targets.setdefault(thread_id, number)
    users = dict(ArchivedThread.objects.filter(thread_id__in=targets).values_list("thread_id", "user"))
    say(f"{len(targets):,} threads, of which {len(users):,} have copies here, by {len(comparison.orders):,} erasures.")
    return Erasure.order(
        Erasure.Kind.REPLAY,
        f"replay {timezone.now().isoformat()}",
        (
            Target(thread_id=thread_id, user_id=stored_user_id(users.get(thread_id) or ""), journal_line=number)
            for thread_id, number in targets.items()
        ),
        detail={"orders": len(comparison.orders)},
        rule={
            "orders": [str(erasure) for erasure in comparison.orders],
            "unfinished": [str(erasure) for erasure in comparison.unfinished],
            "users": {str(erasure): quote(by_hash[of_users[erasure].user], safe="") for erasure in again},
        },
        listed_at=timezone.now(),
        total=len(targets),
    )


def _batches(values: Iterable[ValueT]) -> Iterator[list[ValueT]]:
    left = iter(values)
    while batch := list(islice(left, _BATCH)):
        yield batch


def _noted(file: JournalSummary, entries: Iterable[JournalEntry]) -> set[tuple[str, UUID]]:
    """The lines whose outcome the database knows: the thread was not erased, or it is open whether it was. The latter
    not where the erasure has ended according to the file."""
    lines = {(entry.thread, entry.erasure): entry.number for entry in entries}
    threads = [thread for thread, _ in lines]
    rows = Target.objects.filter(thread_id__in=threads, journal_line__isnull=False).exclude(state__in=Target.CLEAN)
    found = set()
    for thread, erasure, state, line in rows.values_list("thread_id", "erasure_id", "state", "journal_line"):
        is_over = state in Target.OPEN and file.ended.get(erasure, 0) > (line or 0)
        if (line or 0) >= lines.get((thread, erasure), math.inf) and not is_over:
            found.add((thread, erasure))
    return found


def _known(file: JournalSummary) -> set[UUID]:
    """The erasures that this database knows: its own, and those that were replayed on it. One that ended according to
    the file and not to the database goes on here; where the settings don't allow that, it is not known."""
    known: set[UUID] = set()
    for batch in _batches(file.orders):
        known |= set(Erasure.objects.filter(pk__in=batch).values_list("pk", flat=True))
    left = Erasure.objects.filter(finished_at=None)
    known -= file.ended.keys() & set(left.exclude(pk__in=workable(left)).values_list("pk", flat=True))
    replayed = Erasure.objects.filter(kind=Erasure.Kind.REPLAY, finished_at__isnull=False)
    for rule in replayed.values_list("rule", flat=True):
        known |= {UUID(each) for each in rule["orders"]}
    return known


def _unwritten(erased: Iterable[str]) -> Iterator[Target]:
    """One target for each thread that the database has erased and that is not in `erased`."""
    seen = set(erased)
    clean = Target.objects.filter(state__in=Target.CLEAN).only("id", "erasure_id", "thread_id", "journal_line")
    for target in chunked(clean, 1000):
        if target.thread_id not in seen:
            seen.add(target.thread_id)
            yield target


def _users_by_hash(hashes: Iterable[str]) -> dict[str, str]:
    """The users with archived threads, by their hashes, for these hashes."""
    wanted = set(hashes)
    if not wanted:
        return {}
    return {key: user for user, key in journal.user_hashes(user_threads.archived_users()) if key in wanted}


def _of_users(entries: Iterable[JournalEntry], users: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """The archived threads of users whose erasure is in the file, each with the number of that line, except threads
    that began later. A backup may hold a copy that the erasure did not know: by then OpenAI and the archive had lost
    it. `users` maps hashes to user ids."""
    for key, entry in {entry.user: entry for entry in entries if entry.user in users}.items():
        for rows in user_threads.archived_threads(users[key]):
            for row in rows:
                if row.id and _is_before(row.created_at, entry.at):
                    yield row.id, entry.number


def _is_before(created_at: datetime | None, order: datetime) -> bool:
    return created_at is None or created_at <= order
