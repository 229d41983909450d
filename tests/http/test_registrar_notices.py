"""What ends registrations: the change is noted with itself, and bites in Debian's Redis."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from support.application import TENANT, Application
from support.redis_server import RedisServer, contact

from flexid.outbound.redis_registrar import B2BUA, RedisRegistrar

PHONE = "urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8"
ALICE = f"alice@{TENANT}"
CARRIER = {"username": "0456", "domain": "sip.carrier.example", "protocol": "TLS", "password": "carrier"}


@pytest.fixture
def settings(redis: RedisServer) -> dict[str, object]:
    redis.ask("FLUSHALL")
    return {"redis": {"url": redis.url}}


def _registers(redis: RedisServer, address: str = ALICE, updated_at: int = 1_700_000_000, uuid: str = PHONE) -> None:
    redis.ask("HSET", f"fs:{address}", f'"<{uuid}>"', contact(uuid, updated_at))


def _is_registered(redis: RedisServer, address: str = ALICE) -> bool:
    return bool(redis.ask("EXISTS", f"fs:{address}") == ["1"])


def _noted(app: Application) -> list[dict[str, Any]]:
    rows = app.sql("SELECT payload FROM outbox WHERE channel = 'registrar' ORDER BY id")
    return [row["payload"] for row in rows]


def _sizes(app: Application) -> list[int]:
    return sorted(len(note["addresses"]) for note in _noted(app))


async def _deactivate(app: Application, account: dict[str, Any]) -> None:
    await app.admin.post(f"/api/accounts/{account['id']}/deactivate")


async def _block(app: Application, account: dict[str, Any]) -> None:
    await app.admin.post(f"/api/accounts/{account['id']}/block")


async def _delete(app: Application, account: dict[str, Any]) -> None:
    await app.admin.delete(f"/api/accounts/{account['id']}")


async def _delete_oneself(app: Application, account: dict[str, Any]) -> None:
    await app.user(account).delete("/api/accounts/me")


async def _delete_space(app: Application, account: dict[str, Any]) -> None:
    await app.super_admin.delete(f"/api/spaces/{account['domain']}")


async def _change_password(app: Application, account: dict[str, Any]) -> None:
    passwords = {"old_password": "alice_password", "password": "another_password"}
    assert (await app.user(account).post("/api/accounts/me/password", passwords)).status == 200


async def _change_password_by_admin(app: Application, account: dict[str, Any]) -> None:
    await app.admin.ask("PATCH", f"/api/accounts/{account['id']}", {"password": "another_password"})


async def _change_password_and_its_algorithm(app: Application, account: dict[str, Any]) -> None:
    await app.change("UPDATE space_digest_authentication_configurations SET default_password_algorithm = 'MD5'")
    passwords = {"old_password": "alice_password", "password": "alice_password"}
    assert (await app.user(account).post("/api/accounts/me/password", passwords)).status == 200


async def _rename(app: Application, account: dict[str, Any]) -> None:
    await app.admin.ask("PATCH", f"/api/accounts/{account['id']}", {"username": "alicia", "password": "x" * 9})


async def _somebody_in_the_database(app: Application, _: dict[str, Any]) -> None:
    app.sql("UPDATE accounts SET blocked = true WHERE username = 'alice'")


ENDING = [
    *(_deactivate, _block, _delete, _delete_oneself, _delete_space, _change_password, _change_password_by_admin),
    *(_change_password_and_its_algorithm, _rename, _somebody_in_the_database),
]


@pytest.mark.parametrize("end", ENDING)
@ensureDeferred
async def test_who_may_no_longer_register_is_no_longer_registered(
    app: Application, redis: RedisServer, end: Any
) -> None:
    alice = await app.has_account("alice")
    await app.has_account("bob")
    _registers(redis)
    _registers(redis, f"bob@{TENANT}")
    with redis.heard(ALICE) as published:
        await end(app, alice)
        assert _is_registered(redis)
        while await app.services.notices.deliver():
            pass
    assert not _is_registered(redis)
    assert set(published) == {(ALICE, "")}
    assert _is_registered(redis, f"bob@{TENANT}") == (end is not _delete_space)


@ensureDeferred
async def test_a_device_that_knows_the_new_password_stays(app: Application, redis: RedisServer) -> None:
    alice = await app.has_account("alice")
    _registers(redis)
    redis.ask("HSET", f"fs:{ALICE}", "unreadable", "x")
    await _change_password(app, alice)
    (note,) = _noted(app)
    _registers(redis, uuid="urn:uuid:new", updated_at=note["before"])
    await app.services.notices.deliver()
    assert redis.ask("HKEYS", f"fs:{ALICE}") == ['"<urn:uuid:new>"']


@ensureDeferred
async def test_what_ends_no_registration_notes_nothing(app: Application) -> None:
    alice = await app.has_account("alice")
    same = {"username": "alice", "password": "alice_password", "activated": True, "email": "a@example.org"}
    assert (await app.admin.ask("PUT", f"/api/accounts/{alice['id']}", same)).status == 200
    for change in ("unblock", "activate"):
        await app.admin.post(f"/api/accounts/{alice['id']}/{change}")
    await app.admin.post(f"/api/accounts/{alice['id']}/dictionary/a", {"value": "b"})
    app.sql("INSERT INTO accounts (username, domain) SELECT 'u' || n, %s FROM generate_series(1, 500) n", TENANT)
    app.sql("INSERT INTO passwords (account_id, password, algorithm) SELECT id, 'x', 'MD5' FROM accounts")
    assert _noted(app) == []


@ensureDeferred
async def test_a_whole_space_is_told_in_few_notices(app: Application, redis: RedisServer) -> None:
    app.sql("INSERT INTO accounts (username, domain) SELECT 'u' || n, %s FROM generate_series(1, 1200) n", TENANT)
    app.sql(
        "INSERT INTO passwords (account_id, password, algorithm)"
        " SELECT id, 'x', 'MD5' FROM accounts WHERE username LIKE 'u%'"
    )
    _registers(redis, f"u1200@{TENANT}")
    app.sql("DELETE FROM passwords")
    assert _sizes(app) == [200, 500, 500]
    app.sql("DELETE FROM outbox")
    await app.super_admin.delete(f"/api/spaces/{TENANT}")
    assert _sizes(app) == [201, 500, 500]
    assert await app.services.notices.deliver() == 3
    assert not _is_registered(redis, f"u1200@{TENANT}")


@ensureDeferred
async def test_notices_wait_for_redis_and_slow_nobody(app: Application, redis: RedisServer) -> None:
    registrar = app.services.notices.registrar
    assert isinstance(registrar, RedisRegistrar)
    alice = await app.has_account("alice")
    redis.stop()
    await _block(app, alice)
    await app.admin.post(f"/api/accounts/{alice['id']}/external", CARRIER)
    assert await app.services.notices.deliver() == 0
    rows = app.sql("SELECT state, attempts, last_error, next_attempt_at > now() AS later FROM outbox")
    waits = {"state": "waiting", "attempts": 1, "later": True}
    assert rows == [{**waits, "last_error": "The list of devices cannot be reached at the moment"}] * 2
    redis.start()
    _registers(redis)
    app.sql("UPDATE outbox SET next_attempt_at = now(), attempts = 30")
    with redis.heard(B2BUA) as published:
        assert await app.services.notices.deliver() == 2
    assert (_is_registered(redis), len(published)) == (False, 1)
    assert {row["state"] for row in app.sql("SELECT state FROM outbox")} == {"sent"}


@ensureDeferred
async def test_a_long_outage_is_noticed_a_minute_after_its_end_at_most(app: Application, redis: RedisServer) -> None:
    alice = await app.has_account("alice")
    await _block(app, alice)
    redis.stop()
    app.sql("UPDATE outbox SET attempts = 500")
    await app.services.notices.deliver()
    ((row),) = app.sql("SELECT state, extract(epoch FROM next_attempt_at - now()) AS wait FROM outbox")
    assert (row["state"], 40 < row["wait"] <= 60) == ("waiting", True)
    redis.start()
    app.sql("UPDATE outbox SET created_at = now() - interval '23 hours'")
    assert await app.services.notices.clear() == 0
    app.sql("UPDATE outbox SET created_at = now() - interval '25 hours'")
    assert await app.services.notices.clear() == 1


@ensureDeferred
async def test_one_notice_that_cannot_be_read_holds_up_no_other(app: Application, redis: RedisServer) -> None:
    app.sql("INSERT INTO outbox (channel, payload) VALUES ('registrar', '{}'), ('b2bua', '[]')")
    _registers(redis)
    await _block(app, await app.has_account("alice"))
    await app.services.notices.deliver()
    assert not _is_registered(redis)
    states = app.sql("SELECT state, last_error IS NULL AS is_well FROM outbox ORDER BY id")
    assert [(row["state"], row["is_well"]) for row in states] == [
        *[("waiting", False)] * 2,
        ("sent", True),
    ]


@ensureDeferred
async def test_the_b2bua_hears_of_each_change_of_an_external_account(app: Application, redis: RedisServer) -> None:
    alice = await app.has_account("alice")
    path = f"/api/accounts/{alice['id']}/external"
    identifier = str((await app.admin.post(path, CARRIER)).json["id"])
    with redis.heard(B2BUA) as published:
        await app.services.notices.deliver()
        await app.admin.post(path, {**CARRIER, "username": "0457"})
        await app.services.notices.deliver()
        await app.admin.delete(path)
        await app.services.notices.deliver()
    heard = [json.loads(text) for _, text in published]
    there = {"domain": "sip.carrier.example"}
    assert heard == [
        {**there, "username": "0456", "identifier": identifier},
        {**there, "username": "0456", "identifier": "0"},
        {**there, "username": "0457", "identifier": identifier},
        {**there, "username": "0457", "identifier": identifier},
    ]


@ensureDeferred
async def test_a_late_notice_does_not_drop_who_has_the_address_now(app: Application, redis: RedisServer) -> None:
    alice, bob = await app.has_account("alice"), await app.has_account("bob")
    await app.admin.post(f"/api/accounts/{alice['id']}/external", CARRIER)
    await app.admin.delete(f"/api/accounts/{alice['id']}/external")
    made = (await app.admin.post(f"/api/accounts/{bob['id']}/external", CARRIER)).json
    with redis.heard(B2BUA) as published:
        await app.services.notices.deliver()
    assert {json.loads(text)["identifier"] for _, text in published} == {str(made["id"])}
