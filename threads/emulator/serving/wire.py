"""HTTP/1.1 as far as the emulator's server needs it: reading calls, writing replies."""

from dataclasses import dataclass
from typing import Protocol

from threads.emulator.api.replies import Reply

_LONGEST_LINE = 65_536
_MOST_HEADERS = 100


class Stream(Protocol):
    """What calls are read from."""

    def readline(self, size: int, /) -> bytes:
        """A line with its end, cut at `size` bytes."""

    def read(self, size: int, /) -> bytes:
        """`size` bytes, fewer at the end only."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it came over the wire. `path` and `query` are percent-encoded."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    keep_alive: bool


def _read_headers(stream: Stream) -> dict[str, str] | None:
    headers: dict[str, str] = {}
    for _ in range(_MOST_HEADERS):
        line = stream.readline(_LONGEST_LINE)
        if line in (b"\r\n", b"\n"):
            return headers
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or not line.endswith(b"\n"):
            return None
        headers[name.strip().lower()] = value.strip()
    return None


def read_call(stream: Stream) -> Call | None:
    """The next call; None at the end, and for one that is not HTTP as expected.

    A body is read and forgotten: no call has one.
    """
    words = stream.readline(_LONGEST_LINE).decode("latin-1").split()
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


def reply_bytes(reply: Reply, call: Call | None) -> bytes:
    """The reply as it goes over the wire, in one piece. `call` is None for one cut short."""
    head = [f"HTTP/1.1 {reply.status} {reply.phrase}"]
    head += [f"{name}: {value}" for name, value in reply.headers.items()]
    head.append(f"content-length: {len(reply.body)}")
    if call and not call.keep_alive:
        head.append("connection: close")
    body = b"" if call and call.method == "HEAD" else reply.body
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body
