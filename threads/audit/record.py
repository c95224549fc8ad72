"""Writing the audit log. The actor comes from a context variable, set by the middleware for a request, and by a job."""

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
"""The actor of what no account ordered: the worker's scheduled tasks. No account can have this name."""

MAX_TEXT, MAX_ID = 2000, 500
"""Characters stored of a text, and of an id, which is indexed."""

UNCUT = ("list", "words")
"""Details that are stored in full: what an account searched for. The forms limit their length."""

_log = logging.getLogger(__name__)


class Action(StrEnum):
    """The kinds of audit events."""

    SIGN_IN = "sign-in"
    SIGN_OUT = "sign-out"
    ACCOUNT = "account"
    """An account was created, changed or deleted."""
    ROLES = "roles"
    """The roles or rights of an account were changed."""
    READ = "read"
    """A conversation was shown."""
    SEARCH = "search"
    """A list was shown that was searched, or filtered by a user."""
    EXPORT = "export"
    DELETE = "delete"
    """A thread was deleted."""
    ERASURE = "erasure"
    """An erasure of several threads or a whole user; each of its threads has a DELETE."""
    ARCHIVE = "archive"
    """A sync, or a decision about the archive as a whole."""
    PURGE = "purge"
    """The archived copy of a thread that was deleted upstream was removed."""
    AUDIT = "audit"
    """The audit log itself was read or downloaded."""


class Outcome(StrEnum):
    """The outcome of an event."""

    DONE = "done"
    REFUSED = "refused"
    """It was not allowed, or the upstream refused it."""
    FAILED = "failed"
    INTENT = "intent"
    """Recorded before the action."""
    UNKNOWN = "unknown"
    """It was requested, and is not known to be done."""
    GONE = "already gone"
    PARTIAL = "partial"
    """It was done in part."""


class NotRecordedError(Exception):
    """The audit log could not be written, so the action must not be done."""


@dataclass(frozen=True, slots=True)
class Actor:
    """The account that acts, in plain values that a job can store."""

    name: str = ""
    id: str = ""
    address: str = ""
    request_id: str = ""
    job: str = ""
    """The id of the job that runs for the account, "" for none."""


_actor: ContextVar[Actor | None] = ContextVar("actor", default=None)


def actor() -> Actor:
    """The current actor. Without one: `SYSTEM` with the operating system's account, for commands and workers."""
    known = _actor.get()
    return known if known is not None else Actor(f"{SYSTEM[:-1]}, {_machine_account()})")


@contextmanager
def acting_as(as_actor: Actor) -> Iterator[None]:
    """Makes `as_actor` the current actor, for events and for the request id of upstream calls. For work outside of a
    request: a job, a streamed reply."""
    token = _actor.set(as_actor)
    traced = trace.set(_trace_of(as_actor)) if as_actor.request_id or as_actor.job else None
    try:
        yield
    finally:
        _actor.reset(token)
        if traced is not None:
            trace.reset(traced)


def _trace_of(as_actor: Actor) -> Trace:
    now, key = trace.get(), as_actor.request_id or as_actor.job
    return Trace(key, job=as_actor.job, client_id=now.client_id if now is not None and now.id == key else "")


def record_or_raise(action: Action, outcome: Outcome, **about: Any) -> AuditEvent:
    """Records an action that destroys or exports, before it is done. `about` are fields of `AuditEvent`: `thread_id`,
    `user_id`, `detail`, `upstream_request_id`. Raises `NotRecordedError`; then the action must not be done."""
    try:
        return AuditEvent.objects.create(**_row(action, outcome, about))
    except DatabaseError as error:
        _log.error("The audit log could not be written: %s %s", action, outcome, exc_info=True)
        raise NotRecordedError from error


def record(action: Action, outcome: Outcome = Outcome.DONE, **about: Any) -> None:
    """Records something that was seen or done. A failure is retried for a while where that may help, else logged; it
    raises nothing, so that reading goes on."""
    row = _row(action, outcome, about)
    try:
        AuditEvent.objects.create(**row)
    except DatabaseError as error:
        if retries.enqueue(row, error):
            _log.warning("The audit log can't be written now; the event is tried again: %s %s", action, outcome)
        else:
            _log.error("The audit log could not be written: %s %s", action, outcome, exc_info=True)


def _row(action: Action, outcome: Outcome, about: dict[str, Any]) -> dict[str, Any]:
    return {"at": timezone.now(), "action": action, "outcome": outcome} | _by() | _clean(about)


def _by() -> dict[str, str]:
    now = actor()
    return {"account": now.name[:150], "account_id": now.id, "address": now.address[:64], "request_id": now.request_id}


def _clean(about: dict[str, Any]) -> dict[str, Any]:
    """The fields as they can be stored, with the id of the last upstream call where none is given."""
    current = trace.get()
    if "upstream_request_id" not in about and current and current.upstream:
        about["upstream_request_id"] = current.upstream[-1]
    return {
        name: storable(value, MAX_ID if name in {"thread_id", "user_id"} else MAX_TEXT) for name, value in about.items()
    }


def storable(value: Any, limit: int = MAX_TEXT) -> Any:
    """A value for the audit log: cut to `limit` characters, without NUL and lone surrogates (for PostgreSQL)."""
    if isinstance(value, str):
        kept = value.replace("\0", "\N{SYMBOL FOR NULL}").encode("utf-8", "replace").decode()
        return kept if len(kept) <= limit else f"{kept[:limit]}… ({len(kept):,} characters)"
    if isinstance(value, dict):
        return {
            storable(name): storable(each, limit if name not in UNCUT else sys.maxsize) for name, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [storable(each, limit) for each in value]
    return value


def _machine_account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container the account may have no name
        return "unnamed"
