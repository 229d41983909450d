"""Requests to servers that others have named: what is taken from them, and what they may not do to us."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from pytest_twisted import ensureDeferred
from support.certificates import Authority
from support.receiver import Receiver
from twisted.internet import reactor, ssl
from twisted.internet.protocol import Factory, Protocol

from flexid.domain import unanswered
from flexid.domain.unanswered import Unanswered
from flexid.outbound.guard import Guard
from flexid.outbound.web import OVERHEAD, Answer, Web

WEB = Web(reactor, Guard(reactor, allow_private=True))
NAME = "hooks.example.org"


async def _here(_: str) -> list[str]:
    return ["127.0.0.1"]


NAMED = Web(reactor, Guard(reactor, allow_private=True, resolve=_here))


@pytest_twisted.async_yield_fixture
async def receiver() -> AsyncIterator[Receiver]:
    running = Receiver()
    running.start()
    yield running
    await running.stop()


async def _why_not(url: str, web: Web = WEB, seconds: float = 5, most_bytes: int = 100) -> str:
    with pytest.raises(Unanswered) as refused:
        await web.ask("POST", url, {}, b"{}", seconds=seconds, most_bytes=most_bytes)
    return str(refused.value)


@ensureDeferred
async def test_a_body_and_headers_arrive_and_an_answer_comes_back(receiver: Receiver) -> None:
    receiver.statuses, receiver.content = [418], b"teapot"
    answer = await WEB.ask("POST", receiver.url, {"X-Kettle": "on"}, b"\x00{}", seconds=5, most_bytes=6)
    assert answer == Answer(418, b"teapot")
    (received,) = receiver.received
    assert (received.method, received.path, received.body) == ("POST", "/hook", b"\x00{}")
    assert received.headers["x-kettle"] == "on"
    assert received.headers["content-length"] == "3"


@ensureDeferred
async def test_nobody_beside_us_is_asked_unless_that_is_allowed(receiver: Receiver) -> None:
    guarded = Web(reactor, Guard(reactor))
    assert await _why_not(receiver.url, guarded) == str(unanswered.NOT_PUBLIC)
    rebound = Web(reactor, Guard(reactor, resolve=_here))
    assert await _why_not(f"http://{NAME}:{receiver.port}/", rebound) == str(unanswered.NOT_PUBLIC)
    assert receiver.received == []


@ensureDeferred
async def test_redirects_lead_nowhere(receiver: Receiver) -> None:
    receiver.statuses, receiver.headers = [307], {"Location": receiver.url}
    answer = await WEB.ask("POST", receiver.url, {}, b"{}", seconds=5, most_bytes=100)
    assert answer.status == 307
    assert len(receiver.received) == 1


@ensureDeferred
async def test_a_long_body_is_not_read_to_its_end(receiver: Receiver) -> None:
    receiver.statuses, receiver.content = [200], b"x" * 101
    assert await _why_not(receiver.url) == str(unanswered.TOO_MUCH)


@ensureDeferred
async def test_who_says_nothing_is_left(receiver: Receiver) -> None:
    receiver.silent = True
    assert await _why_not(receiver.url, seconds=0.2) == str(unanswered.LATE)


class _Babbler(Protocol):
    """Sends headers without end."""

    transport: Any

    def connectionMade(self) -> None:
        self.transport.write(b"HTTP/1.1 200 OK\r\n" + b"X-More: and more\r\n" * OVERHEAD)


@ensureDeferred
async def test_headers_without_end_are_not_kept() -> None:
    factory: Any = Factory.forProtocol(_Babbler)
    net: Any = reactor
    port = net.listenTCP(0, factory, interface="127.0.0.1")
    try:
        assert await _why_not(f"http://127.0.0.1:{port.getHost().port}/") == str(unanswered.BROKEN)
    finally:
        await port.stopListening()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:1/", unanswered.REFUSED),
        ("http://nowhere.invalid/", unanswered.UNKNOWN_NAME),
    ],
)
@ensureDeferred
async def test_why_somebody_cannot_be_reached_is_told(url: str, reason: object) -> None:
    async def nowhere(_: str) -> list[str]:
        return []

    web = Web(reactor, Guard(reactor, allow_private=True, resolve=nowhere))
    assert await _why_not(url, web) == str(reason)


def _context(authority: Authority, folder: Path, name: str) -> Any:
    certificate, key = authority.server(name).write(folder, "server")
    return ssl.DefaultOpenSSLContextFactory(str(key), str(certificate))


@ensureDeferred
async def test_over_tls_the_name_has_to_be_the_one_of_the_url_whatever_it_leads_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, receiver = Authority(), Receiver()
    authorities = tmp_path / "authorities.pem"
    authorities.write_bytes(authority.own.pem())
    receiver.start(_context(authority, tmp_path, NAME))
    try:
        assert await _why_not(f"https://{NAME}:{receiver.port}/", NAMED) == str(unanswered.UNTRUSTED)
        monkeypatch.setenv("SSL_CERT_FILE", str(authorities))
        answer = await NAMED.ask("POST", f"https://{NAME}:{receiver.port}/", {}, b"{}", seconds=5, most_bytes=100)
        assert answer.status == 204
        assert await _why_not(f"https://other.example.org:{receiver.port}/", NAMED) == str(unanswered.UNTRUSTED)
        assert len(receiver.received) == 1
    finally:
        await receiver.stop()
