"""A deadline for a whole exchange over HTTP, header lines and body together.

A read timeout is not one: it starts anew with every byte, so a body or a header that drips one byte a second never
meets it. Here every read from the socket is given only what is left of the total.
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


@contextmanager
def deadline(ends: float) -> Iterator[None]:
    """Within, every reply that `DeadlineAdapter` reads must be whole by `ends` on the monotonic clock.

    Reads raise `TimeoutError`, in whatever urllib3 and requests wrap it, once that moment has passed.
    """
    token = _ends.set(ends)
    try:
        yield
    finally:
        _ends.reset(token)


class _Bounded(io.RawIOBase):
    """Reads from a socket, each read with what is left of the total as its timeout."""

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
            self.fp = io.BufferedReader(_Bounded(raw, sock, ends))


class _Connection(HTTPConnection):
    """urllib3 polls a kept connection to learn whether it is still open. Under gevent that means to wait until
    everybody else has had a turn, on a busy server a tenth of a second; looking for a byte is answered at once."""

    response_class = _Response

    @property
    def is_connected(self) -> bool:
        if not isinstance(self.sock, socket.socket):  # none yet, or TLS inside of TLS
            return super().is_connected
        self.sock.settimeout(0)  # urllib3 sets it anew before each request
        try:
            # Not the method of a TLS socket, which takes no flags: any byte, a goodbye too, makes it useless for us.
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
    """A `requests` adapter for one upstream, whose connections keep the deadline of the `deadline` block around them.

    It always speaks to one host, so it looks up the pool of connections once, and it keeps no cookies. Working both out
    for every request is a third of what `HTTPAdapter.send` costs.
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
