"""Total deadline for one HTTP exchange, headers and body together.

A read timeout restarts with every byte, so a reply that drips one byte a second never meets it. Here each read from the
socket gets only the rest of the total as its timeout.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_ends: ContextVar[float] = ContextVar("ends")
"""The current deadline, on the monotonic clock."""


@contextmanager
def deadline(ends: float) -> Iterator[None]:
    """Replies that `DeadlineAdapter` reads in this block must be complete at `ends`, on the monotonic clock.

    Later reads raise `TimeoutError`, wrapped by urllib3 or requests.
    """
    token = _ends.set(ends)
    try:
        yield
    finally:
        _ends.reset(token)


class _DeadlineReader(io.RawIOBase):
    """Reads from a socket, each read with the remaining time as its timeout."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, ends: float) -> None:
        self._raw, self._sock, self._ends = raw, sock, ends

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("deadline passed")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        ends = _ends.get(None)
        if ends is not None:
            raw: io.RawIOBase = self.fp.detach()
            self.fp = io.BufferedReader(_DeadlineReader(raw, sock, ends))


class _Connection(HTTPConnection):
    """Checks an idle connection with a non-blocking `recv`. urllib3 polls instead, which under gevent waits for all
    other greenlets: a tenth of a second on a busy server."""

    response_class = _Response

    @property
    def is_connected(self) -> bool:
        if not isinstance(self.sock, socket.socket):  # not connected yet, or TLS in TLS
            return super().is_connected
        self.sock.settimeout(0)  # urllib3 sets the timeout before each request
        try:
            # The TLS socket's own recv takes no flags. Any byte, a TLS close too, makes the connection unusable.
            socket.socket.recv(self.sock, 1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False


class _TLSConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


_POOLS = {"http": _Pool, "https": _TLSPool}


class DeadlineAdapter(HTTPAdapter):
    """A `requests` adapter for one host, whose connections obey the enclosing `deadline` block.

    It looks the connection pool up once and keeps no cookies. Doing both for each request takes a third of the time of
    `HTTPAdapter.send`.
    """

    _upstream: Any = None

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        if self._upstream is None:
            self._upstream = super().get_connection_with_tls_context(*args, **kwargs)
        return self._upstream

    def build_response(self, req: PreparedRequest, resp: Any) -> Response:
        response = Response()
        response.status_code = resp.status
        response.headers = CaseInsensitiveDict(resp.headers)
        response.raw, response.url, response.request = resp, req.url or "", req
        return response
