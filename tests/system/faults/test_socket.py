"""Faults of the wire itself, byte by byte, from a server of a few lines."""

from __future__ import annotations

import gzip
import socket
import time
import tracemalloc

import pytest

from tests.support.sockets import Answer, serving, whole
from threads.chatkit import ApiConfig, ChatKitClient, ChatKitError, Garbled, Limits, TimedOut, Unavailable
from threads.chatkit.parse import MAX_TOKENS


def ask(base_url: str, **limits: float) -> None:
    client = ChatKitClient(ApiConfig("sk-test", base_url), limits=Limits(**({"seconds": 1.0, "connect": 0.5} | limits)))  # type: ignore[arg-type]
    try:
        client.list_threads()
    finally:
        client.close()


def drip(first: bytes, each: bytes) -> Answer:
    def answer(connection: socket.socket) -> None:
        connection.sendall(first)
        for _ in range(100):
            connection.sendall(each)
            time.sleep(0.05)

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" "),
        drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFF\r\n", b" "),
        drip(b"HTTP/1.1 200 OK\r\n\r\n", b" "),
        drip(b"HTTP/1.1 200 OK\r\n", b"X-More: 1\r\n"),
        drip(b"", b"H"),
        drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        drip(b"HTTP/1.1 200 OK\r\nX-Long: ", b"y"),
    ],
    ids=["length", "chunks", "one chunk", "until close", "headers", "status line", "continue", "one header"],
)
def test_what_drips_meets_the_deadline(answer: Answer) -> None:
    with serving(answer) as base_url:
        started = time.monotonic()
        with pytest.raises(TimedOut):
            ask(base_url)
        assert 0.9 < time.monotonic() - started < 2.5


def test_the_deadline_holds_through_a_proxy() -> None:
    with serving(drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" ")) as address:
        proxied = ChatKitClient(
            ApiConfig("sk-test", "http://upstream.invalid/v1"),
            limits=Limits(seconds=1.0, connect=0.5),
            proxy=address.removesuffix("/v1"),
        )
        with pytest.raises(TimedOut):
            proxied.list_threads()
        proxied.close()


def test_a_reply_that_comes_slowly_but_in_time_is_taken() -> None:
    page = b'{"data": [], "has_more": false}'

    def answer(connection: socket.socket) -> None:
        for byte in whole(page):
            connection.sendall(bytes([byte]))
            time.sleep(0.002)

    with serving(answer) as base_url:
        ask(base_url, seconds=5.0)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (b"", Unavailable),
        (b"\r\n\r\n", Unavailable),
        (b"SSH-2.0-OpenSSH\r\n", Unavailable),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", Unavailable),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", Unavailable),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", Unavailable),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n", Unavailable),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", Unavailable),
        (whole(b"not gzip", b"Content-Encoding: gzip\r\n"), Garbled),
        (whole(b"\x1f\x8b\x08\x00cut", b"Content-Encoding: gzip\r\n"), Garbled),
        (whole(b"x", b"Content-Encoding: gzip, gzip, gzip, gzip, gzip, gzip, gzip\r\n"), Garbled),
        (b"HTTP/1.1 204 No Content\r\n\r\n", Garbled),
        (b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n", Garbled),
        (b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n", Unavailable),
    ],
    ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else "",
)
def test_what_is_no_reply_has_its_error(reply: bytes, kind: type[ChatKitError]) -> None:
    with serving(lambda connection: connection.sendall(reply)) as base_url, pytest.raises(kind):
        ask(base_url, seconds=4.0)


ROW = b'{"id":"cthr_%d","created_at":1,"title":"x","status":{"type":"active"},"user":"u"},'


@pytest.mark.parametrize(
    "body",
    [
        b'{"data":[' + b"{}," * 3_400_000 + b"{}]}",
        b'{"data":[' + b"".join(ROW % n for n in range(MAX_TOKENS // 8)) + b"{}]}",
        b'{"data":[{"id":"a","title":"' + b"x" * 5_000_000 + "😀".encode() + b'"}],"has_more":false}',
        b" " * 20_000_000,
        b'{"data":[' + b"1.5," * 249_000 + b"1]}",
    ],
    ids=["many parts", "many rows", "long title", "over the cap", "many numbers"],
)
def test_no_body_costs_more_than_60_megabytes(body: bytes) -> None:
    with serving(lambda connection: connection.sendall(whole(body))) as base_url:
        ask_quietly(base_url)
        peak = peak_of_asking(base_url)
    # The server's own copy, made by `whole`, is not the client's.
    assert peak - len(body) < 60_000_000


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s",
        b"HTTP/1.1 500 Oops\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s",
    ],
)
def test_no_status_gets_around_the_cap(reply: bytes) -> None:
    words = gzip.compress(b'{"error":{"message":"' + b"a " * 4_900_000 + b'"}}')
    bomb = gzip.compress(b" " * 100_000_000)
    for body in (words, bomb):
        with serving(lambda connection, body=body: connection.sendall(reply % (len(body), body))) as base_url:  # type: ignore[misc]
            peak = peak_of_asking(base_url)
        assert peak < 60_000_000


def ask_quietly(base_url: str) -> None:
    try:
        ask(base_url, seconds=30.0)
    except ChatKitError:
        pass


def peak_of_asking(base_url: str) -> int:
    """The most bytes that were allocated at once while one call was made."""
    tracemalloc.start()
    try:
        ask_quietly(base_url)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
