"""Statement timeout for pages: a search that takes too long is ended, and the page says what to change.

On SQLite a query holds up its whole process, so the bound is tight, and is for the processor's time of all queries of
a page together. On PostgreSQL it holds up one connection, and the bound is for each statement. An export has them while
somebody waits for its file; workers have none.
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

_WAITED = 5.0
"""How many times as long it may take on SQLite in all: a query also waits for the disk, and on a busy machine for its
turn."""

_STEPS = 1_000
"""Of SQLite's virtual machine, some microseconds each, after which the time is looked at."""

_is_page: ContextVar[bool] = ContextVar("_is_page", default=False)


class TooSlow(ChatKitError):
    """A page's query was ended. It is no fault of the upstream, but whoever shows why there is no list shows this."""


@contextmanager
def for_a_page() -> Iterator[None]:
    """What is asked for in here, somebody waits for."""
    token = _is_page.set(True)
    try:
        yield
    finally:
        _is_page.reset(token)


@contextmanager
def bounded() -> Iterator[None]:
    """Database queries that a page may not wait for longer than that. Raises `TooSlow`."""
    if not _is_page.get():
        yield
        return
    try:
        with _sqlite() if connection.vendor == "sqlite" else _postgresql():
            yield
    except OperationalError as error:
        if str(error) == "interrupted" or isinstance(error.__cause__, QueryCanceled):
            raise TooSlow("the query was ended because it took too long", status=503) from None
        raise


@contextmanager
def _sqlite() -> Iterator[None]:
    connection.ensure_connection()
    database = connection.connection
    until, at_last = time.thread_time() + SQLITE_SECONDS, time.monotonic() + _WAITED * SQLITE_SECONDS
    database.set_progress_handler(lambda: time.thread_time() > until or time.monotonic() > at_last, _STEPS)
    try:
        yield
    finally:
        database.set_progress_handler(None, 0)


@contextmanager
def _postgresql() -> Iterator[None]:
    # Of this transaction alone: behind a pooler the connection is somebody else's afterwards.
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(round(POSTGRESQL_SECONDS * 1000))])
        yield
