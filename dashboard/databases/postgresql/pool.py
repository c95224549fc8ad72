"""Connection pool for PostgreSQL. It drops all idle connections at the first one that the server has closed, and opens
new ones in the request that needs them: docs/adr/0017-connections-to-postgresql.md."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import psycopg
from psycopg.pq import TransactionStatus

from threads.lib.db import is_closed

Connection = psycopg.Connection[Any]

_TRUSTED = 0.5
"""Seconds after its last use for which an idle connection is believed to work without a round trip."""


class PoolTimeout(psycopg.OperationalError):
    """All connections were in use for too long."""


class _Idle(NamedTuple):
    connection: Connection
    since: float


class Pool:
    """At most `max_size` connections, those of them that are idle kept for the next request, the last used first.

    `timeout` is how many seconds a request waits while all are in use. Those that were idle for `max_idle` seconds are
    closed when another comes back, and none is used again that is older than `max_lifetime` seconds. Django calls the
    public methods.
    """

    close_returns = False  # psycopg asks: Connection.close() closes

    def __init__(
        self,
        connect: Callable[[], Connection],
        *,
        max_size: int,
        timeout: float,
        max_idle: float = 600.0,
        max_lifetime: float = 3600.0,
    ) -> None:
        self._connect, self._timeout = connect, timeout
        self._max_idle, self._max_lifetime = max_idle, max_lifetime
        self._free = threading.Semaphore(max_size)
        self._lock = threading.Lock()
        self._idle: deque[_Idle] = deque()
        self._opened_at: WeakKeyDictionary[Connection, float] = WeakKeyDictionary()
        self._closed = False

    def open(self) -> None:
        self._closed = False

    def close(self) -> None:
        """Closes the idle connections now, and those in use when they come back."""
        self._closed = True
        self.drain()

    def drain(self) -> None:
        """Closes the idle connections."""
        with self._lock:
            idle = list(self._idle)
            self._idle.clear()
        for each in idle:
            _close(each.connection)

    def getconn(self) -> Connection:
        """A connection that works. Raises `psycopg.OperationalError`: at once where the server can't be reached."""
        if not self._free.acquire(timeout=self._timeout):
            raise PoolTimeout(f"no connection was free for {self._timeout:g} s")
        try:
            connection = self._idle_one() or self._new()
        except BaseException:
            self._free.release()
            raise
        connection._pool = self  # noqa: SLF001  # where Django gives it back
        return connection

    def putconn(self, connection: Connection) -> None:
        connection._pool = None  # noqa: SLF001
        try:
            if self._reset(connection):
                with self._lock:
                    self._idle.append(_Idle(connection, time.monotonic()))
            else:
                _close(connection)
        finally:
            self._free.release()
        self._expire()

    def _new(self) -> Connection:
        connection = self._connect()
        self._opened_at[connection] = time.monotonic()
        return connection

    def _idle_one(self) -> Connection | None:
        with self._lock:
            newest = self._idle.pop() if self._idle else None
        if newest is None:
            return None
        if self._works(newest):
            return newest.connection
        # What became of this one, a restart or a failover, became of the others too.
        _close(newest.connection)
        self.drain()
        return None

    def _works(self, idle: _Idle) -> bool:
        if is_closed(idle.connection):
            return False
        if time.monotonic() - idle.since < _TRUSTED:
            return True
        try:
            idle.connection.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True

    def _reset(self, connection: Connection) -> bool:
        """Ends a transaction that was left open. Returns whether the connection can be used again."""
        with suppress(psycopg.Error):
            if connection.info.transaction_status in {TransactionStatus.INTRANS, TransactionStatus.INERROR}:
                connection.rollback()
            if not connection.autocommit:
                connection.autocommit = True
        status = connection.info.transaction_status
        if status == TransactionStatus.UNKNOWN:
            self.drain()
        age = time.monotonic() - self._opened_at.get(connection, 0.0)
        return status == TransactionStatus.IDLE and age < self._max_lifetime and not self._closed

    def _expire(self) -> None:
        """Closes those that nobody has needed for long: the first in the row."""
        before = time.monotonic() - self._max_idle
        expired = []
        with self._lock:
            while self._idle and self._idle[0].since < before:
                expired.append(self._idle.popleft())
        for each in expired:
            _close(each.connection)


def _close(connection: Connection) -> None:
    with suppress(psycopg.Error):
        connection.close()
