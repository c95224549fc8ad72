"""What an erasure would erase, looked up before anybody confirms it. Nothing here erases."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import UTC, datetime
from unicodedata import normalize

from django.core import signing
from markupsafe import escape

from threads.archive.models import ArchivedThread
from threads.archive.search.source import shown
from threads.chatkit import ChatKitError, NotFound, Retired, Thread
from threads.rendering.escape import exact
from threads.sources import upstream

from . import targets
from .models import Erasure

SALT, LIFE = "threads.erasure", 3600
"""What a preview is signed with, and for how many seconds it can be confirmed."""

SHOWN = 10
MOST = 900
"""Threads that can be chosen one by one: a form may have no more than a thousand fields."""

_PATIENCE = 5.0
"""Seconds that a page spends on asking the upstream, and on going through what is kept here."""

_AT_ONCE = 8


class StaleError(Exception):
    """What was sent is no preview of ours for this account, or one from too long ago."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`threads` are those that are known, oldest first; `ids` what was chosen by id, whether it is known or not;
    `only_here` how many the upstream has no more. `counted` is false where there was no time to walk the user's list to
    its end: then there are more. `unseen` were chosen and could not be looked at. `error` is why the upstream could not
    be asked."""

    kind: Erasure.Kind
    threads: tuple[Thread, ...]
    ids: tuple[str, ...] = ()
    user: str = ""
    only_here: int = 0
    counted: bool = True
    others: int = 0
    missing: int = 0
    unseen: int = 0
    error: ChatKitError | None = None

    @property
    def number(self) -> int:
        return len(self.threads) if self.user else len(self.ids)

    @property
    def phrase(self) -> str:
        """What is to be typed: the user's id, the one thread's, or how many threads there are."""
        if self.user:
            return self.user if _can_be_typed(self.user) else "erase all threads of this user"
        if len(self.ids) == 1:
            return self.ids[0] if _can_be_typed(self.ids[0]) else "erase 1 thread"
        return f"erase {len(self.ids)} threads"

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """When the first and the last of them began."""
        times = [each.created_at for each in self.threads if each.created_at]
        return (min(times), max(times)) if times else None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A preview that came back. `threads` are id, user and Unix seconds of each, the last two None where not known."""

    kind: Erasure.Kind
    token: str
    user: str
    phrase: str
    threads: tuple[tuple[str, str | None, float | None], ...]


def of_threads(ids: Sequence[str]) -> Plan:
    """A plan for threads chosen by their ids: what the archive knows of them, and the upstream where that knows not."""
    chosen = tuple(dict.fromkeys(ids))
    kept = {each.thread_id: each for each in ArchivedThread.objects.filter(thread_id__in=chosen)}
    known = {thread_id: shown(each) for thread_id, each in kept.items()}
    found = _Found(known, sum(each.gone_at is not None for each in kept.values()))
    # The upstream is asked even where all is known: whether it can delete at all is to be said before.
    wanted = [each for each in chosen if each not in known] or chosen[:1]
    _ask(wanted, found)
    copies = isinstance(found.error, Retired)
    return Plan(
        kind=Erasure.Kind.COPIES if copies else Erasure.Kind.THREADS,
        threads=_ordered(found.known.values()),
        ids=tuple(each for each in chosen if not copies or each in known),
        only_here=found.only_here,
        missing=len(found.missing - known.keys()),
        unseen=len(set(chosen) - found.known.keys() - found.missing),
        error=found.error,
    )


