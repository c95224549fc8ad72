"""The emulator on a real socket, with and without faults."""

import socket
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse, IncompleteRead, RemoteDisconnected
from urllib.parse import quote, urlsplit

import pytest

from tests.support.calls import HEADERS, NOW, THREADS, get
from threads.emulator import Emulator, EmulatorServer, Fault
from threads.emulator.faults import CONNECTION_FAULTS

PATIENCE = 0.35


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(60, now=NOW)


@pytest.fixture
def server(emulator: Emulator) -> Iterator[EmulatorServer]:
    with EmulatorServer(emulator) as server:
        yield server


@pytest.fixture
def connection(server: EmulatorServer) -> Iterator[HTTPConnection]:
    connection = HTTPConnection(urlsplit(server.base_url).netloc, timeout=5)
    yield connection
    connection.close()


def ask(connection: HTTPConnection, target: str = THREADS, method: str = "GET") -> HTTPResponse:
    connection.request(method, target, headers=HEADERS)
    return connection.getresponse()


def raw_answer(server: EmulatorServer, data: bytes) -> bytes:
    """All that the server says to `data` until it closes the connection."""
    host, _, port = urlsplit(server.base_url).netloc.partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as client:
        client.sendall(data)
        parts = []
        while part := client.recv(65536):
            parts.append(part)
        return b"".join(parts)


def test_a_connection_answers_many_calls(emulator: Emulator, connection: HTTPConnection) -> None:
    expected = emulator.handle("GET", THREADS, "", HEADERS).body
    for _ in range(3):
        response = ask(connection)
        assert response.status == 200
        assert response.read() == expected
    assert not response.will_close


def test_targets_keep_their_encoding(emulator: Emulator, connection: HTTPConnection) -> None:
    user = "ACME Corp/ops team 100% #7"
    response = ask(connection, f"{THREADS}?limit=3&user={quote(user, safe='')}")
    assert response.status == 200
    assert emulator.calls[-1] == ("GET", THREADS, f"limit=3&user={quote(user, safe='')}")
    assert response.read().count(b"ACME Corp/ops") == len(get(emulator, limit=3, user=user)["data"])
    missing = ask(connection, f"{THREADS}/{quote('a/b?c', safe='')}")
    assert missing.status == 404
    assert b"a/b?c" in missing.read()


def test_delete_over_the_wire(emulator: Emulator, connection: HTTPConnection) -> None:
    one = next(emulator.thread_ids())
    assert b'"deleted":true' in ask(connection, f"{THREADS}/{one}", "DELETE").read()
    assert ask(connection, f"{THREADS}/{one}").status == 404


def test_an_answer_to_head_has_no_body(server: EmulatorServer) -> None:
    answer = raw_answer(server, b"HEAD /v1 HTTP/1.1\r\nauthorization: Bearer x\r\nconnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 404 Not Found\r\n")
    assert answer.endswith(b"\r\n\r\n")


def test_a_request_body_is_passed_over(connection: HTTPConnection) -> None:
    connection.request("POST", THREADS, body=b"{}", headers=HEADERS)
    response = connection.getresponse()
    assert (response.status, bool(response.read())) == (405, True)
    assert ask(connection).status == 200


@pytest.mark.parametrize(
    "data",
    [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"GET / HTTP/1.1\r\ncontent-length: x\r\n\r\n"],
)
def test_what_is_not_http_ends_the_connection(server: EmulatorServer, data: bytes) -> None:
    assert raw_answer(server, data) == b""


