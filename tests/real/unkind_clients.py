"""Clients that take without giving: they hang up, dawdle, or hold connections that they do not use."""

from __future__ import annotations

import select
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from support.flexid_process import ADDRESS

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: the end of the connection reaches the other side as a reset."""
SLOW_SECONDS = 0.5
"""Between two bytes of a client that dawdles."""


def hang_up(port: int, path: str, headers: dict[str, str], times: int) -> None:
    """Ask, and be gone before the answer comes."""
    request = _request(path, headers)
    for number in range(times):
        with socket.create_connection((ADDRESS, port), timeout=10) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            # A third of them within the request.
            client.sendall(request[: len(request) // 2] if number % 3 == 0 else request)


@contextmanager
def dawdling(port: int, number: int) -> Iterator[list[socket.socket]]:
    """Send requests byte by byte, and never to their end; the list is of those that the server has not cut off."""
    clients = [socket.create_connection((ADDRESS, port), timeout=10) for _ in range(number)]
    over = threading.Event()

    def go_on() -> None:
        for client in clients:
            client.sendall(b"GET /api/ping HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        while not over.wait(SLOW_SECONDS):
            for client in clients:
                try:
                    client.send(b"x")
                except OSError:
                    continue

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield clients
    finally:
        over.set()
        thread.join()
        for client in clients:
            client.close()


@contextmanager
def idling(port: int, number: int, headers: dict[str, str]) -> Iterator[list[socket.socket]]:
    """Ask once on each of so many connections, and keep them."""
    clients = []
    request = _request("/api/ping", headers)
    try:
        for _ in range(number):
            client = socket.create_connection((ADDRESS, port), timeout=30)
            clients.append(client)
            client.sendall(request)
            assert client.recv(4096).startswith(b"HTTP/1.1 200")
        yield clients
    finally:
        for client in clients:
            client.close()


def still_open(clients: list[socket.socket]) -> int:
    """Return how many of the connections the server has not ended."""
    look = select.poll()
    for client in clients:
        look.register(client, select.POLLIN)
    ended = {descriptor for descriptor, _ in look.poll(0)}
    return sum(client.fileno() not in ended for client in clients)


def _request(path: str, headers: dict[str, str]) -> bytes:
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"
