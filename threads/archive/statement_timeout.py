"""Statement timeout for pages: ends a search that takes too long, so that the page can say what to change.

On SQLite a query blocks its whole process, so the limit is low, and applies to the CPU time of all queries of a page
together. On PostgreSQL it blocks one connection, and the limit applies to each statement. An export that is streamed to
a browser has the limit too; workers have none.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from threads.chatkit import ChatKitError

SQLITE_SECONDS, POSTGRESQL_SECONDS = 0.3, 2.0

_WALL_CLOCK_FACTOR = 5.0
"""The limit of elapsed time on SQLite, as a multiple of the limit of CPU time: a query also waits for the disk and the
scheduler."""

_CHECK_STEPS = 1_000
"""Instructions of SQLite's virtual machine, some microseconds each, between two checks of the time."""

_is_page: ContextVar[bool] = ContextVar("_is_page", default=False)


class QueryTimeout(ChatKitError):
    """A page's query exceeded the limit. A `ChatKitError`, so that pages show it where they show upstream errors."""


@contextmanager
def limit_statements() -> Iterator[None]:
    """Applies the limit of `statement_timeout` to queries inside, for a response that a browser waits for."""
    token = _is_page.set(True)
    try:
        yield
    finally:
        _is_page.reset(token)


@contextmanager
def statement_timeout() -> Iterator[None]:
    """Limits the time of the database queries inside, if called within `limit_statements`. Raises `QueryTimeout`."""
    if not _is_page.get():
        yield
        return
    try:
        with _sqlite() if connection.vendor == "sqlite" else _postgresql():
            yield
    except OperationalError as error:
        if str(error) == "interrupted" or isinstance(error.__cause__, QueryCanceled):
            raise QueryTimeout("the query was ended because it took too long", status=503) from None
        raise


@contextmanager
def _sqlite() -> Iterator[None]:
    connection.ensure_connection()
    database = connection.connection
    cpu_end = time.thread_time() + SQLITE_SECONDS
    end = time.monotonic() + _WALL_CLOCK_FACTOR * SQLITE_SECONDS
    database.set_progress_handler(lambda: time.thread_time() > cpu_end or time.monotonic() > end, _CHECK_STEPS)
    try:
        yield
    finally:
        database.set_progress_handler(None, 0)


@contextmanager
def _postgresql() -> Iterator[None]:
    # Set for this transaction only: behind a pooler, other clients use the connection afterwards.
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(round(POSTGRESQL_SECONDS * 1000))])
        yield
