"""Latency under a steady load: requests are sent when they are due, whether or not those before have an answer."""

from __future__ import annotations

import asyncio
from collections import deque

from attrs import frozen
from support.flexid_process import ADDRESS

CONNECTIONS = 32
END_OF_HEAD = b"\r\n\r\n"


@frozen
class Latency:
    """Times from when a request was due to the end of its answer."""

    offered_per_second: float
    p50_ms: float
    p99_ms: float
    worst_ms: float
    refused: int


class _Connection(asyncio.Protocol):
    """Sends one request at a time; answers have a Content-Length, as all of ours."""

    def __init__(self, pacer: _Pacer) -> None:
        self._pacer = pacer
        self._received = b""
        self._due = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def send(self, due: float) -> None:
        assert self._transport
        self._due = due
        self._transport.write(self._pacer.request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(END_OF_HEAD)
        if end and len(body) >= int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            self._received = b""
            self._pacer.finished(self, self._due, succeeded=head.startswith(b"HTTP/1.1 200"))


class _Pacer:
    def __init__(self, loop: asyncio.AbstractEventLoop, request: bytes, total: int) -> None:
        self.request = request
        self.total = total
        self.latencies: list[float] = []
        self.refused = 0
        self.all_done = asyncio.Event()
        self._loop = loop
        self._idle: deque[_Connection] = deque()
        self._waiting: deque[float] = deque()

    async def connect(self, port: int) -> None:
        for _ in range(CONNECTIONS):
            _, connection = await self._loop.create_connection(lambda: _Connection(self), ADDRESS, port)
            self._idle.append(connection)

    def send(self, due: float) -> None:
        if self._idle:
            self._idle.popleft().send(due)
        else:
            self._waiting.append(due)

    def finished(self, connection: _Connection, due: float, *, succeeded: bool) -> None:
        self.latencies.append(self._loop.time() - due)
        self.refused += not succeeded
        if len(self.latencies) == self.total:
            self.all_done.set()
        if self._waiting:
            connection.send(self._waiting.popleft())
        else:
            self._idle.append(connection)


def measure(port: int, path: str, headers: dict[str, str], per_second: float, seconds: float) -> Latency:
    """Ask for a path so many times a second."""
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    request = "\r\n".join(lines).encode() + END_OF_HEAD
    return asyncio.run(_measure(port, request, per_second, seconds))


async def _measure(port: int, request: bytes, per_second: float, seconds: float) -> Latency:
    loop = asyncio.get_running_loop()
    total = int(per_second * seconds)
    pacer = _Pacer(loop, request, total)
    await pacer.connect(port)
    began = loop.time()
    for number in range(total):
        due = began + number / per_second
        if (early := due - loop.time()) > 0:
            await asyncio.sleep(early)
        elif number % CONNECTIONS == 0:
            await asyncio.sleep(0)  # late already: let answers in between
        pacer.send(due)
    await pacer.all_done.wait()
    ordered = [1000 * latency for latency in sorted(pacer.latencies)]
    return Latency(per_second, ordered[total // 2], ordered[total * 99 // 100], ordered[-1], pacer.refused)
