"""Whether the process lives, and whether it can be given work: for what starts processes and sends requests to them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from threads.jobs import queue

from . import pending_migrations, upstream_status
from .probe import Question
from .upstream_status import Heard

PATIENCE = 1.5
"""Seconds that anybody waits for the database and the queue together."""

_CONNECT = 2
"""Seconds that a connection may take: no attempt outlives who waits for it by much."""

_LOCKED = 0.3
"""The same for a file that is locked: meanwhile the whole process waits."""

_OWN = "readiness"


def alive(_request: HttpRequest) -> HttpResponse:
    """By whatever name and scheme the process is asked, it lives. Asks neither the database nor the upstream."""
    return HttpResponse("ok\n", content_type="text/plain")


def ready(_request: HttpRequest) -> HttpResponse:
    """200 where the database and the queue can be used, else 503. An upstream that fails is told and makes nothing
    unready: the archive answers, and no other process of the desk would fare better with it."""
    until = time.monotonic() + PATIENCE
    told, waiting = database.asked(), length.asked()
    parts = {"database": _fault(told, until), "queue": _fault(waiting, until)}
    last = None if settings.ARCHIVE_ONLY else _newest([] if parts["database"] else told.result())
    unready = any(parts.values())
    degraded = last is not None and bool(last.failure)
    lines = [
        "not ready" if unready else "ready, degraded" if degraded else "ready",
        *(f"{name}: {fault or 'ok'}" for name, fault in parts.items()),
        f"upstream: {_said(last, timezone.now())}",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain", status=503 if unready else 200)


@contextmanager
def own_connection(alias: str = _OWN) -> Iterator[str]:
    """A connection to the database for this thread alone, by its alias: none of the pool, which readers may have
    emptied, and one that does not wait long."""
    made = connections[DEFAULT_DB_ALIAS].copy(alias)
    options = made.settings_dict["OPTIONS"]
    if made.vendor == "postgresql":
        options.pop("pool", None)
        options["connect_timeout"] = _CONNECT
        made.execute_wrappers.append(_limited)
    else:
        options["timeout"] = _LOCKED
    connections[alias] = made
    try:
        yield alias
    finally:
        made.close()
        del connections[alias]


def _limited(execute: Callable[..., Any], sql: str, parameters: Any, many: bool, context: dict[str, Any]) -> Any:
    """Ends a statement of PostgreSQL that takes longer than `_CONNECT`. In a transaction, since a connection pooler
    takes no such setting for a connection."""
    connection = context["connection"]
    if connection.in_atomic_block:
        return execute(sql, parameters, many, context)
    with transaction.atomic(using=connection.alias):
        context["cursor"].cursor.execute(f"SET LOCAL statement_timeout = {int(_CONNECT * 1000)}")
        return execute(sql, parameters, many, context)


def _heard() -> list[Heard]:
    with own_connection() as using:
        try:
            pending_migrations.confirm(using)
            return upstream_status.elsewhere(using)
        except DatabaseError:
            pending_migrations.forget()
            raise


database = Question(_heard, keep=1.0)
"""What others have heard of the upstream, from the database. That can be used where it can tell, and where no migration
is waiting: pages of newer code would fail."""

length = Question(queue.waiting, keep=1.0)
"""How many tasks wait in the queue."""


def _fault(answer: Future[object] | Future[list[Heard]] | Future[int], until: float) -> str:
    """Why there is no answer, "" where there is one. In no words of a library's: those name hosts and accounts."""
    try:
        fault = answer.exception(max(0.0, until - time.monotonic()))
    except TimeoutError:
        return "does not answer"
    if isinstance(fault, pending_migrations.MigrationsWaitingError):
        return "migrations are waiting: run manage.py migrate"
    return f"can't be used ({type(fault).__name__})" if fault is not None else ""


def _newest(told: list[Heard]) -> Heard | None:
    known = [*told, upstream_status.ear.last] if upstream_status.ear.last else told
    return max(known, key=lambda each: each.at, default=None)


def _said(last: Heard | None, now: datetime) -> str:
    if settings.ARCHIVE_ONLY:
        return "not asked, since ARCHIVE_ONLY is set"
    if last is None:
        return "not asked yet"
    ago = f"{max(0, round((now - last.at).total_seconds()))} s ago"
    return f"failed {ago} ({last.failure})" if last.failure else f"answered {ago}"
