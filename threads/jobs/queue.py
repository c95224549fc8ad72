"""Where work for the background waits: in a file, or in PostgreSQL or Redis for machines that share it."""

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

_SOON = 2
"""Seconds that a server has to say how much waits in the queue."""

_LOCKED = 0.3
"""The same for a file that is locked: meanwhile the whole process waits."""


POLL = 1.0
"""Seconds after which a worker looks for work at the latest."""


class QueueError(Exception):
    """The queue can't be reached. The text says why, for the log."""


class _PostgresStorage(PostgresStorage):  # type: ignore[misc]  # huey has no types
    """huey's queue in PostgreSQL, also behind a connection pooler in transaction mode: nothing in it belongs to a
    connection, no prepared statement and no LISTEN. A connection that the server has closed is opened anew."""

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
    """The queue that the settings name; without one, a file in DATA_DIR."""
    # Tasks are pickled. Signed, so that who can write to the queue can still not run what they like.
    how = {"results": False, "serializer": SignedSerializer(secret=settings.SECRET_KEY)}
    url = settings.QUEUE_URL
    if url is None:
        return SqliteHuey(NAME, filename=str(_file()), timeout=20, **how)
    if url.startswith("postgres"):
        return _PostgresHuey(NAME, dsn=url, **how)
    try:
        return RedisHuey(NAME, url=url, **how)
    except ConfigurationError as error:
        raise ImproperlyConfigured(
            "QUEUE_URL names Redis, which needs the package redis: pip install -r requirements-all.txt."
        ) from error


def waiting() -> int:
    """How many tasks wait. Asked over a connection of its own that waits for nothing long, so that it can also be asked
    whether the queue is there. Raises `QueueError`."""
    with reached():
        storage = _storage()
        try:
            with _limited(storage):
                return int(storage.queue_size())
        except (sqlite3.OperationalError, psycopg.errors.UndefinedTable) as error:
            # The tables are made by whoever first puts something in.
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
        return SqliteStorage(NAME, str(_file()), timeout=_LOCKED, create_tables=False)
    if url.startswith("postgres"):
        return _PostgresStorage(NAME, dsn=url, create_tables=False, connect_timeout=_SOON)
    limits = urlencode({"socket_connect_timeout": _SOON, "socket_timeout": _SOON})
    try:
        return RedisStorage(NAME, url=f"{url}{'&' if '?' in url else '?'}{limits}")
    except ConfigurationError as error:
        raise QueueError("QUEUE_URL names Redis, which needs the package redis.") from error


@contextmanager
def _limited(storage: Any) -> Iterator[None]:
    """Ends a statement of PostgreSQL that takes longer than `_SOON`. In a transaction, since a connection pooler takes
    no such setting for a connection."""
    if not isinstance(storage, PostgresStorage):
        yield
        return
    with storage.conn.transaction():
        storage.conn.execute(f"SET LOCAL statement_timeout = {_SOON * 1000}")
        yield


def _file() -> Path:
    return Path(settings.DATA_DIR) / "queue.sqlite3"


@contextmanager
def reached() -> Iterator[None]:
    """For handing work to the queue: loading the tasks reaches for it, so that stands in here too. Raises `QueueError`
    where it can't be reached."""
    try:
        yield
    except _faults() as error:
        raise QueueError(str(error)) from error


def soon(ask: Callable[[], object]) -> None:
    """Hands work to the queue that workers would also find by themselves, within a minute or two: so where the queue
    can't be reached the log says it, and nobody has to be told."""
    try:
        with reached():
            ask()
    except QueueError as error:
        _log.error("The queue can't be reached: %s", error)  # the sentence says it


def _faults() -> tuple[type[Exception], ...]:
    faults: tuple[type[Exception], ...] = (OSError, sqlite3.Error, psycopg.Error)
    try:
        from redis import RedisError  # noqa: PLC0415
    except ImportError:
        return faults
    return (*faults, RedisError)
