"""Compares the erasures file with the database: whether a restored backup has brought erased threads back, and which
erasures the file lacks. Erases the copies again, and completes the file."""

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
from django.db import transaction
from django.utils import timezone

from threads.archive.models import ArchivedThread
from threads.archive.store import tombstones
from threads.archive.user_ids import column
from threads.audit.record import Action, Outcome, must
from threads.lib.db import chunked
from threads.lib.ttl_cache import Remembered
from threads.sources import upstream

from . import journal, journal_summary
from . import targets as gather
from .journal import Entry, Note, What
from .journal_summary import Told
from .models import Erasure, Target
from .runner import work, workable

_BATCH = 500

_warned: Remembered[str] = Remembered(30)
_agreed: Remembered[bool] = Remembered(24 * 3600)
"""Whether the whole file agreed with the database when this process last read it."""

AHEAD = (
    "The database is older than the erasures file: a backup was restored. {threads:,} erased threads may be back, and "
    "{orders:,} erasures are not known here."
)

ValueT = TypeVar("ValueT")


@dataclass(slots=True)
class Standing:
    """`threads` were erased by the file and not by this database, each with its line; `orders` are erasures that this
    database does not know, each with its line about a user where it has one, and `unfinished` those of them that had
    not ended. `unwritten` threads were erased by this database and not by the file, and `damaged` lines can't be
    read."""

    lines: int = 0
    threads: dict[str, Entry] = field(default_factory=dict)
    orders: dict[UUID, Entry | None] = field(default_factory=dict)
    unfinished: list[UUID] = field(default_factory=list)
    unwritten: int = 0
    damaged: int = 0

    @property
    def is_ahead(self) -> bool:
        """Whether the file knows of erasures that this database does not: it is an older copy."""
        return bool(self.threads or self.orders)


def standing(*, whole: bool = True) -> Standing:
    """How the file and the database compare. Without `whole`, `unwritten` is left out, which takes a look at each
    erased thread. Raises `JournalError`."""
    file = journal_summary.read()
    found = Standing(lines=file.lines, damaged=file.damaged)
    takeable = set(workable(Erasure.objects.filter(ended_at=None, awaits=False)).values_list("pk", flat=True))
    for some in _some(file.erased.values()):
        gone = tombstones.known({entry.thread for entry in some})
        left = [entry for entry in some if entry.thread not in gone]
        noted = _noted(file, left)
        for entry in left:
            # Written a moment before the database knows of it; one at a time by each erasure.
            is_begun = entry.erasure in takeable and entry.number == file.last[entry.erasure]
            if not is_begun and (entry.thread, entry.erasure) not in noted:
                found.threads[entry.thread] = entry
    known = _known(file)
    found.orders = {erasure: entry for erasure, entry in file.orders.items() if erasure not in known}
    found.unfinished = [each for each in found.orders if each not in file.ended]
    if whole:
        found.unwritten = sum(1 for _ in _unwritten(thread for thread, _ in file.erased))
    return found


def described(found: Standing) -> list[tuple[str, str]]:
    """What is wrong, and what to do about it, in sentences; nothing where the two agree."""
    said = []
    if found.is_ahead:
        said.append(
            (AHEAD.format(threads=len(found.threads), orders=len(found.orders)), "Run `manage.py erasures replay`.")
        )
    if found.unwritten:
        said.append(
            (
                f"The erasures file lacks {found.unwritten:,} erased threads: a restored backup would bring them back.",
                "Put back the file that was lost, if there was one, then run `manage.py erasures fill`.",
            )
        )
    if found.damaged:
        said.append(
            (
                f"{found.damaged:,} lines of the erasures file can't be read.",
                "Put back a whole one from where it is kept.",
            )
        )
    return said


def warning() -> str:
    """What administrators are told on every page: that the database is older than the file, or that the file can't be
    read. "" where all is well. Looked up at most twice a minute. Raises `DatabaseError`."""
    if settings.ERASURES_FILE is None:
        return ""
    said = _warned.get("now")
    if said is None:
        said = _warning()
        _warned.put("now", said)
    return said


def _warning() -> str:
    try:
        # The whole file is read once in each process, and while it is ahead: else its end is enough, since a database
        # that is replaced while the desk runs is behind it.
        if _agreed.get("") and journal.last_in_file() <= journal.last_in_database():
            return ""
        found = standing(whole=False)
    except journal.JournalError as error:
        return f"{str(error).capitalize()}."
    if found.is_ahead:
        _agreed.clear()
        return " ".join(described(found)[0])
    _agreed.put("", True)
    return ""


def forget_warning() -> None:
    """It is looked up anew."""
    _warned.clear()
    _agreed.clear()


def replay(say: Callable[[str], None] = lambda _text: None) -> Erasure | None:
    """Erases the copies of what the file says was erased, and of all threads that a user whose erasure had ended had by
    then. Returns the erasure, None where there is nothing to do. Raises `JournalError` and `NotRecordedError`."""
    job = Erasure.objects.filter(kind=Erasure.Kind.REPLAY, ended_at=None).first()
    job = job or _ordered(standing(whole=False), say)
    if job is not None:
        work(job, upstream.client(), Event())
        job.refresh_from_db()
        forget_warning()
    return job


