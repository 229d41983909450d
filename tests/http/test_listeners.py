"""Ports are opened by endpoint strings, and closed without cutting off an answer."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_twisted
from attrs import define, field
from support.reactor import asynchronous, reactor, until
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from flexid.http.listeners import Listeners
from flexid.http.ports import CannotServe
from flexid.http.request import FlexidSite

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Slow(Resource):
    """Answers when the test says so."""

    isLeaf = True  # Twisted's name

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's
        self.waiting: list[Request] = []

    def render(self, request: Request) -> int:
        self.waiting.append(request)
        return NOT_DONE_YET

    def answer(self) -> None:
        request = self.waiting.pop()
        request.write(b"done")
        request.finish()


class Client(Protocol):
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.heard = b""
        self.ended = False

    def dataReceived(self, data: bytes) -> None:  # Twisted's name
        self.heard += data

    def connectionLost(self, reason: Failure = Failure(Exception())) -> None:  # noqa: ARG002, B008  # Twisted's
        self.ended = True


@define
class Served:
    slow: Slow = field(factory=Slow)
    listeners: Listeners = field(init=False)

    def listen(self, *endpoints: str) -> Listeners:
        site = FlexidSite(self.slow, reactor, max_body_size=1000)
        self.listeners = Listeners(reactor, site, endpoints)
        return self.listeners

    async def client(self) -> Any:
        port = int(self.listeners.addresses("localhost")[0].rpartition(":")[2])
        return await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", port), Client())


@pytest_twisted.async_yield_fixture
async def served() -> AsyncIterator[Served]:
    served = Served()
    await served.listen("tcp:0:interface=127.0.0.1").open()
    yield served
    await served.listeners.close(0)


def close(served: Served, patience: float) -> Deferred[None]:
    return ensureDeferred(served.listeners.close(patience))


def lets_in(port: int) -> bool:
    with socket.socket() as late:
        return late.connect_ex(("127.0.0.1", port)) == 0


@asynchronous
async def test_a_request_that_is_being_answered_gets_its_answer(served: Served) -> None:
    client = await served.client()
    client.transport.write(GET)
    await until(lambda: bool(served.slow.waiting))
    closed = close(served, 10)
    await until(lambda: served.slow.waiting[0].responseHeaders.hasHeader(b"connection"))
    served.slow.answer()
    await closed
    await until(lambda: client.ended)
    assert client.heard.endswith(b"4\r\ndone\r\n0\r\n\r\n")
    assert b"connection: close" in client.heard.lower()


@asynchronous
async def test_a_client_whose_answer_has_begun_is_told_with_the_next_one(served: Served) -> None:
    client = await served.client()
    client.transport.write(GET)
    await until(lambda: bool(served.slow.waiting))
    served.slow.waiting[0].write(b"not all")
    await until(lambda: b"not all" in client.heard)
    closed = close(served, 10)
    served.slow.answer()
    await until(lambda: client.heard.endswith(b"0\r\n\r\n"))
    assert b"connection: close" not in client.heard.lower()
    client.transport.write(GET)
    await until(lambda: bool(served.slow.waiting))
    served.slow.answer()
    await closed
    assert b"connection: close" in client.heard.lower()


@asynchronous
async def test_a_client_that_keeps_its_connection_is_told_that_it_ends(served: Served) -> None:
    client = await served.client()
    client.transport.write(GET)
    await until(lambda: bool(served.slow.waiting))
    served.slow.answer()
    await until(lambda: b"done" in client.heard)
    assert b"connection: close" not in client.heard.lower()
    closed = close(served, 10)
    client.transport.write(GET)
    await until(lambda: bool(served.slow.waiting))
    served.slow.answer()
    await closed
    await until(lambda: client.ended)
    assert b"connection: close" in client.heard.lower()


@asynchronous
async def test_nobody_new_is_let_in(served: Served) -> None:
    client = await served.client()
    port = client.transport.getPeer().port
    client.transport.write(GET)
    await until(lambda: bool(served.slow.waiting))
    closed = close(served, 10)
    await until(lambda: not lets_in(port))
    served.slow.answer()
    await closed


@asynchronous
async def test_who_says_nothing_does_not_hold_up_the_end(served: Served) -> None:
    client = await served.client()
    began = reactor.seconds()
    await close(served, 10)
    assert reactor.seconds() - began < 5
    await until(lambda: client.ended)


@asynchronous
async def test_patience_has_an_end(served: Served) -> None:
    client = await served.client()
    client.transport.write(GET)
    await until(lambda: bool(served.slow.waiting))
    await close(served, 0.1)
    await until(lambda: client.ended)
    assert client.heard == b""


@asynchronous
async def test_opening_again_opens_nothing_twice(served: Served) -> None:
    before = served.listeners.addresses("localhost")
    await served.listeners.open()
    assert served.listeners.addresses("localhost") == before


@asynchronous
async def test_a_port_that_is_taken_is_named(served: Served) -> None:
    endpoint = served.listeners.addresses("tcp")[0].removeprefix("http://") + ":interface=127.0.0.1"
    with pytest.raises(CannotServe, match=f"{endpoint}: Address already in use"):
        await Served().listen(endpoint).open()


@pytest.mark.parametrize("endpoint", ["nonsense:1", "tcp", "tcp:x", "tcp:0:interface=nowhere"])
@asynchronous
async def test_what_is_no_endpoint_is_named(endpoint: str) -> None:
    with pytest.raises(CannotServe, match=f"Cannot listen on {endpoint}: "):
        await Served().listen(endpoint).open()