def test_connection_close_is_obeyed(server: EmulatorServer) -> None:
    for head in (b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"):
        answer = raw_answer(server, head)
        assert answer.startswith(b"HTTP/1.1 401 Unauthorized\r\n")
        assert b"connection: close\r\n" in answer


def test_many_clients_at_once(emulator: Emulator, server: EmulatorServer) -> None:
    expected = emulator.handle("GET", THREADS, "", HEADERS).body
    answers: list[bytes] = []

    def client() -> None:
        connection = HTTPConnection(urlsplit(server.base_url).netloc, timeout=5)
        answers.extend(ask(connection).read() for _ in range(5))
        connection.close()

    clients = [threading.Thread(target=client) for _ in range(12)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    assert answers == [expected] * 60


def test_latency_is_waited_for(emulator: Emulator, connection: HTTPConnection) -> None:
    emulator.latency_ms = 10_000
    connection.timeout = 0.2
    with pytest.raises(TimeoutError):
        ask(connection)


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault not in CONNECTION_FAULTS])
def test_faults_of_the_answer_arrive_whole(emulator: Emulator, connection: HTTPConnection, fault: Fault) -> None:
    emulator.fault = fault
    response = ask(connection)
    body = response.read()
    assert len(body) == int(response.headers["content-length"])
    emulator.fault = fault
    again = emulator.handle("GET", THREADS, "", HEADERS)
    assert (response.status, body) == (again.status, again.body)


def test_refuse_resets_the_connection(emulator: Emulator, connection: HTTPConnection) -> None:
    emulator.fault = Fault.REFUSE
    with pytest.raises(ConnectionResetError) as refused:
        ask(connection)
    assert not isinstance(refused.value, RemoteDisconnected)


def test_hang_says_nothing(emulator: Emulator, connection: HTTPConnection) -> None:
    emulator.fault = Fault.HANG
    connection.timeout = PATIENCE
    with pytest.raises(TimeoutError):
        ask(connection)


def test_drip_never_ends_and_is_never_late(emulator: Emulator, connection: HTTPConnection) -> None:
    emulator.fault = Fault.DRIP
    connection.timeout = 5
    response = ask(connection)
    assert (response.status, response.headers["content-type"]) == (200, "application/json")
    assert [response.read1(100) for _ in range(3)] == [b" "] * 3


def test_header_lines_drip(emulator: Emulator, server: EmulatorServer) -> None:
    emulator.fault = Fault.DRIP_HEADERS
    with socket.create_connection(("127.0.0.1", urlsplit(server.base_url).port or 0), timeout=5) as client:
        head = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
        client.sendall(f"GET {THREADS} HTTP/1.1\r\n{head}\r\n".encode())
        got = b""
        while got.count(b"\r\n") < 4:
            got += client.recv(100)
    assert got.startswith(b"HTTP/1.1 200 OK\r\nx-padding: 1\r\nx-padding: 1\r\n")
    assert b"\r\n\r\n" not in got


def test_cut_short_ends_in_the_middle(emulator: Emulator, connection: HTTPConnection) -> None:
    emulator.fault = Fault.CUT_SHORT
    with pytest.raises(IncompleteRead) as cut:
        ask(connection).read()
    assert cut.value.partial
    assert cut.value.expected


@pytest.mark.parametrize("fault", [None, Fault.HANG, Fault.DRIP, Fault.DRIP_HEADERS])
def test_closing_ends_every_connection(fault: Fault | None) -> None:
    before = set(threading.enumerate())
    emulator = Emulator(5, now=NOW, fault=fault)
    server = EmulatorServer(emulator)
    port = urlsplit(server.base_url).port or 0
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(f"GET {THREADS} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        while not emulator.calls:
            time.sleep(0.01)
        server.close()
        server.close()
        while client.recv(65536):
            pass
    assert set(threading.enumerate()) <= before, "no thread is left"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_closing_does_not_wait_for_latency() -> None:
    before = set(threading.enumerate())
    server = EmulatorServer(Emulator(5, now=NOW, latency_ms=60_000))
    port = urlsplit(server.base_url).port or 0
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(f"GET {THREADS} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        while len(set(threading.enumerate()) - before) < 2:
            time.sleep(0.01)
        server.close()
    assert set(threading.enumerate()) <= before
