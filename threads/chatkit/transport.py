"""HTTP transport: one complete reply for one request, with a deadline, a size limit, and one retry for a GET."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any, Literal
from urllib.parse import urlencode

import requests
import urllib3
from requests.adapters import BaseAdapter
from requests.auth import AuthBase
from requests.exceptions import ConnectTimeout, ContentDecodingError
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    IncompleteRead,
    NewConnectionError,
    SSLError,
)

from threads.lib.trace import Clock, trace

from . import retry
from .deadline import DeadlineAdapter, deadline
from .errors import ChatKitError, Garbled, TimedOut, Unavailable
from .parse import too_large

Method = Literal["GET", "DELETE"]

_CHUNK = 64 * 1024
_BROKEN = (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError)
"""All exceptions by which requests, urllib3 and sockets report a failed exchange."""


@dataclass(slots=True)
class UpstreamReply:
    """A complete reply. `body` is decompressed. Body and headers are not in the repr: a body holds users' texts, and an
    error body may quote the key."""

    status: int
    headers: CaseInsensitiveDict[str] = field(repr=False)
    body: bytes | bytearray = field(repr=False)
    request_id: str | None
    retries: int = 0
    """Number of retries before this reply."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a call: `seconds` in total, including the retry and the wait before it; `connect`, seconds for one
    connection; `bytes` of a decompressed body."""

    seconds: float = 20.0
    connect: float = 3.0
    bytes: int = 10 * 1024 * 1024


class BearerKey(AuthBase):
    """Adds the key to each outgoing request, so that no session and no repr holds it."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request

    def __repr__(self) -> str:
        return "BearerKey(***)"

    def hide(self, text: str) -> str:
        """`text` without the key."""
        return text.replace(self._key, "***")


class Transport:
    """Connection pool to one upstream. Thread-safe."""

    def __init__(
        self,
        base_url: str,
        auth: BearerKey,
        headers: dict[str, str],
        *,
        limits: Limits,
        pool_size: int,
        proxy: str | None = None,
        adapter: BaseAdapter | None = None,
    ) -> None:
        """`adapter` replaces the network, for an upstream inside this process."""
        self._limits = limits
        self._auth = auth
        self._proxies = {"http": proxy, "https": proxy} if proxy else {}
        self._session = requests.Session()
        self._session.trust_env = False  # a .netrc would replace the key, a proxy variable would see it
        self._session.headers.clear()
        self._session.headers.update({"Accept": "application/json", "Accept-Encoding": "gzip", **headers})
        self._adapter = adapter or DeadlineAdapter(pool_connections=1, pool_maxsize=pool_size)
        self._session.mount("http://", self._adapter)
        self._session.mount("https://", self._adapter)
        self._prepared = {
            method: self._session.prepare_request(requests.Request(method, base_url)) for method in ("GET", "DELETE")
        }

    def send(self, method: Method, url: str, params: dict[str, str] | None = None) -> UpstreamReply:
        """The reply, with any status. A GET is retried after a transient failure, as `retry` says.

        Raises `Unavailable`, `TimedOut`, `Garbled` or `TooLarge` where there is no complete reply.
        """
        ends = time.monotonic() + self._limits.seconds
        address = f"{url}?{urlencode(params)}" if params else url
        with deadline(ends):
            outcome = self._once(method, address, ends)
            for retries in range(1, 1 + (retry.RETRIES if method == "GET" else 0)):
                wait = _wait_before_retry(outcome)
                if wait is None or time.monotonic() + wait + self._limits.connect >= ends:
                    break
                time.sleep(wait)
                outcome = self._once(method, address, ends)
                outcome.retries = retries
        if isinstance(outcome, ChatKitError):
            raise outcome
        return outcome

    def close(self) -> None:
        """Closes all connections."""
        self._session.close()

    def _once(self, method: Method, address: str, ends: float) -> UpstreamReply | ChatKitError:
        """One exchange. Exceptions of requests are mapped here and dropped: their frames and their `request` hold the
        Authorization header, which could end up in an error report.

        Sends copies of a request that was prepared once per method. Preparing each one, and the session's handling of
        cookies and redirects, which are not used, would double the cost of a call."""
        left = max(0.001, ends - time.monotonic())
        request = self._auth(self._prepared[method].copy())
        request.url = address
        current = trace.get()
        if current is not None and current.id:
            request.headers["X-Client-Request-Id"] = current.id
        timeout = (min(self._limits.connect, left), left)
        try:
            with self._adapter.send(request, stream=True, timeout=timeout, proxies=self._proxies) as response:
                if current is not None:
                    current.clock = Clock(server_date(response.headers), time.monotonic())
                body = self._read(response, ends)
                if isinstance(body, ChatKitError):
                    return body
                reply_id = self._request_id(response.headers)
                if current is not None and reply_id is not None:
                    current.upstream.append(reply_id)
                return UpstreamReply(response.status_code, response.headers, body, reply_id)
        except _BROKEN as error:
            return _mapped(error)

    def _read(self, response: requests.Response, ends: float) -> bytearray | ChatKitError:
        """The body. Uses `read1`, which returns what has arrived, where `read` would wait for a full chunk."""
        body = bytearray()
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            body += chunk
            large, late = len(body) > self._limits.bytes, time.monotonic() > ends
            if large or late:
                response.raw.close()
                known: dict[str, Any] = {
                    "status": response.status_code, "request_id": self._request_id(response.headers)
                }  # fmt: skip
                if late and not large:
                    return TimedOut(_LATE, **known)
                detail = f"the reply is larger than {self._limits.bytes:,} bytes"
                # An error body would be no smaller with fewer rows, so it is not `TooLarge`.
                return (
                    too_large(detail, body, **known) if 200 <= response.status_code < 300 else Garbled(detail, **known)
                )
        return body

    def _request_id(self, headers: CaseInsensitiveDict[str]) -> str | None:
        """`request_id`, but None where it contains the key."""
        value = request_id(headers)
        return value if value is None or self._auth.hide(value) == value else None


