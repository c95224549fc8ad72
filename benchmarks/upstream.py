"""A cheap upstream: serves cached replies of the emulator from one event loop.

`python -m benchmarks.upstream --port 8100 --threads 1000000 --latency-ms 300`
"""

from __future__ import annotations

import argparse
import asyncio

from threads.emulator import Emulator

HEADERS = {"Authorization": "Bearer sk-bench", "OpenAI-Beta": "chatkit_beta=v1"}


def world(threads: int) -> Emulator:
    """The emulator behind the replies."""
    return Emulator(threads=threads, seed=7, now=1_790_000_000.0, showcase=True)


class Upstream:
    """Answers GET requests. `latency` is in seconds."""

    def __init__(self, threads: int, latency: float) -> None:
        self._emulator = world(threads)
        self._latency = latency
        self._replies: dict[bytes, bytes] = {}

    def reply(self, target: bytes) -> bytes:
        reply = self._replies.get(target)
        if reply is None:
            path, _, query = target.decode().partition("?")
            answer = self._emulator.handle("GET", path, query, HEADERS)
            lines = [f"HTTP/1.1 {answer.status} OK", f"content-length: {len(answer.body)}"]
            lines += [f"{name}: {value}" for name, value in answer.headers.items() if name.lower() != "content-length"]
            reply = "\r\n".join([*lines, "", ""]).encode() + answer.body
            if len(self._replies) < 50_000:
                self._replies[target] = reply
        return reply

    async def serve(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _ProtocolHandler(self, loop), "127.0.0.1", port, backlog=2048)
        async with server:
            await server.serve_forever()

    @property
    def latency(self) -> float:
        return self._latency


class _ProtocolHandler(asyncio.Protocol):
    """One keep-alive connection. Requests have no body and end at the first blank line."""

    def __init__(self, upstream: Upstream, loop: asyncio.AbstractEventLoop) -> None:
        self._upstream, self._loop = upstream, loop
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head, self._received = self._received[:end], self._received[end + 4 :]
            reply = self._upstream.reply(head.split(b" ", 2)[1])
            if self._upstream.latency:
                self._loop.call_later(self._upstream.latency, self._send, reply)
            else:
                self._send(reply)

    def _send(self, reply: bytes) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.write(reply)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--threads", type=int, default=1_000_000)
    parser.add_argument("--latency-ms", type=float, default=0)
    options = parser.parse_args()
    asyncio.run(Upstream(options.threads, options.latency_ms / 1000).serve(options.port))


if __name__ == "__main__":
    main()
