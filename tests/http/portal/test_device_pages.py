from __future__ import annotations

import time
from urllib.parse import quote

import pytest
from pytest_twisted import ensureDeferred
from support.application import TENANT, Application
from support.redis_server import RedisServer, contact

from flexid.outbound.redis_registrar import RedisRegistrar

PHONE = "urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8"
SCRIPT = '"><script>alert(1)</script>'
AWAY = "The list of devices cannot be reached at the moment"


@pytest.fixture
def settings(redis: RedisServer) -> dict[str, object]:
    redis.ask("FLUSHALL")
    return {"redis": {"url": redis.url}}


def _registers(redis: RedisServer, uuid: str = PHONE, agent: str = "LinphoneAndroid%2F5.2.0%20(Pixel%206)") -> None:
    redis.ask("HSET", f"fs:alice@{TENANT}", f'"<{uuid}>"', contact(uuid, agent=agent))


def _is_registered(redis: RedisServer) -> bool:
    return bool(redis.ask("EXISTS", f"fs:alice@{TENANT}") == ["1"])


@ensureDeferred
async def test_users_see_their_devices_and_remove_one_after_being_asked(app: Application, redis: RedisServer) -> None:
    await app.has_account("alice")
    _registers(redis)
    visitor = await app.signed_in("alice")
    dashboard = await visitor.open("/dashboard")
    listed = await visitor.open("/devices")
    for shown in (dashboard, listed):
        for said in ("Pixel 6", "LinphoneAndroid 5.2.0", "last seen", "14 Nov 2023, 22:13 UTC"):
            assert said in shown.text
    link = f"/devices/delete?uuid={quote(PHONE)}"
    assert link in listed.text
    assert "Remove Pixel 6?" in (await visitor.open(link)).text
    assert _is_registered(redis)
    reply = await visitor.submit("/devices", {"_method": "DELETE", "uuid": PHONE})
    assert reply.headers["Location"] == "/devices"
    assert not _is_registered(redis)
    shown = await visitor.follow(reply)
    assert "The device is removed." in shown.text
    assert "no device is registered" in shown.text
    again = await visitor.submit("/devices", {"_method": "DELETE", "uuid": PHONE})
    assert "no longer registered" in (await visitor.follow(again)).text
    assert (await visitor.open(link)).status == 404


@ensureDeferred
async def test_administrators_see_and_remove_devices_of_their_accounts(app: Application, redis: RedisServer) -> None:
    alice = await app.has_account("alice")
    _registers(redis)
    chief = await app.chief()
    path = f"/admin/accounts/{alice['id']}"
    assert "Pixel 6" in (await chief.open(path)).text
    asked = await chief.open(f"{path}/devices/delete?uuid={quote(PHONE)}")
    assert (asked.status, "Remove Pixel 6?" in asked.text) == (200, True)
    reply = await chief.submit(f"{path}/devices", {"_method": "DELETE", "uuid": PHONE})
    assert reply.headers["Location"] == f"{path}#devices-title"
    assert not _is_registered(redis)


@ensureDeferred
async def test_devices_of_another_spaces_account_are_out_of_reach(app: Application, redis: RedisServer) -> None:
    await app.has_account("alice")
    _registers(redis)
    other = (await app.super_admin.post("/api/accounts", {"username": "other", "password": "other_password"})).json
    redis.ask("HSET", "fs:other@localhost", f'"<{PHONE}>"', contact(PHONE))
    chief = await app.chief()
    path = f"/admin/accounts/{other['id']}/devices"
    assert (await chief.open(f"{path}/delete?uuid={quote(PHONE)}")).status == 404
    assert (await chief.submit(path, {"_method": "DELETE", "uuid": PHONE})).status == 404
    assert redis.ask("EXISTS", "fs:other@localhost") == ["1"]


@ensureDeferred
async def test_what_a_device_calls_itself_is_no_markup(app: Application, redis: RedisServer) -> None:
    alice = await app.has_account("alice")
    _registers(redis, uuid='x"script', agent=f"{quote(SCRIPT, safe='')}%2F1%20({quote(SCRIPT, safe='')})")
    redis.ask("HSET", f"fs:alice@{TENANT}", SCRIPT, "<sip:a@b>")
    chief = await app.chief()
    path = f"/admin/accounts/{alice['id']}"
    uuid = quote(SCRIPT.strip('"<> '))
    for page in (path, f"{path}/devices/delete?uuid={uuid}"):
        shown = await chief.open(page)
        assert (shown.status, "<script>alert" in shown.text) == (200, False)


@ensureDeferred
async def test_pages_show_everything_else_while_the_registrar_is_away_or_hangs(
    app: Application, redis: RedisServer
) -> None:
    alice = await app.has_account("alice")
    _registers(redis)
    await app.has_account("chief", admin=True)
    chief, visitor = await app.signed_in("chief"), await app.signed_in("alice")
    registrar = app.services.devices.registrar
    assert isinstance(registrar, RedisRegistrar)
    redis.freeze()
    began = time.monotonic()
    for person, path in ((visitor, "/dashboard"), (visitor, "/devices"), (chief, f"/admin/accounts/{alice['id']}")):
        shown = await person.open(path)
        assert (shown.status, AWAY in shown.text) == (200, True), path
    # The first page waited for half a second, the others did not.
    assert time.monotonic() - began < 1
    assert "Remove" in (await visitor.open(f"/devices/delete?uuid={quote(PHONE)}")).text
    reply = await visitor.submit("/devices", {"_method": "DELETE", "uuid": PHONE})
    assert AWAY in (await visitor.follow(reply)).text
    redis.thaw()
    registrar.redis._silent_until = 0
    assert "Pixel 6" in (await visitor.open("/dashboard")).text