def server_date(headers: CaseInsensitiveDict[str]) -> float | None:
    """The reply's `Date` in Unix seconds; None where it is missing or invalid."""
    try:
        said = parsedate_to_datetime(headers.get("date", ""))
        # HTTP dates are in UTC; without a zone Python would take local time.
        return (said if said.tzinfo else said.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def request_id(headers: CaseInsensitiveDict[str]) -> str | None:
    """The `x-request-id` header; None where it does not look like an id, or could be a key."""
    value = headers.get("x-request-id", "")
    return value if re.fullmatch(r"[\w.:/+=-]{1,128}", value, re.ASCII) and "sk-" not in value else None


def _wait_before_retry(outcome: UpstreamReply | ChatKitError) -> float | None:
    if isinstance(outcome, ChatKitError):
        return retry.pause(None) if outcome.retryable else None
    if not retry.is_retryable(outcome.status, outcome.headers):
        return None
    return retry.pause(retry.retry_after(outcome.headers))


_LATE = "the reply was not whole in time"

_KINDS: tuple[tuple[tuple[type[BaseException], ...], type[ChatKitError], str], ...] = (
    # First, because urllib3 derives it from its connect time-out.
    ((NewConnectionError,), Unavailable, "no connection could be made"),
    ((ConnectTimeout, ConnectTimeoutError), Unavailable, "no connection could be made in time"),
    ((TimeoutError, requests.Timeout, urllib3.exceptions.TimeoutError), TimedOut, _LATE),
    ((ContentDecodingError, DecodeError), Garbled, "the reply is not compressed as it says"),
    ((requests.exceptions.SSLError, SSLError), Unavailable, "the upstream's certificate could not be verified"),
    ((IncompleteRead,), Unavailable, "the reply was cut short"),
)
"""Exceptions, their `ChatKitError` and its detail. The first row that matches any cause applies."""


def _mapped(error: BaseException) -> ChatKitError:
    """The `ChatKitError` for an exception of a library, without its message, which names URLs."""
    causes = list(_causes(error))
    for types, ours, detail in _KINDS:
        if any(isinstance(each, types) for each in causes):
            return ours(detail)
    return Unavailable("the connection broke")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all that it wraps: as cause, context, `reason` or argument, as urllib3 does."""
    seen: list[object] = []
    waiting: list[object] = [error]
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, BaseException) and each not in seen:
            seen.append(each)
            waiting += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]
            yield each
