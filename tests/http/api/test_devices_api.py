"""Devices over the API, as Debian's Redis holds what Flexisip writes there."""

from __future__ import annotations

import time

import pytest
from pytest_twisted import ensureDeferred
from support.application import TENANT, Application
from support.neighbours import has_neighbour
from support.redis_server import RedisServer, contact

from flexid.outbound.redis_registrar import RedisRegistrar

PHONE = "urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8"
DESK = "urn:uuid:6ba7b811-9dad-11d1-80b4-00c04fd430c8"
HASH = f"fs:alice@{TENANT}"


@pytest.fixture
def settings(redis: RedisServer) -> dict[str, object]:
    redis.ask("FLUSHALL")
    return {"redis": {"url": redis.url}}


def _has(redis: RedisServer, uuid: str, value: str | None = None, hash_: str = HASH) -> None:
    redis.ask("HSET", hash_, f'"<{uuid}>"', value or contact(uuid))


@ensureDeferred
async def test_devices_stand_under_their_uuids(app: Application, redis: RedisServer) -> None:
    alice = await app.has_account("alice")
    _has(redis, PHONE, contact(PHONE, agent="LinphoneAndroid%2F5.2.0%20(Pixel%206)%20LinphoneSDK%2F5.3"))
    _has(redis, DESK, "<sip:alice@192.0.2.8>")
    redis.ask("HSET", HASH, "broken", "no contact")
    _has(redis, PHONE, hash_=f"fs:bob@{TENANT}")
    seen_by_user = await app.user(alice).get("/api/accounts/me/devices")
    assert seen_by_user.status == 200
    assert seen_by_user.headers["Content-Type"] == "application/json"
    assert seen_by_user.json == {
        PHONE: {
            "uuid": PHONE,
            "update_time": "2023-11-14T22:13:20.000000Z",
            "user_agent": "LinphoneAndroid/5.2.0 (Pixel 6) LinphoneSDK/5.3",
            "app": "LinphoneAndroid",
            "version": "5.2.0",
            "device_name": "Pixel 6",
        },
        DESK: {"uuid": DESK, **dict.fromkeys(("update_time", "user_agent", "app", "version", "device_name"))},
    }
    assert list(seen_by_user.json) == [PHONE, DESK]
    assert (await app.admin.get(f"/api/accounts/{alice['id']}/devices")).json == seen_by_user.json


@ensureDeferred
async def test_nobody_has_devices_before_they_register(app: Application) -> None:
    alice = await app.has_account("alice")
    reply = await app.user(alice).get("/api/accounts/me/devices")
    assert (reply.status, reply.text) == (200, "{}")


@pytest.mark.parametrize("written", [PHONE, f'"<{PHONE}>"', f"%22%3C{PHONE}%3E%22"])
@ensureDeferred
async def test_a_deleted_device_is_gone_and_flexisip_hears_of_it(
    app: Application, redis: RedisServer, written: str
) -> None:
    alice = await app.has_account("alice")
    _has(redis, PHONE)
    _has(redis, DESK)
    with redis.heard(f"alice@{TENANT}") as published:
        path = f"/api/accounts/{alice['id']}/devices/{written}"
        assert [(await app.admin.delete(path)).text for _ in range(2)] == ["1", "0"]
    assert published == [(f"alice@{TENANT}", "")]
    assert redis.ask("HKEYS", HASH) == [f'"<{DESK}>"']
    reply = await app.user(alice).ask("DELETE", f"/api/accounts/me/devices/{DESK}", {"device_uuid": DESK})
    assert (reply.status, reply.json) == (200, 1)
    assert redis.ask("EXISTS", HASH) == ["0"]


@ensureDeferred
async def test_a_device_is_deleted_by_the_name_under_which_it_is_shown(app: Application, redis: RedisServer) -> None:
    alice = await app.has_account("alice")
    redis.ask("HSET", HASH, "token-1", contact(PHONE), "token-2", "<sip:desk@192.0.2.8>")
    user = app.user(alice)
    assert set((await user.get("/api/accounts/me/devices")).json) == {PHONE, "token-2"}
    for uuid in (PHONE, "token-2"):
        assert (await user.delete(f"/api/accounts/me/devices/{uuid}")).json == 1
    assert redis.ask("EXISTS", HASH) == ["0"]


@ensureDeferred
async def test_devices_out_of_reach_stay_unseen_and_registered(app: Application, redis: RedisServer) -> None:
    alice = await app.has_account("alice")
    _has(redis, PHONE)
    neighbour = await has_neighbour(app)
    for path in (f"/api/accounts/{alice['id']}/devices", "/api/accounts/999999/devices"):
        assert (await neighbour.admin.get(path)).status == 404
        assert (await neighbour.admin.delete(f"{path}/{PHONE}")).status == 404
    eve = app.user(neighbour.user)
    assert (await eve.get(f"/api/accounts/{alice['id']}/devices")).status == 403
    assert redis.ask("HLEN", HASH) == ["1"]


@ensureDeferred
async def test_a_registrar_that_is_away_or_hangs_is_503_in_time_and_slows_nothing_else(
    app: Application, redis: RedisServer
) -> None:
    registrar = app.services.devices.registrar
    assert isinstance(registrar, RedisRegistrar)
    registrar.redis.patience = 0.3
    alice = await app.has_account("alice")
    user, path = app.user(alice), "/api/accounts/me/devices"
    assert (await user.get(path)).status == 200
    redis.freeze()
    for method, there in (("GET", path), ("DELETE", f"{path}/{PHONE}"), ("GET", path)):
        began = time.monotonic()
        reply = await user.ask(method, there)
        assert (reply.status, reply.json["message"]) == (503, "The list of devices cannot be reached at the moment")
        assert reply.headers["Retry-After"].isdecimal()
        assert time.monotonic() - began < 0.6
    began = time.monotonic()
    assert (await user.get("/api/accounts/me")).status == 200
    assert time.monotonic() - began < 0.2
    redis.thaw()
    redis.stop()
    registrar.redis._silent_until = 0
    assert (await user.get(path)).status == 503
    redis.start()
    assert (await user.get(path)).status == 200
