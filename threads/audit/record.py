"""Writing the trail. Who acts is known by context: the middleware says it for a request, a job says it for itself."""

from __future__ import annotations

import getpass
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import DatabaseError
from django.utils import timezone

from threads.lib.trace import Trace, trace

from . import retries
from .models import AuditEvent

SYSTEM = "(Threadkeeper)"
"""Who does what no person asked for: the worker by its clock. No account can have this name."""

LONGEST, LONGEST_ID = 2000, 500
"""Characters that are kept of a text that somebody typed, and of what stands for an id, of which there is an index."""

WHOLE = ("list", "words")
"""The details that are kept to their end, however long: what somebody has searched for. The forms bound them."""

_log = logging.getLogger(__name__)


class Action(StrEnum):
    """What is recorded."""

    SIGN_IN = "sign-in"
    SIGN_OUT = "sign-out"
    ACCOUNT = "account"
    """An account was made, changed or deleted."""
    ROLES = "roles"
    """The roles or rights of an account were changed."""
    READ = "read"
    """A conversation was shown."""
    SEARCH = "search"
    """A list was shown that was filtered by a user, or searched."""
    EXPORT = "export"
    DELETE = "delete"
    """A thread was deleted."""
    ERASURE = "erasure"
    """Several threads or a whole user were erased: what the deletions of its threads belong to."""
    ARCHIVE = "archive"
    """A run of the copying, or a decision about the archive as a whole."""
    PURGE = "purge"
    """The copy of a thread that was deleted upstream was removed from the archive."""
    AUDIT = "audit"
    """The trail itself was read or downloaded."""


class Outcome(StrEnum):
    """How it ended."""

    DONE = "done"
    REFUSED = "refused"
    """It was not allowed, or the upstream refused it."""
    FAILED = "failed"
    INTENT = "intent"
    """It is about to be done."""
    UNKNOWN = "unknown"
    """It was asked for, and nobody can say yet whether it was done."""
    GONE = "already gone"
    PARTIAL = "partial"
    """It was done in part."""


class NotRecordedError(Exception):
    """The trail could not be written, so what it was about must not be done."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something. Plain values, so that a job can keep them."""

    name: str = ""
    id: str = ""
    address: str = ""
    request_id: str = ""
    job: str = ""
    """The id of the job that is done for them, where it is one."""


_actor: ContextVar[Actor | None] = ContextVar("actor", default=None)


def actor() -> Actor:
    """Who acts now: in a command, the account of the machine that runs it; in a worker, itself."""
    known = _actor.get()
    return known if known is not None else Actor(f"{SYSTEM[:-1]}, {_machine_account()})")


@contextmanager
def acting(who: Actor) -> Iterator[None]:
    """All that is recorded inside is done by `who`. For what outlives its request, as a streamed reply and a job do;
    calls to the upstream carry its request's id."""
    known = _actor.set(who)
    traced = trace.set(_traced(who)) if who.request_id or who.job else None
    try:
        yield
    finally:
        _actor.reset(known)
        if traced is not None:
            trace.reset(traced)


def _traced(who: Actor) -> Trace:
    now, known = trace.get(), who.request_id or who.job
    return Trace(known, job=who.job, client_id=now.client_id if now is not None and now.id == known else "")


def must(action: Action, outcome: Outcome, **about: Any) -> AuditEvent:
    """Records what destroys or exports, before it is done. Takes what `AuditEvent` has: `thread`, `customer`, `detail`,
    `upstream_request_id`. Raises `NotRecordedError` where that fails: then nothing may be done."""
    try:
        return AuditEvent.objects.create(**_row(action, outcome, about))
    except DatabaseError as error:
        _log.error("The trail could not be written: %s %s", action, outcome, exc_info=True)
        raise NotRecordedError from error


def record(action: Action, outcome: Outcome = Outcome.DONE, **about: Any) -> None:
    """Records what has been seen or done. Where that fails it is tried again for a while; where that is of no use the
    log says so. The reader goes on reading."""
    row = _row(action, outcome, about)
    try:
        AuditEvent.objects.create(**row)
    except DatabaseError as error:
        if retries.later(row, error):
            _log.warning("The trail can't be written just now, which is tried again: %s %s", action, outcome)
        else:
            _log.error("The trail could not be written: %s %s", action, outcome, exc_info=True)


def _row(action: Action, outcome: Outcome, about: dict[str, Any]) -> dict[str, Any]:
    return {"at": timezone.now(), "action": action, "outcome": outcome} | _by() | _clean(about)


def _by() -> dict[str, str]:
    who = actor()
    return {"who": who.name[:150], "who_id": who.id, "address": who.address[:64], "request_id": who.request_id}


def _clean(about: dict[str, Any]) -> dict[str, Any]:
    """With the upstream's last id where none is named; and, since PostgreSQL can hold no NUL and no half of a
    character, without those."""
    current = trace.get()
    if "upstream_request_id" not in about and current and current.upstream:
        about["upstream_request_id"] = current.upstream[-1]
    return {
        name: storable(value, LONGEST_ID if name in {"thread", "customer"} else LONGEST)
        for name, value in about.items()
    }


def storable(value: Any, longest: int = LONGEST) -> Any:
    """A value as the trail keeps it."""
    if isinstance(value, str):
        kept = value.replace("\0", "\N{SYMBOL FOR NULL}").encode("utf-8", "replace").decode()
        return kept if len(kept) <= longest else f"{kept[:longest]}… ({len(kept):,} characters)"
    if isinstance(value, dict):
        return {
            storable(name): storable(each, longest if name not in WHOLE else sys.maxsize)
            for name, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [storable(each, longest) for each in value]
    return value


def _machine_account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may give its account no name
        return "unnamed"
