"""What an upstream may answer beyond the emulator's faults: each over a real socket, and the page that comes of it."""

from __future__ import annotations

import json
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client

from tests.support.reader import Get
from tests.support.seen import Seen
from tests.support.sockets import Answer, serving, whole
from tests.support.upstream import use_upstream
from threads.chatkit import ApiConfig, ChatKitClient, Limits

KEY = "of-a-gateway-very-secret-0123456789"
"""One that nothing but itself gives away: what begins with sk- is hidden by that alone."""


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Answer], None]]:
    """The desk asks a server that answers each call so."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def begin(answer: Answer) -> None:
            base_url = stack.enter_context(serving(answer))
            client = ChatKitClient(ApiConfig(KEY, base_url), limits=Limits(1.5, 0.5, 2_000_000))
            stack.callback(client.close)
            use_upstream(monkeypatch, client)

        yield begin


def reply(status: bytes, body: bytes = b"", headers: bytes = b"") -> Answer:
    # Else a retry at once might still find the connection open, and take it for a live one.
    head = b"HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %d\r\n%s\r\n" % (status, len(body), headers)
    return lambda connection: connection.sendall(head + body)


def row(identifier: str, **about: Any) -> dict[str, Any]:
    return {
        "id": identifier, "object": "chatkit.thread", "created_at": 1_790_000_000, "title": "Refund", "user": "u",
        "status": {"type": "active"},
    } | about  # fmt: skip


def page_of(*rows: dict[str, Any], has_more: bool = False) -> Answer:
    return lambda connection: connection.sendall(whole(json.dumps({"data": rows, "has_more": has_more}).encode()))


WAITS = {
    "120": "120",
    "0": "0",
    "-5": None,
    "9" * 400: None,
    "1e308": None,
    "inf": None,
    "Fri, 31 Dec 9999 23:59:59 GMT": None,
    "Thu, 01 Jan 1970 00:00:00 GMT": "0",
    "soon": None,
    "\xff\xfe": None,
}


@pytest.mark.parametrize("asked", WAITS, ids=lambda value: ascii(value)[1:20])
def test_whatever_wait_is_asked_for(get: Get, answering: Callable[[Answer], None], asked: str, seen: Seen) -> None:
    answering(reply(b"429 Slow", b"{}", b"Retry-After: %s\r\n" % asked.encode("latin-1")))
    page = get("/threads/", status=503)
    assert "Too many requests" in page.said()
    assert page.headers.get("Retry-After") == WAITS[asked]
    seen(f"503, Retry-After {page.headers.get('Retry-After')}")


def test_a_wait_until_a_moment_is_told(get: Get, answering: Callable[[Answer], None], seen: Seen) -> None:
    until = datetime.now(UTC) + timedelta(hours=2)
    answering(reply(b"429 Slow", b"", b"Retry-After: %s\r\n" % f"{until:%a, %d %b %Y %H:%M:%S GMT}".encode()))
    page = get("/threads/", status=503)
    assert 7100 < int(page.headers["Retry-After"]) <= 7200
    assert "It asks to wait 2 hours, until" in page.said() or "It asks to wait 1 hour" in page.said()
    seen(f"503, Retry-After {page.headers['Retry-After']}")


ECHOES: dict[str, Answer] = {
    "in the words of an error": reply(
        b"500 Oops", json.dumps({"error": {"message": f"bad header: Bearer {KEY}"}}).encode()
    ),
    "in the request id": reply(b"500 Oops", b"{}", f"x-request-id: {KEY}\r\n".encode()),
    "in the reason": reply(f"401 {KEY}".encode(), b"{}"),
    "in a redirect": reply(b"302 Found", b"", f"Location: http://127.0.0.1:9/{KEY}\r\n".encode()),
    "in what is no reply": lambda connection: connection.sendall(KEY.encode() * 20),
}


@pytest.mark.parametrize("where", ECHOES)
def test_a_key_that_is_sent_back_is_not_shown(
    get: Get, answering: Callable[[Answer], None], where: str, caplog: pytest.LogCaptureFixture, seen: Seen
) -> None:
    caplog.set_level(logging.DEBUG, logger="threads")
    answering(ECHOES[where])
    page = get("/threads/", status=502)
    assert KEY not in page.text
    assert KEY not in str(page.headers)
    assert KEY not in caplog.text
    seen("502 without the key, in the page, its headers and the log")


def test_a_redirect_takes_the_key_nowhere(get: Get, answering: Callable[[Answer], None], seen: Seen) -> None:
    visited: list[socket.socket] = []
    with serving(visited.append) as elsewhere:
        for status in (b"301 Moved", b"302 Found", b"307 Temporary", b"308 Permanent"):
            answering(reply(status, b"", b"Location: %s\r\n" % elsewhere.encode()))
            assert "isn't valid" in get("/threads/", status=502).said()
    assert not visited
    seen("502 each time, and nobody came to the other host")


def test_a_page_in_place_of_a_refusal(get: Get, answering: Callable[[Answer], None], seen: Seen) -> None:
    answering(
        reply(b"403 Forbidden", b"<html><script>alert(1)</script>Attention required", b"Content-Type: text/html\r\n")
    )
    page = get("/threads/", status=502)
    assert "may not read threads" in page.said()
    assert "<script>alert" not in page.text
    seen("502, the refusal in words of ours")


def test_a_length_that_is_wrong(get: Get, answering: Callable[[Answer], None], seen: Seen) -> None:
    body = json.dumps({"data": [row("cthr_1")], "has_more": False}).encode()
    answering(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" + body))
    assert "isn't valid" in get("/threads/", status=502).said()
    answering(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n" + body))
    assert "can't be reached" in get("/threads/", status=502).said()
    answering(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" + body))
    assert get("/threads/").thread_ids == ["cthr_1"], "a reply that ends with its connection"
    seen("502 for too short and too long; a negative one is not believed")


def test_rows_that_come_twice_are_shown_once(get: Get, answering: Callable[[Answer], None], seen: Seen) -> None:
    answering(page_of(row("cthr_1"), row("cthr_2"), row("cthr_1", title="Another"), row("cthr_2")))
    assert get("/threads/").thread_ids == ["cthr_1", "cthr_2"]
    seen("each id once, its first row")


@pytest.mark.parametrize(
    "created_at",
    [253_402_300_799, 253_402_300_800, -62_135_596_801, -1, 10**15, 10**300, -(10**300), 1e300, True, "1790000000", []],
    ids=str,
)
def test_times_that_are_none(get: Get, answering: Callable[[Answer], None], created_at: object, seen: Seen) -> None:
    answering(page_of(row("cthr_1", created_at=created_at), row("cthr_2")))
    page = get("/threads/")
    assert page.thread_ids == ["cthr_1", "cthr_2"]
    cells = page.all("td", class_="created")
    seen(page.said(cells[0])[:60])


KINDS = [
    ("title", ["a", "list"]), ("title", {"text": "x"}), ("title", 7), ("user", None), ("user", 12),
    ("status", "active"), ("status", {"type": 7}),
    ("status", {"type": "x" * 5000, "reason": "y" * 20_000}), ("status", []),
    ("object", 3), ("id", "a/../../admin/?x=1#y"), ("id", "."), ("id", "\u202e\x00id"), ("id", "x" * 9000), ("id", ""),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), KINDS, ids=lambda value: ascii(value)[:24])
def test_fields_of_any_type(
    get: Get, answering: Callable[[Answer], None], name: str, value: object, seen: Seen
) -> None:
    answering(page_of(row("cthr_1", **{name: value}), row("cthr_2")))
    page = get("/threads/")
    assert len(page.all("tr")) == 3
    assert "cthr_2" in page.thread_ids
    links = [link.get("href") or "" for link in page.all("a")]
    assert not [link for link in links if link.startswith(("/threads/a/..", "/admin/?x"))]
    seen("the row is there, and the other beside it")


def test_more_that_is_not_there(get: Get, answering: Callable[[Answer], None], seen: Seen) -> None:
    rows = [row(f"cthr_{number}") for number in range(20)]
    answering(page_of(*rows, has_more=True))
    onward = get("/threads/").link("next")
    assert onward
    answering(page_of())
    page = get(onward)
    assert not page.thread_ids
    assert "first page" in page.said().lower()
    seen("an empty page, which offers the first one")


@contextmanager
def secure(folder: Path) -> Iterator[str]:
    """A server with a certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(1))
    signed = made.sign(key, hashes.SHA256())
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + signed.public_bytes(serialization.Encoding.PEM)
    file = folder / "own.pem"
    file.write_bytes(text)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        for _ in range(2):  # a connection that broke is tried once more
            try:
                connection, _ = listener.accept()
                with connection, context.wrap_socket(connection, server_side=True) as shaken:
                    shaken.recv(1000)
            except OSError:
                pass

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        listener.close()


