"""Sends one request and brings back one whole reply, or says why not: within a deadline, under a cap, once repeated."""

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
"""Everything that requests, urllib3 and the sockets below them raise when an exchange fails."""


@dataclass(slots=True)
class Reply:
    """A whole reply. `body` is inflated; the names in `headers` are found in any case. Neither is in the repr: a body
    holds what customers wrote, and an error body may quote the key."""

    status: int
    headers: CaseInsensitiveDict[str] = field(repr=False)
    body: bytes | bytearray = field(repr=False)
    request_id: str | None
    retries: int = 0
    """How often it was asked for again before it came."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`seconds` for a whole call, the second try and the wait between included; `connect` for one connection;
    `bytes` of an inflated body."""

    seconds: float = 20.0
    connect: float = 3.0
    bytes: int = 10 * 1024 * 1024


class BearerKey(AuthBase):
    """Puts the key on a request as it leaves, so that no session, variable or message holds it in the clear."""

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
    """A pool of connections to one upstream. Safe to use from many threads at once."""

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
        """`adapter` takes the place of the network, for an upstream in this very process."""
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

    def send(self, method: Method, url: str, params: dict[str, str] | None = None) -> Reply:
        """The reply, whatever its status. A GET that failed in a way that may pass is sent once more.

        Raises `Unavailable`, `TimedOut` or `Garbled` where there is no whole reply.
        """
        ends = time.monotonic() + self._limits.seconds
        address = f"{url}?{urlencode(params)}" if params else url
        with deadline(ends):
            outcome = self._once(method, address, ends)
            wait = _wait_before_second(outcome) if method == "GET" else None
            if wait is not None and time.monotonic() + wait + self._limits.connect < ends:
                time.sleep(wait)
                outcome = self._once(method, address, ends)
                outcome.retries = 1
        if isinstance(outcome, ChatKitError):
            raise outcome
        return outcome

    def close(self) -> None:
        self._session.close()

    def _once(self, method: Method, address: str, ends: float) -> Reply | ChatKitError:
        """One exchange. What requests raises is turned into a value of ours here, and dropped: its frames and its
        `request` hold the Authorization header, and an error that kept them could carry the key into a report.

        The session prepares a request of each method once, and its adapter sends copies: preparing them anew, and the
        session's own care for cookies and redirects, of which there are none, would double what a call costs."""
        left = max(0.001, ends - time.monotonic())
        request = self._auth(self._prepared[method].copy())
        request.url = address
        known = trace.get()
        if known is not None and known.id:
            request.headers["X-Client-Request-Id"] = known.id
        timeout = (min(self._limits.connect, left), left)
        try:
            with self._adapter.send(request, stream=True, timeout=timeout, proxies=self._proxies) as response:
                if known is not None:
                    known.clock = Clock(date_of(response.headers), time.monotonic())
                body = self._read(response, ends)
                if isinstance(body, ChatKitError):
                    return body
                theirs = self._request_id(response.headers)
                if known is not None and theirs is not None:
                    known.upstream.append(theirs)
                return Reply(response.status_code, response.headers, body, theirs)
        except _BROKEN as error:
            return _broken(error)

    def _read(self, response: requests.Response, ends: float) -> bytearray | ChatKitError:
        """The body. `read1` gives what has come so far, where `read` would wait for a whole chunk of it."""
        body = bytearray()
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            body += chunk
            large, late = len(body) > self._limits.bytes, time.monotonic() > ends
            if large or late:
                response.raw.close()
                said: dict[str, Any] = {
                    "status": response.status_code, "request_id": self._request_id(response.headers)
                }  # fmt: skip
                if late and not large:
                    return TimedOut(_LATE, **said)
                detail = f"the reply is larger than {self._limits.bytes:,} bytes"
                # An error is not a page, and would be no smaller with fewer rows.
                return too_large(detail, body, **said) if 200 <= response.status_code < 300 else Garbled(detail, **said)
        return body

    def _request_id(self, headers: CaseInsensitiveDict[str]) -> str | None:
        """As below, but for one that has the key in it, whatever keys of this upstream look like."""
        value = request_id(headers)
        return value if value is None or self._auth.hide(value) == value else None


def date_of(headers: CaseInsensitiveDict[str]) -> float | None:
    """The upstream's clock as its `Date` says it, in Unix seconds; None where it says nothing that can be read."""
    try:
        said = parsedate_to_datetime(headers.get("date", ""))
        # One without a zone is in UTC, as HTTP has it, and never in that of this machine.
        return (said if said.tzinfo else said.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def request_id(headers: CaseInsensitiveDict[str]) -> str | None:
    """The upstream's id of a call, where it looks like one: whatever else stands there, a key perhaps, is not shown."""
    value = headers.get("x-request-id", "")
    return value if re.fullmatch(r"[\w.:/+=-]{1,128}", value, re.ASCII) and "sk-" not in value else None


def _wait_before_second(outcome: Reply | ChatKitError) -> float | None:
    if isinstance(outcome, ChatKitError):
        return retry.pause(None) if outcome.retryable else None
    if not retry.worth_another(outcome.status, outcome.headers):
        return None
    return retry.pause(retry.retry_after(outcome.headers))


_LATE = "the reply was not whole in time"

_KINDS: tuple[tuple[tuple[type[BaseException], ...], type[ChatKitError], str], ...] = (
    # To urllib3 this is a kind of time-out.
    ((NewConnectionError,), Unavailable, "no connection could be made"),
    ((ConnectTimeout, ConnectTimeoutError), Unavailable, "no connection could be made in time"),
    ((TimeoutError, requests.Timeout, urllib3.exceptions.TimeoutError), TimedOut, _LATE),
    ((ContentDecodingError, DecodeError), Garbled, "the reply is not compressed as it says"),
    ((requests.exceptions.SSLError, SSLError), Unavailable, "the upstream's certificate could not be verified"),
    ((IncompleteRead,), Unavailable, "the reply was cut short"),
)
"""The first row that any cause of a failure fits says what it was."""


def _broken(error: BaseException) -> ChatKitError:
    """The error of ours for one of the libraries', in no words of theirs: those name addresses."""
    causes = list(_causes(error))
    for types, ours, detail in _KINDS:
        if any(isinstance(each, types) for each in causes):
            return ours(detail)
    return Unavailable("the connection broke")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and all that it wraps: as cause, as context, or as an argument, as urllib3 does."""
    seen: list[object] = []
    waiting: list[object] = [error]
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, BaseException) and each not in seen:
            seen.append(each)
            waiting += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]
            yield each
