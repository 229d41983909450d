"""Keys over HTTP: what is taken, and what a server may not do to us."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_twisted
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from pytest_twisted import ensureDeferred
from support.tokens import KeyServer, jwk, private_key
from twisted.internet import reactor

from flexid.domain.bearer import ALGORITHMS
from flexid.domain.errors import Unavailable
from flexid.outbound import oidc_keys
from flexid.outbound.guard import Guard
from flexid.outbound.oidc_keys import MOST_BYTES, HttpKeyServer
from flexid.outbound.web import Web

HTTP = HttpKeyServer(Web(reactor, Guard(reactor, allow_private=True)))


@pytest_twisted.async_yield_fixture
async def server() -> AsyncIterator[KeyServer]:
    running = KeyServer()
    running.start()
    yield running
    await running.stop()


@ensureDeferred
async def test_keys_are_read_with_what_they_may_be_used_for(server: KeyServer) -> None:
    server.page.keys = [jwk("first"), jwk("second", alg="RS512", use="sig")]
    first, second = await HTTP.keys(server.url)
    assert (first.kid, first.algorithms) == ("first", ALGORITHMS)
    assert (second.kid, second.algorithms) == ("second", ("RS512",))
    assert first.key == private_key("first").public_key()


@ensureDeferred
async def test_keys_for_anything_else_are_passed_over(server: KeyServer) -> None:
    private = RSAAlgorithm.to_jwk(private_key("first"), as_dict=True)
    short = rsa.generate_private_key(65537, 1024).public_key()  # noqa: S505  # the point
    server.page.keys = [
        jwk("encryption", use="enc"),
        jwk("other algorithm", alg="RSA-OAEP"),
        {"kid": "secret", "kty": "oct", "k": "c2VjcmV0"},
        {"kid": "private", **private},
        {"kid": "short", **RSAAlgorithm.to_jwk(short, as_dict=True)},
        {"kid": "broken", "kty": "RSA", "n": "!", "e": "AQAB"},
        {},
    ]
    assert await HTTP.keys(server.url) == ()


@pytest.mark.parametrize("status", [204, 301, 302, 404, 500])
@ensureDeferred
async def test_another_status_is_no_answer_and_redirects_lead_nowhere(server: KeyServer, status: int) -> None:
    server.page.status = status
    with pytest.raises(Unavailable):
        await HTTP.keys(f"{server.url}here")
    assert server.page.asked == [b"/here"]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b'{"keys": 5}', b'{"keys": [5]}', b"\xff"])
@ensureDeferred
async def test_an_unreadable_answer_is_none(server: KeyServer, body: bytes) -> None:
    server.page.body = body
    with pytest.raises(Unavailable):
        await HTTP.keys(server.url)


@ensureDeferred
async def test_an_overlong_answer_is_not_read_to_its_end(server: KeyServer) -> None:
    server.page.body = b'{"keys": []' + b" " * MOST_BYTES + b"}"
    with pytest.raises(Unavailable):
        await HTTP.keys(server.url)


@ensureDeferred
async def test_a_server_that_falls_silent_is_given_up(server: KeyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oidc_keys, "SECONDS", 0.2)
    server.page.silent = True
    with pytest.raises(Unavailable):
        await HTTP.keys(server.url)
    await server.page.left


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "ftp://127.0.0.1/", "http://", "nonsense", "http://[::1/"])
@ensureDeferred
async def test_a_server_that_cannot_be_reached_is_away(url: str) -> None:
    with pytest.raises(Unavailable):
        await HTTP.keys(url)