def of_user(user: str) -> Plan:
    """A plan for all threads of exactly this user: those that the upstream lists, and those that are kept here."""
    until = time.monotonic() + _PATIENCE
    live: dict[str, Thread] = {}
    walk, counted, error = targets.Walk(user), True, None
    try:
        for rows in walk.pages(upstream.client()):
            live |= {row.id: row for row in rows if row.id}
            if time.monotonic() > until:
                counted = False
                break
    except ChatKitError as failed:
        counted, error = False, failed
    until = time.monotonic() + _PATIENCE
    here: dict[str, Thread] = {}
    for rows in targets.kept(user):
        here |= {row.id: row for row in rows if row.id}
        if time.monotonic() > until:
            counted = False
            break
    return Plan(
        kind=Erasure.Kind.COPIES if isinstance(error, Retired) else Erasure.Kind.USER,
        threads=_ordered((here | live).values()),
        user=user,
        only_here=len(here.keys() - live.keys()) if counted else 0,
        counted=counted,
        others=walk.others,
        error=error,
    )


def signed(plan: Plan, account: str) -> str:
    """The plan as the form takes it along, for this account alone: whom it is about, and once."""
    by_id = {each.id: each for each in plan.threads}
    rows = [(each, by_id.get(each)) for each in plan.ids]
    return signing.dumps(
        {
            "kind": plan.kind.value,
            "token": secrets.token_hex(16),
            "user": plan.user,
            "phrase": plan.phrase,
            "account": account,
            "threads": [
                (thread_id, row.user if row else None, row.created_at.timestamp() if row and row.created_at else None)
                for thread_id, row in rows
            ],
        },
        salt=SALT,
        compress=True,
    )


def confirmed(text: str, account: str) -> Confirmed:
    """The plan that a form brought back. Raises `StaleError`."""
    try:
        sent = signing.loads(text, salt=SALT, max_age=LIFE)
    except signing.BadSignature as error:
        raise StaleError from error
    if sent["account"] != account:
        raise StaleError
    threads = tuple((thread_id, user, at) for thread_id, user, at in sent["threads"])
    return Confirmed(Erasure.Kind(sent["kind"]), sent["token"], sent["user"], sent["phrase"], threads)


@dataclass(slots=True)
class _Found:
    known: dict[str, Thread]
    only_here: int = 0
    missing: set[str] = field(default_factory=set)
    error: ChatKitError | None = None


def _ask(wanted: Sequence[str], found: _Found) -> None:
    """Asks for threads side by side, for as long as a page may take."""
    until = time.monotonic() + _PATIENCE
    client = upstream.client()

    def ask(thread_id: str) -> Thread | None:
        if time.monotonic() > until:
            return None
        return client.retrieve_thread(thread_id)

    gone = False
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for thread_id, outcome in _each(pool, ask, wanted):
            try:
                thread = outcome.result()
            except NotFound:
                gone = True
                found.missing.add(thread_id)
            except ChatKitError as error:
                found.error = error
            else:
                if thread is not None:
                    found.known[thread_id] = thread
    if gone and found.error is None:
        # An endpoint that is no more answers just so.
        try:
            client.list_threads(limit=1)
        except ChatKitError as error:
            found.error = error


def _each(
    pool: ThreadPoolExecutor, ask: Callable[[str], Thread | None], wanted: Sequence[str]
) -> Iterator[tuple[str, Future[Thread | None]]]:
    asked = {pool.submit(copy_context().run, ask, each): each for each in wanted}
    for outcome in as_completed(asked):
        yield asked[outcome], outcome


def _ordered(threads: Iterable[Thread]) -> tuple[Thread, ...]:
    """Oldest first; those of which nobody knows when they began come last."""
    latest = datetime.max.replace(tzinfo=UTC)
    return tuple(sorted(threads, key=lambda each: (each.created_at or latest, each.id or "")))


def is_typed(typed: str, phrase: str) -> bool:
    """Whether somebody has typed the phrase. A keyboard may write the same letter in another way than an id does."""
    return normalize("NFC", typed.strip()) == normalize("NFC", phrase)


def _can_be_typed(text: str) -> bool:
    """Whether a person can type it as it is: no character that a field drops, or that nobody sees for what it is."""
    return bool(text) and text.isprintable() and exact(text) == escape(text)
