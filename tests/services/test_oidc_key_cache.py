"""Keys in memory: when a server is asked again, and what counts while it is away."""

from __future__ import annotations

import pytest
from attrs import define, field
from pytest_twisted import ensureDeferred
from support.application import at_once
from twisted.internet import defer

from flexid.base.clock import Clock
from flexid.domain.bearer import VerificationKey
from flexid.domain.errors import Unavailable
from flexid.services.oidc_keys import FRESH_SECONDS, LAST_SECONDS, PAUSE_SECONDS, OidcKeys

URL = "https://sso.example.org/keys"


@define
class Server:
    """Publishes keys of these names, or is away."""

    kids: list[str | None] = field(factory=lambda: ["first"])
    away: bool = False
    asked: list[str] = field(factory=list)
    now: float = 1e9
    waiting: defer.Deferred[None] | None = None

    async def keys(self, url: str) -> tuple[VerificationKey, ...]:
        self.asked.append(url)
        if self.waiting:
            await self.waiting
        if self.away:
            raise Unavailable
        return tuple(VerificationKey(kid, object()) for kid in self.kids)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def keys(server: Server) -> OidcKeys:
    return OidcKeys(server, Clock(lambda: server.now))


async def found(keys: OidcKeys, kid: str | None = "first", domain: str = "a.example.org", url: str = URL) -> bool:
    key = await keys.find(domain, url, kid)
    assert key is None or kid in {None, key.kid}
    return key is not None


@ensureDeferred
async def test_a_server_is_asked_once_an_hour(keys: OidcKeys, server: Server) -> None:
    assert [await found(keys) for _ in range(3)] == [True] * 3
    server.now += FRESH_SECONDS - 1
    assert await found(keys)
    assert len(server.asked) == 1
    server.kids = ["second"]
    server.now += 1
    assert not await found(keys)
    assert len(server.asked) == 2


@ensureDeferred
async def test_a_new_key_is_asked_for_at_once(keys: OidcKeys, server: Server) -> None:
    assert await found(keys)
    server.kids = ["first", "second"]
    server.now += PAUSE_SECONDS
    assert await found(keys, "second")
    assert len(server.asked) == 2


@ensureDeferred
async def test_made_up_names_do_not_keep_a_server_busy(keys: OidcKeys, server: Server) -> None:
    for number in range(20):
        assert not await found(keys, f"made up {number}")
    assert len(server.asked) == 1
    assert await found(keys)


@ensureDeferred
async def test_a_name_may_be_left_out_where_there_is_one_key(keys: OidcKeys, server: Server) -> None:
    assert await found(keys, None)
    server.kids = ["first", "second"]
    server.now += FRESH_SECONDS
    assert not await found(keys, None)


@ensureDeferred
async def test_who_comes_while_a_server_is_asked_waits_for_the_same_answer(keys: OidcKeys, server: Server) -> None:
    waiting = server.waiting = defer.Deferred()
    running = defer.ensureDeferred(at_once(*(found(keys) for _ in range(5))))

    waiting.callback(None)
    assert await running == [True] * 5
    assert len(server.asked) == 1


@ensureDeferred
async def test_a_server_that_is_away_is_no_refusal_and_is_not_pestered(keys: OidcKeys, server: Server) -> None:
    server.away = True
    for _ in range(3):
        with pytest.raises(Unavailable) as unavailable:
            await found(keys)
        assert unavailable.value.retry_after == PAUSE_SECONDS
    assert len(server.asked) == 1
    server.away = False
    server.now += PAUSE_SECONDS
    assert await found(keys)


@ensureDeferred
async def test_known_keys_outlast_a_short_outage_only(keys: OidcKeys, server: Server) -> None:
    assert await found(keys)
    server.away = True
    server.now += LAST_SECONDS - 1
    assert await found(keys)
    with pytest.raises(Unavailable):
        await found(keys, "second")
    server.now += 1
    with pytest.raises(Unavailable):
        await found(keys)


@ensureDeferred
async def test_spaces_and_their_former_servers_share_no_keys(keys: OidcKeys, server: Server) -> None:
    assert await found(keys)
    server.kids = ["second"]
    assert not await found(keys, domain="b.example.org")
    assert not await found(keys, url="https://other.example.org/keys")
    assert server.asked == [URL, URL, "https://other.example.org/keys"]
