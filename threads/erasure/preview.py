"""Erasure preview: what an erasure would erase, looked up before an account confirms it."""

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
from threads.archive.search.source import to_thread
from threads.chatkit import ChatKitError, NotFound, Retired, Thread
from threads.rendering.escape import exact
from threads.sources import upstream

from . import user_threads
from .models import Erasure

_SALT = "threads.erasure"

_VALID_SECONDS = 3600
"""How long a preview can be confirmed."""

PREVIEW_ROWS = 10
"""Threads that a preview lists."""

MAX_THREADS = 900
"""Threads that can be chosen one by one: a form may have no more than a thousand fields."""

_BUDGET_SECONDS = 5.0
"""Time for the upstream's answers, and for reading the archive."""

_PARALLEL_CALLS = 8


class StalePreviewError(Exception):
    """The form holds no valid preview for this account, or an expired one."""


@dataclass(frozen=True, slots=True)
class Preview:
    """The threads that an erasure would erase.

    `threads` are the known ones, oldest first; `ids` all that were chosen by id. `only_here` counts archived threads
    that are deleted upstream, `others` rows of the list that are not surely this user's, `missing` chosen ids that do
    not exist, `unseen` chosen ids that could not be looked up. `counted` is false where there was no time to read all
    of the user's list. `error` is why the upstream gave no answer."""

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
        """The text to type as confirmation: the user's id, the one thread's id, or the number of threads."""
        if self.user:
            return self.user if _can_be_typed(self.user) else "erase all threads of this customer"
        if len(self.ids) == 1:
            return self.ids[0] if _can_be_typed(self.ids[0]) else "erase 1 thread"
        return f"erase {len(self.ids)} threads"

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """When the first and the last of them were created; None where that is not known."""
        times = [each.created_at for each in self.threads if each.created_at]
        return (min(times), max(times)) if times else None


@dataclass(frozen=True, slots=True)
class ConfirmedPreview:
    """A preview that an account confirmed. `threads` are (id, user id, creation in Unix seconds), the last two None
    where not known."""

    kind: Erasure.Kind
    token: str
    user: str
    phrase: str
    threads: tuple[tuple[str, str | None, float | None], ...]


def of_threads(ids: Sequence[str]) -> Preview:
    """A preview for threads chosen by id, from the archive, and from the upstream where the archive has none."""
    chosen = tuple(dict.fromkeys(ids))
    kept = {each.thread_id: each for each in ArchivedThread.objects.filter(thread_id__in=chosen)}
    known = {thread_id: to_thread(each) for thread_id, each in kept.items()}
    found = _Found(known, sum(each.deleted_upstream_at is not None for each in kept.values()))
    # Asks the upstream at least once, to know beforehand whether it can delete at all.
    wanted = [each for each in chosen if each not in known] or chosen[:1]
    _ask(wanted, found)
    copies = isinstance(found.error, Retired)
    return Preview(
        kind=Erasure.Kind.COPIES if copies else Erasure.Kind.THREADS,
        threads=_ordered(found.known.values()),
        ids=tuple(each for each in chosen if not copies or each in known),
        only_here=found.only_here,
        missing=len(found.missing - known.keys()),
        unseen=len(set(chosen) - found.known.keys() - found.missing),
        error=found.error,
    )


def of_user(user: str) -> Preview:
    """A preview for all threads of exactly this user, from the upstream's list and the archive."""
    until = time.monotonic() + _BUDGET_SECONDS
    live: dict[str, Thread] = {}
    listing, counted, error = user_threads.UserListing(user), True, None
    try:
        for rows in listing.pages(upstream.client()):
            live |= {row.id: row for row in rows if row.id}
            if time.monotonic() > until:
                counted = False
                break
    except ChatKitError as failed:
        counted, error = False, failed
    until = time.monotonic() + _BUDGET_SECONDS
    here: dict[str, Thread] = {}
    for rows in user_threads.archived_threads(user):
        here |= {row.id: row for row in rows if row.id}
        if time.monotonic() > until:
            counted = False
            break
    return Preview(
        kind=Erasure.Kind.COPIES if isinstance(error, Retired) else Erasure.Kind.USER,
        threads=_ordered((here | live).values()),
        user=user,
        only_here=len(here.keys() - live.keys()) if counted else 0,
        counted=counted,
        others=listing.others,
        error=error,
    )


def sign(plan: Preview, account: str) -> str:
    """The preview as a signed form value, valid for this account and for one order."""
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
        salt=_SALT,
        compress=True,
    )


def unsign(text: str, account: str) -> ConfirmedPreview:
    """The preview in a signed form value. Raises `StalePreviewError`."""
    try:
        sent = signing.loads(text, salt=_SALT, max_age=_VALID_SECONDS)
    except signing.BadSignature as error:
        raise StalePreviewError from error
    if sent["account"] != account:
        raise StalePreviewError
    threads = tuple((thread_id, user, at) for thread_id, user, at in sent["threads"])
    return ConfirmedPreview(Erasure.Kind(sent["kind"]), sent["token"], sent["user"], sent["phrase"], threads)


@dataclass(slots=True)
class _Found:
    known: dict[str, Thread]
    only_here: int = 0
    missing: set[str] = field(default_factory=set)
    error: ChatKitError | None = None


def _ask(wanted: Sequence[str], found: _Found) -> None:
    """Retrieves threads in parallel, within the time budget."""
    until = time.monotonic() + _BUDGET_SECONDS
    client = upstream.client()

    def ask(thread_id: str) -> Thread | None:
        if time.monotonic() > until:
            return None
        return client.retrieve_thread(thread_id)

    gone = False
    with ThreadPoolExecutor(_PARALLEL_CALLS) as pool:
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
        # A retired endpoint answers 404 too.
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
    """Oldest first, those without a creation time last."""
    latest = datetime.max.replace(tzinfo=UTC)
    return tuple(sorted(threads, key=lambda each: (each.created_at or latest, each.id or "")))


def matches_phrase(typed: str, phrase: str) -> bool:
    """Whether the typed text is the phrase, up to Unicode normalization: keyboards differ in that."""
    return normalize("NFC", typed.strip()) == normalize("NFC", phrase)


def _can_be_typed(text: str) -> bool:
    """Whether it can be typed as it is: printable, without any character that a page has to mark."""
    return bool(text) and text.isprintable() and exact(text) == escape(text)
