"""Connection pool for PostgreSQL.

When it finds one idle connection closed by the server, it drops all of them and opens a new one in the request that
needs it: docs/adr/0017-connections-to-postgresql.md.
"""

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

_TRUST_SECONDS = 0.5
"""Seconds after its last use for which an idle connection is assumed to work, without a round trip."""


class PoolTimeout(psycopg.OperationalError):
    """No connection became free within the timeout."""


class _Idle(NamedTuple):
    connection: Connection
    since: float


class Pool:
    """A pool of at most `max_size` connections. Idle ones are reused, the last used first.

    `timeout` is how many seconds a request waits for a connection. A connection is closed after `max_idle` seconds
    without use, when another one is returned, and after `max_lifetime` seconds. Django calls the public methods.
    """

    close_returns = False  # read by psycopg: Connection.close() closes

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
        """Closes idle connections now, and the others when they are returned."""
        self._closed = True
        self.drain()

    def drain(self) -> None:
        """Closes idle connections."""
        with self._lock:
            idle = list(self._idle)
            self._idle.clear()
        for each in idle:
            _close(each.connection)

    def getconn(self) -> Connection:
        """A working connection. Raises `psycopg.OperationalError`, at once if the server can't be reached."""
        if not self._free.acquire(timeout=self._timeout):
            raise PoolTimeout(f"no connection was free for {self._timeout:g} s")
        try:
            connection = self._take_idle() or self._new()
        except BaseException:
            self._free.release()
            raise
        connection._pool = self  # noqa: SLF001  # Django returns it to this pool
        return connection

    def putconn(self, connection: Connection) -> None:
        """Takes a connection back; closes it if it can't be reused."""
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

    def _take_idle(self) -> Connection | None:
        with self._lock:
            newest = self._idle.pop() if self._idle else None
        if newest is None:
            return None
        if self._works(newest):
            return newest.connection
        # A restart or a failover closes all connections, not only this one.
        _close(newest.connection)
        self.drain()
        return None

    def _works(self, idle: _Idle) -> bool:
        if is_closed(idle.connection):
            return False
        if time.monotonic() - idle.since < _TRUST_SECONDS:
            return True
        try:
            idle.connection.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True

    def _reset(self, connection: Connection) -> bool:
        """Ends an open transaction. Returns whether the connection can be reused."""
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
        """Closes connections idle for longer than `max_idle`: the leftmost."""
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
