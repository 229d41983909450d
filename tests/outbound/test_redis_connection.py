"""Connections to Debian's Redis: away, frozen, back again, behind TLS and Sentinels."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred
from support.application import at_once
from support.certificates import Authority
from support.redis_server import RedisServer, Sentinel, free_port, running
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from flexid.base import redis_address
from flexid.outbound import redis
from flexid.outbound.redis import Redis, RedisTrouble
from flexid.outbound.redis_registrar import RedisRegistrar
from flexid.outbound.trust import Trust


@pytest.fixture(scope="module")
def shared() -> Iterator[RedisServer]:
    with running() as server:
        yield server


@pytest.fixture
def server(shared: RedisServer) -> Iterator[RedisServer]:
    """The server of this file, running and empty whatever a test did with it."""
    yield shared
    shared.thaw()
    shared.stop()
    shared.start()


@pytest.fixture
def client(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    monkeypatch.setattr(redis, "PAUSE", 0.1)
    made = _client(server.url, patience=0.3)
    yield made
    made.close()


def _client(url: str, tls: Trust | None = None, **more: Any) -> Redis:
    return Redis(reactor, redis_address.read(url), tls or Trust(), **more)


async def _trouble(client: Redis, **more: Any) -> tuple[str, float]:
    """Return why a command failed, and after how many seconds."""
    began = time.monotonic()
    with pytest.raises(RedisTrouble) as trouble:
        await client.run("PING", **more)
    return str(trouble.value), time.monotonic() - began


@ensureDeferred
async def test_answers_are_bytes_numbers_and_lists(client: Redis) -> None:
    value = b"\xff\x00\r\n$-1"
    assert await client.run("HSET", "key", b"\xfe", value, "1", "2") == 2
    assert await client.run("HGETALL", "key") == [b"\xfe", value, b"1", b"2"]
    assert await client.run("HGETALL", "none") == []
    assert await client.run("HGET", "key", "3") is None


@ensureDeferred
async def test_many_commands_share_one_connection_and_get_their_own_answers(client: Redis, server: RedisServer) -> None:
    answers = await at_once(*(client.run("ECHO", str(number)) for number in range(100)))
    assert answers == [str(number).encode() for number in range(100)]
    assert len(server.ask("CLIENT", "LIST")) == 2


@ensureDeferred
async def test_what_is_refused_says_why_and_disturbs_nobody(client: Redis) -> None:
    await client.run("SET", "text", "x")
    with pytest.raises(RedisTrouble, match="WRONGTYPE"):
        await client.run("HGETALL", "text")
    assert await client.run("GET", "text") == b"x"


@ensureDeferred
async def test_a_server_that_was_restarted_is_found_again_at_once(client: Redis, server: RedisServer) -> None:
    assert await client.run("PING") == "PONG"
    server.stop()
    why, seconds = await _trouble(client)
    assert "No such file" in why or "refused" in why or "clean" in why.lower()
    assert seconds < 0.2
    server.start()
    assert await client.run("PING") == "PONG"
    # A connection that ends while nobody looks is none of the next command's business.
    server.ask("CLIENT", "KILL", "TYPE", "normal")
    assert await client.run("PING") == "PONG"


@pytest.mark.parametrize("before", ["connected", "not connected"])
@ensureDeferred
async def test_a_frozen_server_holds_one_up_for_a_moment_and_then_nobody(
    client: Redis, server: RedisServer, before: str
) -> None:
    if before == "connected":
        await client.run("PING")
    server.freeze()
    why, seconds = await _trouble(client)
    assert (why, 0.29 < seconds < 1) == ("no answer within 0.3 seconds", True)
    for _ in range(3):
        why, seconds = await _trouble(client)
        assert (why, seconds < 0.05) == ("no answer to somebody else a moment ago", True)
    server.thaw()
    await deferLater(reactor, 0.12)
    assert await client.run("PING") == "PONG"


@ensureDeferred
async def test_who_has_little_patience_does_not_wait_behind_others(client: Redis, server: RedisServer) -> None:
    server.freeze()
    patient = Deferred.fromCoroutine(_trouble(client))
    _, seconds = await _trouble(client, patience=0.05)
    assert seconds < 0.2
    _, seconds = await _trouble(client, patience=0.05)
    assert seconds < 0.04
    _, seconds = await patient
    assert seconds < 0.5


@ensureDeferred
async def test_who_gives_up_leaves_the_connection_to_others(client: Redis) -> None:
    going = Deferred.fromCoroutine(client.run("PING"))
    staying = Deferred.fromCoroutine(client.run("ECHO", "here"))
    going.addErrback(lambda _: None)
    going.cancel()
    assert await staying == b"here"


@ensureDeferred
async def test_a_server_that_is_not_there_costs_no_time() -> None:
    why, seconds = await _trouble(_client(f"redis://127.0.0.1:{free_port()}"))
    assert ("refused" in why, seconds < 1) == (True, True)


@ensureDeferred
async def test_a_password_opens_and_a_wrong_one_does_not() -> None:
    # What docs/flexisip.md says of a user of ours.
    ann = ("--user", "ann", "on", ">word", *["+hgetall", "+hdel", "+del", "~fs:*", "+publish", "&*", "+ping"])
    with running("--requirepass", "open sesame", *ann) as guarded:
        words = {":open%20sesame": True, "ann:word": True, ":wrong": False, "ann:wrong": False, "": False}
        for word, opens in words.items():
            client = _client(f"unix://{word}@{guarded.socket}")
            if opens:
                registrar = RedisRegistrar(client)
                await registrar.remove("a@b", "urn:uuid:1")
                await registrar.forget("a@b")
                await registrar.tell_b2bua({})
            else:
                why, _ = await _trouble(client)
                assert "WRONGPASS" in why or "NOAUTH" in why
                assert "wrong" not in why
                # One that becomes right later opens then: nobody has given up.
                client.address = evolve(client.address, password="open sesame", username=None)
                assert await client.run("PING") == "PONG"
            client.close()


@ensureDeferred
async def test_the_database_is_the_one_of_the_url() -> None:
    port = free_port()
    with running("--port", str(port), "--bind", "127.0.0.1") as server:
        client = _client(f"redis://127.0.0.1:{port}/2")
        await client.run("SET", "here", "1")
        assert server.ask("-n", "2", "GET", "here") == ["1"]
        client.close()
        why, _ = await _trouble(_client(f"redis://127.0.0.1:{port}/99"))
        assert "out of range" in why


@ensureDeferred
async def test_tls_knows_the_server_and_shows_who_we_are(tmp_path: Path) -> None:
    port, authority = free_port(), Authority()
    authority.own.write(tmp_path, "ca")
    certificate, key = authority.server().write(tmp_path, "server")
    own, own_key = authority.client("flexid").write(tmp_path, "client")
    files = ("--tls-cert-file", str(certificate), "--tls-key-file", str(key))
    ca = tmp_path / "ca.pem"
    with running("--tls-port", str(port), *files, "--tls-ca-cert-file", str(ca)):
        url, known = f"rediss://127.0.0.1:{port}", Trust(ca, own, own_key)
        client = _client(url, known)
        assert await client.run("PING") == "PONG"
        client.close()
        Authority("Another").own.write(tmp_path, "other")
        strangers = {
            "certificate": evolve(known, certificate=None, key=None),
            "certificate verify failed": evolve(known, ca=tmp_path / "other.pem"),
            "unable to get local issuer|certificate verify failed": evolve(known, ca=None),
            "No such file": evolve(known, ca=tmp_path / "none.pem"),
        }
        for reason, tls in strangers.items():
            with pytest.raises(RedisTrouble, match=reason):
                await _client(url, tls).run("PING")
        # The certificate names localhost and 127.0.0.1.
        with pytest.raises(RedisTrouble, match=r"(?i)verif"):
            await _client(f"rediss://127.0.0.2:{port}", known).run("PING")


@ensureDeferred
async def test_sentinels_lead_to_whichever_server_is_the_master(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis, "PAUSE", 0.05)
    first, second, sentinel = free_port(), free_port(), free_port()
    local = ("--bind", "127.0.0.1", "--repl-diskless-sync-delay", "0")
    with (
        running("--port", str(first), *local) as master,
        running("--port", str(second), *local, "--replicaof", "127.0.0.1", str(first)),
        running(server=Sentinel(port=sentinel, master=first, password="hush")),
    ):
        client = _client(
            f"redis-sentinel://127.0.0.1:{free_port()},127.0.0.1:{sentinel}/registrar", sentinel_password="hush"
        )
        assert await client.run("CONFIG", "GET", "port") == [b"port", str(first).encode()]
        other = _client(f"redis-sentinel://127.0.0.1:{sentinel}/unknown", sentinel_password="hush")
        with pytest.raises(RedisTrouble, match="knows no unknown"):
            await other.run("PING")
        why, _ = await _trouble(_client(f"redis-sentinel://127.0.0.1:{sentinel}/registrar"))
        assert "NOAUTH" in why
        await _settle(lambda: len(master.ask("CLIENT", "LIST", "TYPE", "replica")) == 1)
        master.freeze()
        await _settle_on(client, second)
        client.close()


@ensureDeferred
async def test_a_server_that_is_no_longer_the_master_is_not_taken_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    replica = free_port()

    async def outdated(*_: object) -> tuple[str, int]:
        return "127.0.0.1", replica

    monkeypatch.setattr(Redis, "_ask_sentinel", outdated)
    with running("--port", str(replica), "--bind", "127.0.0.1", "--replicaof", "127.0.0.1", str(free_port())):
        why, _ = await _trouble(_client("redis-sentinel://127.0.0.1/registrar"))
    assert why == "the Sentinels name a server that says it is a slave"


async def _settle(is_so: Any) -> None:
    end = time.monotonic() + 15
    while not is_so():
        assert time.monotonic() < end
        await deferLater(reactor, 0.05)


async def _settle_on(client: Redis, port: int) -> None:
    end = time.monotonic() + 20
    while True:
        assert time.monotonic() < end
        try:
            if await client.run("CONFIG", "GET", "port", patience=0.5) == [b"port", str(port).encode()]:
                return
        except RedisTrouble:
            await deferLater(reactor, 0.05)
