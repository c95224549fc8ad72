"""HTTP/1.1 server for the emulator, with keep-alive and a thread per connection."""

import socket
import socketserver
import struct
import sys
import threading
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from threads.emulator.api.replies import EmulatorReply
from threads.emulator.emulator import Emulator
from threads.emulator.faults import Fault

from .http1 import Call, read_call, reply_bytes

_DRIP_INTERVAL_SECONDS = 0.1
_CLOSE_TIMEOUT_SECONDS = 5.0


class _Listener(socketserver.ThreadingTCPServer):
    """Tracks its open connections, so that closing the server can end them."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], emulator: Emulator, listening: socket.socket | None) -> None:
        self.emulator = emulator
        self.closing = threading.Event()
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__(address, _ConnectionHandler, bind_and_activate=listening is None)
        if listening is not None:
            self.socket.close()
            self.socket, self.server_address = listening, listening.getsockname()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._changed:
                self._open.discard(request)
                self._changed.notify_all()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Reports an error, unless the client disconnected."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def close_connections(self) -> None:
        """Ends every connection and waits for their threads."""
        self.closing.set()
        with self._changed:
            for connection in self._open:
                with suppress(OSError):  # the client may have closed it already
                    connection.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._open, _CLOSE_TIMEOUT_SECONDS)


class _ConnectionHandler(socketserver.StreamRequestHandler):
    """One keep-alive connection of a client."""

    server: _Listener
    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Answers calls until the client disconnects, sends invalid HTTP, or a fault ends the connection."""
        while not self.server.closing.is_set():
            call = read_call(self.rfile)
            if call is None or not self._answer(call):
                return

    def _answer(self, call: Call) -> bool:
        """Answers one call. Returns whether the connection stays open."""
        emulator = self.server.emulator
        if emulator.latency_ms:
            self.server.closing.wait(emulator.latency_ms / 1000)
        reply = emulator.handle(call.method, call.path, call.query, call.headers)
        if reply.wire:
            self._break_connection(reply, reply.wire)
            return False
        self.wfile.write(reply_bytes(reply, call))
        return call.keep_alive

    def _break_connection(self, reply: EmulatorReply, fault: Fault) -> None:
        match fault:
            case Fault.REFUSE:
                # Closing with SO_LINGER of 0 seconds resets the connection. The reader shares the socket, which
                # closes only when both are closed.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.rfile.close()
                self.connection.close()
            case Fault.HANG:
                self._hang()
            case Fault.DRIP:
                start = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n"
                self._drip(start, b" ")
            case Fault.DRIP_HEADERS:
                self._drip(b"HTTP/1.1 200 OK\r\n", b"x-padding: 1\r\n")
            case Fault.CUT_SHORT:
                whole = reply_bytes(reply, None)
                self.wfile.write(whole[: len(whole) - len(reply.body) + len(reply.body) // 2])

    def _hang(self) -> None:
        """Sends nothing until the client disconnects or the server closes."""
        while self.connection.recv(65536):
            pass

    def _drip(self, start: bytes, drop: bytes) -> None:
        self.wfile.write(start)
        while not self.server.closing.wait(_DRIP_INTERVAL_SECONDS):
            self.wfile.write(drop)


class EmulatorServer:
    """Serves `emulator` at `base_url`, from construction until `close()`. A context manager.

    Port 0 takes a free port. `listening` is a listening socket to use in place of `host` and `port`.
    """

    def __init__(
        self,
        emulator: Emulator,
        host: str = "127.0.0.1",
        port: int = 0,
        listening: socket.socket | None = None,
    ) -> None:
        self.emulator = emulator
        self._listener = _Listener((host, port), emulator, listening)
        self._serving = threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True)
        self._serving.start()

    @property
    def base_url(self) -> str:
        """The base URL for a client, ending in `/v1`."""
        host, port = self._listener.server_address[:2]
        return f"http://{host!s}:{port}/v1"

    def close(self) -> None:
        """Stops listening and ends every connection, also those that hang or drip. Idempotent."""
        self._listener.shutdown()
        self._listener.server_close()
        self._listener.close_connections()
        self._serving.join(_CLOSE_TIMEOUT_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