def test_a_certificate_that_nobody_vouches_for(
    get: Get, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, seen: Seen
) -> None:
    with secure(tmp_path) as base_url:
        client = ChatKitClient(ApiConfig(KEY, base_url), limits=Limits(3, 1, 10_000))
        use_upstream(monkeypatch, client)
        page = get("/threads/", status=502)
        client.close()
    assert "certificate could not be verified" in page.said()
    seen("502: the upstream's certificate could not be verified")


def test_items_of_kinds_that_nobody_knows(agent: Client, get: Get, emulator: Any, seen: Seen) -> None:
    (thread, *_) = emulator.thread_ids()
    odd = [
        {"type": "chatkit.hologram", "beam": {"deep": ["<script>alert(1)</script>"]}},
        {"type": "chatkit.user_message", "content": "not a list"},
        {"type": "chatkit.assistant_message", "content": [{"type": "output_smell", "text": "roses"}, 7, None]},
        {"type": "chatkit.widget", "widget": "{not json"},
        {"type": "chatkit.task_group", "tasks": {"not": "a list"}},
        {"type": "chatkit.client_tool_call", "arguments": 5, "output": ["x"]},
        {"type": "chatkit.task", "task_type": None},
        {"type": 9},
    ]
    emulator.set_items(thread, odd)
    page = get(f"/threads/{thread}/")
    assert "hologram" in page.said()
    assert "<script>alert" not in page.text
    shown = [each for each in page.all("li") if "item" in (each.get("class") or "").split()]
    assert len(shown) == len(odd)
    seen("each of them is shown with what it has")