def fill() -> int:
    """Writes to the file the threads that this database has erased and the file does not know of: from before there was
    a file, or of one that was lost. Returns how many. Raises `JournalError`."""
    written = 0
    for some in _some(list(_unwritten(thread for thread, _ in journal_summary.read().erased))):
        last = journal.append(*(Note(each.erasure_id, What.ERASE, each.thread_id) for each in some))
        if last is None:
            return 0
        for number, each in enumerate(some, last - len(some) + 1):
            each.line = number
        Target.objects.bulk_update(some, ["line"])
        written += len(some)
    return written


def _ordered(found: Standing, say: Callable[[str], None]) -> Erasure | None:
    if not found.is_ahead:
        return None
    targets = {each: entry.number for each, entry in found.threads.items()}
    of_users = {erasure: entry for erasure, entry in found.orders.items() if entry}
    whose = _whose(entry.user for entry in of_users.values())
    ended = [entry for erasure, entry in of_users.items() if erasure not in found.unfinished]
    again = [erasure for erasure in found.unfinished if erasure in of_users and of_users[erasure].user in whose]
    for thread_id, number in _of_users(ended, whose):
        targets.setdefault(thread_id, number)
    users = dict(ArchivedThread.objects.filter(thread_id__in=targets).values_list("thread_id", "user"))
    say(f"{len(targets):,} threads, of which {len(users):,} have copies here, by {len(found.orders):,} erasures.")
    with transaction.atomic():
        job = Erasure.asked(
            kind=Erasure.Kind.REPLAY,
            token=f"replay {timezone.now().isoformat()}",
            rule={
                "orders": [str(each) for each in found.orders],
                "unfinished": [str(each) for each in found.unfinished],
                "users": {str(each): quote(whose[of_users[each].user], safe="") for each in again},
            },
            listed_at=timezone.now(),
            total=len(targets),
        )
        Target.objects.bulk_create(
            [
                Target(erasure=job, thread_id=each, customer=column(users.get(each) or ""), line=number)
                for each, number in targets.items()
            ],
            batch_size=_BATCH,
        )
        detail = {"erasure": str(job.pk), "kind": job.kind, "threads": job.total, "orders": len(found.orders)}
        must(Action.ERASURE, Outcome.INTENT, detail=detail, upstream_request_id="")
    return job


def _some(values: Iterable[ValueT]) -> Iterator[list[ValueT]]:
    """The values, so many at a time."""
    left = iter(values)
    while batch := list(islice(left, _BATCH)):
        yield batch


def _noted(file: Told, entries: Iterable[Entry]) -> set[tuple[str, UUID]]:
    """Those lines of which this database knows what came of them: the thread was not erased, or nobody can say yet. The
    latter not where the erasure has ended since by the file."""
    lines = {(entry.thread, entry.erasure): entry.number for entry in entries}
    threads = [thread for thread, _ in lines]
    rows = Target.objects.filter(thread_id__in=threads, line__isnull=False).exclude(state__in=Target.CLEAN)
    found = set()
    for thread, erasure, state, line in rows.values_list("thread_id", "erasure_id", "state", "line"):
        is_over = state in Target.OPEN and file.ended.get(erasure, 0) > (line or 0)
        if (line or 0) >= lines.get((thread, erasure), math.inf) and not is_over:
            found.add((thread, erasure))
    return found


def _known(file: Told) -> set[UUID]:
    """The erasures that this database knows: its own, and those that were replayed on it. One that has ended by the
    file and not here is gone on with; where that can't be, it is not known."""
    known: set[UUID] = set()
    for some in _some(file.orders):
        known |= set(Erasure.objects.filter(pk__in=some).values_list("pk", flat=True))
    left = Erasure.objects.filter(ended_at=None)
    known -= file.ended.keys() & set(left.exclude(pk__in=workable(left)).values_list("pk", flat=True))
    replayed = Erasure.objects.filter(kind=Erasure.Kind.REPLAY, ended_at__isnull=False)
    for rule in replayed.values_list("rule", flat=True):
        known |= {UUID(each) for each in rule["orders"]}
    return known


def _unwritten(erased: Iterable[str]) -> Iterator[Target]:
    """One target for each thread that this database has erased, and that is not among `erased`."""
    seen = set(erased)
    clean = Target.objects.filter(state__in=Target.CLEAN).only("id", "erasure_id", "thread_id", "line")
    for target in chunked(clean, 1000):
        if target.thread_id not in seen:
            seen.add(target.thread_id)
            yield target


def _whose(hashes: Iterable[str]) -> dict[str, str]:
    """By these hashes, the users who have threads here."""
    wanted = set(hashes)
    return {key: user for user, key in journal.hashed(gather.users()) if key in wanted} if wanted else {}


def _of_users(entries: Iterable[Entry], users: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """The kept threads of users whose erasure the file knows of, each with the number of that line, but for those that
    have begun since: a copy may be in a backup of which the erasure knew nothing any more, since OpenAI and the archive
    had lost it by then. `users` are by their hashes."""
    for key, entry in {entry.user: entry for entry in entries if entry.user in users}.items():
        for rows in gather.kept(users[key]):
            for row in rows:
                if row.id and _is_before(row.created_at, entry.at):
                    yield row.id, entry.number


def _is_before(created_at: datetime | None, order: datetime) -> bool:
    return created_at is None or created_at <= order
