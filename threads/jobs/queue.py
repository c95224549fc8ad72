"""Task queue (huey): in an SQLite file, or in PostgreSQL or Redis for machines that share it."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from huey import PostgresHuey, RedisHuey, SqliteHuey
from huey.exceptions import ConfigurationError
from huey.serializer import SignedSerializer
from huey.storage import PostgresStorage, RedisStorage, SqliteStorage

from threads.lib.db import is_closed

_log = logging.getLogger(__name__)

NAME = "threadkeeper"

_TIMEOUT_SECONDS = 2
"""How long a server may take to count the queue."""

_LOCKED_SECONDS = 0.3
"""The same for a locked file, for which the whole process waits."""

POLL_SECONDS = 1.0
"""How often a worker looks for tasks at least."""


class QueueError(Exception):
    """The queue can't be reached; the message gives the reason."""


class _PostgresStorage(PostgresStorage):  # type: ignore[misc]  # huey has no types
    """huey's queue in PostgreSQL, also behind a connection pooler in transaction mode: without prepared statements and
    LISTEN, which belong to a connection. Reconnects where the server has closed the connection."""

    _conn: Any

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, **{"blocking": False, "prepare_threshold": None, "connect_timeout": 5} | options)

    @property
    def conn(self) -> Any:
        if self._conn is not None and is_closed(self._conn):
            self._close_quiet(self._conn)
            self._conn = None
        return super().conn


class _PostgresHuey(PostgresHuey):  # type: ignore[misc]
    storage_class = _PostgresStorage


@cache
def huey() -> Any:
    """The queue at QUEUE_URL; without one, in a file in DATA_DIR."""
    # Tasks are pickled, so they are signed: write access to the queue must not allow to run any code.
    options = {"results": False, "serializer": SignedSerializer(secret=settings.SECRET_KEY)}
    url = settings.QUEUE_URL
    if url is None:
        return SqliteHuey(NAME, filename=str(_file()), timeout=20, **options)
    if url.startswith("postgres"):
        return _PostgresHuey(NAME, dsn=url, **options)
    try:
        return RedisHuey(NAME, url=url, **options)
    except ConfigurationError as error:
        raise ImproperlyConfigured(
            "QUEUE_URL names Redis, which needs the package redis: pip install -r requirements-all.txt."
        ) from error


def waiting() -> int:
    """The number of tasks in the queue. Uses a connection of its own with short timeouts, so that it also serves as a
    health check. Raises `QueueError`."""
    with translated_errors():
        storage = _storage()
        try:
            with _limited(storage):
                return int(storage.queue_size())
        except (sqlite3.OperationalError, psycopg.errors.UndefinedTable) as error:
            # huey creates the tables with the first task.
            if isinstance(error, sqlite3.Error) and "no such table" not in str(error):
                raise
            return 0
        finally:
            storage.close()
            if isinstance(storage, RedisStorage):
                storage.pool.disconnect()


def _storage() -> Any:
    url = settings.QUEUE_URL
    if url is None:
        return SqliteStorage(NAME, str(_file()), timeout=_LOCKED_SECONDS, create_tables=False)
    if url.startswith("postgres"):
        return _PostgresStorage(NAME, dsn=url, create_tables=False, connect_timeout=_TIMEOUT_SECONDS)
    limits = urlencode({"socket_connect_timeout": _TIMEOUT_SECONDS, "socket_timeout": _TIMEOUT_SECONDS})
    try:
        return RedisStorage(NAME, url=f"{url}{'&' if '?' in url else '?'}{limits}")
    except ConfigurationError as error:
        raise QueueError("QUEUE_URL names Redis, which needs the package redis.") from error


@contextmanager
def _limited(storage: Any) -> Iterator[None]:
    """Sets a statement timeout in PostgreSQL. In a transaction, since a connection pooler takes no such setting for a
    connection."""
    if not isinstance(storage, PostgresStorage):
        yield
        return
    with storage.conn.transaction():
        storage.conn.execute(f"SET LOCAL statement_timeout = {_TIMEOUT_SECONDS * 1000}")
        yield


def _file() -> Path:
    return Path(settings.DATA_DIR) / "queue.sqlite3"


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raises `QueueError` where the queue can't be reached. Loading a `tasks` module opens the queue, so it belongs in
    such a block too."""
    try:
        yield
    except _error_types() as error:
        raise QueueError(str(error)) from error


def try_enqueue(enqueue: Callable[[], object]) -> None:
    """Enqueues a task whose work workers also find by themselves within a minute or two: a queue that can't be reached
    is only logged."""
    try:
        with translated_errors():
            enqueue()
    except QueueError as error:
        _log.error("The queue can't be reached: %s", error)


def _error_types() -> tuple[type[Exception], ...]:
    types: tuple[type[Exception], ...] = (OSError, sqlite3.Error, psycopg.Error)
    try:
        from redis import RedisError  # noqa: PLC0415
    except ImportError:
        return types
    return (*types, RedisError)
