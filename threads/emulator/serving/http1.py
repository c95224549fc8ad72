"""Minimal HTTP/1.1 for the emulator's server: parses requests, encodes replies."""

from dataclasses import dataclass
from typing import Protocol

from threads.emulator.api.replies import EmulatorReply

_MAX_LINE_BYTES = 65_536
_MAX_HEADERS = 100


class Stream(Protocol):
    """A byte stream with requests."""

    def readline(self, size: int, /) -> bytes:
        """A line with its line ending, at most `size` bytes."""

    def read(self, size: int, /) -> bytes:
        """`size` bytes, or fewer at the end of the stream."""


@dataclass(frozen=True, slots=True)
class Call:
    """A parsed request. `path` and `query` are percent-encoded."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    keep_alive: bool


def _read_headers(stream: Stream) -> dict[str, str] | None:
    headers: dict[str, str] = {}
    for _ in range(_MAX_HEADERS):
        line = stream.readline(_MAX_LINE_BYTES)
        if line in (b"\r\n", b"\n"):
            return headers
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or not line.endswith(b"\n"):
            return None
        headers[name.strip().lower()] = value.strip()
    return None


def read_call(stream: Stream) -> Call | None:
    """The next request, or None at the end of the stream and for invalid or unsupported HTTP.

    A request body is read and dropped: no endpoint takes one.
    """
    words = stream.readline(_MAX_LINE_BYTES).decode("latin-1").split()
    if len(words) != 3:
        return None
    headers = _read_headers(stream)
    if headers is None or "transfer-encoding" in headers:
        return None
    length = headers.get("content-length", "0")
    if not length.isdecimal():
        return None
    stream.read(int(length))
    method, target, version = words
    path, _, query = target.partition("?")
    keep_alive = version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
    return Call(method, path, query, headers, keep_alive)


def reply_bytes(reply: EmulatorReply, call: Call | None) -> bytes:
    """The encoded reply. `call` is None for a reply that is cut short."""
    head = [f"HTTP/1.1 {reply.status} {reply.phrase}"]
    head += [f"{name}: {value}" for name, value in reply.headers.items()]
    head.append(f"content-length: {len(reply.body)}")
    if call and not call.keep_alive:
        head.append("connection: close")
    body = b"" if call and call.method == "HEAD" else reply.body
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body
