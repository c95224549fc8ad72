"""A transport adapter for requests: calls the emulator in process, without a socket."""

import io
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from urllib3 import HTTPResponse

from threads.emulator.api.replies import EmulatorReply
from threads.emulator.emulator import Emulator
from threads.emulator.faults import Fault

# Limit for a client without a read timeout, which would hang for ever on a socket.
_MAX_HANG_SECONDS = 1.0


class _DripStream(io.RawIOBase):
    """Yields one byte every 0.1 seconds, without end."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        time.sleep(0.1)
        buffer[:1] = b" "
        return 1

    def read1(self, size: int = -1) -> bytes:
        """Returns what one read gives, as the files of sockets do."""
        return self.read(1) or b""


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _read_timeout(timeout: Any) -> float | None:
    """The read timeout in seconds, from the `timeout` argument of requests."""
    value = timeout[1] if isinstance(timeout, tuple) else timeout
    return value if isinstance(value, int | float) else getattr(value, "read_timeout", None)


class EmulatorAdapter(BaseAdapter):
    """A requests adapter, mounted with `session.mount("http://emulator", EmulatorAdapter(emulator))`.

    `response.raw` is a urllib3 response over the bytes of the body, so that streaming, `read1` and decompression work
    as with a socket. Connection faults: `refuse` raises ConnectionError; `hang` and `drip-headers` raise ReadTimeout
    after the read timeout, at most a second; `drip` drips; `cut-short` ends early, which urllib3 detects.
    """

    def __init__(self, emulator: Emulator) -> None:
        super().__init__()
        self.emulator = emulator

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Returns the emulator's response to a prepared request."""
        url = urlsplit(request.url or "")
        headers = {_text(name): _text(value) for name, value in request.headers.items()}
        time.sleep(self.emulator.latency_ms / 1000)
        reply = self.emulator.handle(request.method or "GET", url.path, url.query, headers)
        if reply.wire is Fault.REFUSE:
            raise requests.exceptions.ConnectionError("Connection reset by peer", request=request)
        if reply.wire in (Fault.HANG, Fault.DRIP_HEADERS):
            wait = _read_timeout(timeout)
            time.sleep(_MAX_HANG_SECONDS if wait is None else min(wait, _MAX_HANG_SECONDS))
            raise requests.exceptions.ReadTimeout("Read timed out.", request=request)
        response = _response(request, reply)
        if not stream:
            _ = response.content
        return response

    def close(self) -> None:
        """Does nothing: no connection is open."""


def _response(request: requests.PreparedRequest, reply: EmulatorReply) -> requests.Response:
    body: io.IOBase = io.BytesIO(reply.body)
    headers = {**reply.headers, "content-length": str(len(reply.body))}
    if reply.wire is Fault.DRIP:
        body, headers["content-length"] = _DripStream(), "1000000"
    elif reply.wire is Fault.CUT_SHORT:
        body = io.BytesIO(reply.body[: len(reply.body) // 2])
    response = requests.Response()
    response.status_code = reply.status
    response.reason = reply.phrase
    response.headers = CaseInsensitiveDict(headers)
    response.encoding = get_encoding_from_headers(response.headers)
    response.url = request.url or ""
    response.request = request
    response.raw = HTTPResponse(
        body=body,
        headers=headers,
        status=reply.status,
        reason=reply.phrase,
        preload_content=False,
        decode_content=False,
        request_method=request.method,
    )
    return response
