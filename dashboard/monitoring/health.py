"""Health checks: /healthz (liveness) and /readyz (readiness)."""

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
from .probe import CachedProbe
from .upstream_status import UpstreamStatus

TIMEOUT_SECONDS = 1.5
"""Seconds that a check waits for database and queue together."""

_CONNECT_SECONDS = 2
"""Seconds for a connection or a statement on PostgreSQL, so that no attempt outlives its check by much."""

_LOCKED_SECONDS = 0.3
"""Seconds to wait for a locked SQLite file, during which the whole process waits."""

_ALIAS = "readiness"


def alive(_request: HttpRequest) -> HttpResponse:
    """200 for any host name and scheme. Asks neither database nor upstream."""
    return HttpResponse("ok\n", content_type="text/plain")


def ready(_request: HttpRequest) -> HttpResponse:
    """200 if database and queue can be used, else 503. An upstream that fails is reported as degraded, not as unready:
    the archive answers, and other processes use the same upstream."""
    until = time.monotonic() + TIMEOUT_SECONDS
    stored, waiting = database_probe.asked(), queue_probe.asked()
    parts = {"database": _fault(stored, until), "queue": _fault(waiting, until)}
    last = None if settings.ARCHIVE_ONLY else _latest([] if parts["database"] else stored.result())
    unready = any(parts.values())
    degraded = last is not None and bool(last.failure)
    lines = [
        "not ready" if unready else "ready, degraded" if degraded else "ready",
        *(f"{name}: {fault or 'ok'}" for name, fault in parts.items()),
        f"upstream: {_describe(last, timezone.now())}",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain", status=503 if unready else 200)


@contextmanager
def own_connection(alias: str = _ALIAS) -> Iterator[str]:
    """A database connection for this thread, by its alias: outside the pool, which requests may have exhausted, and
    with short timeouts."""
    made = connections[DEFAULT_DB_ALIAS].copy(alias)
    options = made.settings_dict["OPTIONS"]
    if made.vendor == "postgresql":
        options.pop("pool", None)
        options["connect_timeout"] = _CONNECT_SECONDS
        made.execute_wrappers.append(_limit_statement)
    else:
        options["timeout"] = _LOCKED_SECONDS
    connections[alias] = made
    try:
        yield alias
    finally:
        made.close()
        del connections[alias]


def _limit_statement(
    execute: Callable[..., Any], sql: str, parameters: Any, many: bool, context: dict[str, Any]
) -> Any:
    """Sets a statement timeout of `_CONNECT_SECONDS`, inside a transaction: behind a connection pooler it can't be set
    for the connection."""
    connection = context["connection"]
    if connection.in_atomic_block:
        return execute(sql, parameters, many, context)
    with transaction.atomic(using=connection.alias):
        context["cursor"].cursor.execute(f"SET LOCAL statement_timeout = {int(_CONNECT_SECONDS * 1000)}")
        return execute(sql, parameters, many, context)


def _read_statuses() -> list[UpstreamStatus]:
    with own_connection() as using:
        try:
            pending_migrations.check(using)
            return upstream_status.stored_statuses(using)
        except DatabaseError:
            pending_migrations.forget()
            raise


database_probe = CachedProbe(_read_statuses, keep=1.0)
"""Upstream statuses that other processes stored. Fails if the database can't be used, or lacks migrations: pages of
newer code would fail."""

queue_probe = CachedProbe(queue.waiting, keep=1.0)
"""Number of tasks in the queue."""


def _fault(answer: Future[object] | Future[list[UpstreamStatus]] | Future[int], until: float) -> str:
    """Why the probe failed, "" if it did not. Leaves out the library's message, which may name hosts and accounts."""
    try:
        fault = answer.exception(max(0.0, until - time.monotonic()))
    except TimeoutError:
        return "does not answer"
    if isinstance(fault, pending_migrations.PendingMigrationsError):
        return "migrations are waiting: run manage.py migrate"
    return f"can't be used ({type(fault).__name__})" if fault is not None else ""


def _latest(stored: list[UpstreamStatus]) -> UpstreamStatus | None:
    statuses = [*stored, upstream_status.monitor.last_seen] if upstream_status.monitor.last_seen else stored
    return max(statuses, key=lambda each: each.at, default=None)


def _describe(last: UpstreamStatus | None, now: datetime) -> str:
    if settings.ARCHIVE_ONLY:
        return "not asked, since ARCHIVE_ONLY is set"
    if last is None:
        return "not asked yet"
    ago = f"{max(0, round((now - last.at).total_seconds()))} s ago"
    return f"failed {ago} ({last.failure})" if last.failure else f"answered {ago}"
