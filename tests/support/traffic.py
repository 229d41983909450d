"""Clients that ask without a pause, and what became of each request: over connections that they keep, or new ones."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from attrs import define, field, frozen

PATIENCE = 10.0
REST = 0.01
"""Seconds after a refusal."""


@frozen
class Outcome:
    """What became of a request; times in seconds of the monotonic clock."""

    began: float
    ended: float
    status: int
    """0: there was no answer."""
    kept: bool
    """Whether it went over a connection that is kept."""
    problem: str = ""

    @property
    def seconds(self) -> float:
        return self.ended - self.began


class NobodyListensError(Exception):
    """Nobody listens there."""


@define
class Traffic:
    """Clients of one port; `stops` ends a client that finds nobody listening."""

    port: int
    path: str
    headers: Mapping[str, str]
    kept: int
    short: int
    stops: bool = False
    done: list[Outcome] = field(factory=list)
    refused: int = 0
    """How often nobody listened, which is no request's failure."""
    _over: threading.Event = field(factory=threading.Event)

    @property
    def failures(self) -> list[Outcome]:
        """Requests without a good answer."""
        return [outcome for outcome in tuple(self.done) if outcome.status != 200]

    @property
    def statuses(self) -> Counter[int]:
        return Counter(outcome.status for outcome in tuple(self.done))

    def after(self, moment: float) -> list[Outcome]:
        """Return what was begun after a moment."""
        return [outcome for outcome in tuple(self.done) if outcome.began > moment]

    def run(self) -> None:
        """Ask until it is over."""
        asyncio.run(self._run())

    def end(self) -> None:
        """Let every client finish its request."""
        self._over.set()

    async def _run(self) -> None:
        clients = [_Client(self, keeps=True) for _ in range(self.kept)]
        clients += [_Client(self, keeps=False) for _ in range(self.short)]
        await asyncio.gather(*(self._go_on(client) for client in clients))

    async def _go_on(self, client: _Client) -> None:
        while not self._over.is_set():
            began = time.monotonic()
            try:
                await client.connect()
                began = time.monotonic()
                status, problem = await asyncio.wait_for(client.ask(), PATIENCE), ""
            except NobodyListensError:
                self.refused += 1
                if self.stops:
                    return
                await asyncio.sleep(REST)
                continue
            except (OSError, EOFError, ValueError) as error:  # a timeout is an OSError
                status, problem = 0, f"{type(error).__name__}: {error}"
                client.close()
            self.done.append(Outcome(began, time.monotonic(), status, client.keeps, problem))
            if status == 503:
                await asyncio.sleep(REST)
        client.close()


class _Client:
    def __init__(self, traffic: Traffic, *, keeps: bool) -> None:
        self.keeps = keeps
        self._traffic = traffic
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        ends = () if keeps else ("Connection: close",)
        lines = [
            f"GET {traffic.path} HTTP/1.1",
            *(f"{name}: {value}" for name, value in traffic.headers.items()),
            *ends,
        ]
        self._request = "\r\n".join(lines).encode() + b"\r\n\r\n"

    async def connect(self) -> None:
        """Connect, unless there is a connection that the other end has not closed."""
        if self._reader and self._reader.at_eof():
            self.close()
        if self._reader is None:
            try:
                self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._traffic.port)
            except ConnectionRefusedError:
                raise NobodyListensError from None

    async def ask(self) -> int:
        """Send the request and return the status of the whole answer."""
        assert self._reader
        assert self._writer
        self._writer.write(self._request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        _, _, length = head.partition(b"content-length:")
        await self._reader.readexactly(int(length.partition(b"\r\n")[0]))
        if b"connection: close" in head or not self.keeps:
            self.close()
        return int(head.split()[1])

    def close(self) -> None:
        if self._writer:
            self._writer.close()
        self._reader = self._writer = None


@contextmanager
def traffic(port: int, path: str, headers: Mapping[str, str], **clients: int) -> Iterator[Traffic]:
    """Ask for as long as the context lasts; when it is left, every request has its end."""
    under_way = Traffic(
        port, path, headers, clients.get("kept", 0), clients.get("short", 0), bool(clients.get("stops"))
    )
    thread = threading.Thread(target=under_way.run)
    thread.start()
    try:
        yield under_way
    finally:
        under_way.end()
        thread.join()
