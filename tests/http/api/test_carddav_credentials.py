from __future__ import annotations

import hashlib
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from support.application import SUPER, TENANT, Application, at_once

ALICE_DAV = {"username": "alice_dav", "password": "dav_password", "algorithm": "MD5", "realm": "dav.example.org"}
ON = "UPDATE spaces SET carddav_user_credentials = true"


def _path(account: dict[str, Any], server: dict[str, Any] | None = None) -> str:
    return f"/api/accounts/{account['id']}/carddavs" + (f"/{server['id']}" if server else "")


async def _server(app: Application, domain: str = TENANT) -> dict[str, Any]:
    reply = await app.super_admin.post(f"/api/spaces/{domain}/carddavs", {"uri": f"https://dav.{domain}/"})
    server: dict[str, Any] = reply.json
    return server


def _ha1(algorithm: str, text: str) -> str:
    hashed = hashlib.new("md5" if algorithm == "MD5" else "sha256", usedforsecurity=False)
    hashed.update(text.encode())
    return hashed.hexdigest()


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
@ensureDeferred
async def test_credentials_are_set_shown_replaced_and_deleted_and_the_server_stays(
    app: Application, algorithm: str
) -> None:
    await app.change(ON)
    alice, server = await app.has_account("alice"), await _server(app)
    assert (await app.admin.get(_path(alice))).json == {}
    assert (await app.admin.get(_path(alice, server))).status == 404
    reply = await app.admin.put(_path(alice, server), {**ALICE_DAV, "algorithm": algorithm})
    assert (reply.status, reply.json) == (200, 1)
    shown = {
        "carddav_id": server["id"],
        "username": "alice_dav",
        "realm": "dav.example.org",
        "algorithm": algorithm,
        "password": _ha1(algorithm, "alice_dav:dav.example.org:dav_password"),
    }
    assert (await app.admin.get(_path(alice))).json == {str(server["id"]): shown}
    assert (await app.admin.get(_path(alice, server))).json == shown
    assert (await app.admin.put(_path(alice, server), {**ALICE_DAV, "username": "a"})).json == 1
    assert (await app.admin.get(_path(alice, server))).json["username"] == "a"
    assert (await app.admin.delete(_path(alice, server))).json == 1
    assert (await app.admin.delete(_path(alice, server))).status == 404
    assert (await app.admin.get(_path(alice))).json == {}
    assert len((await app.super_admin.get(f"/api/spaces/{TENANT}/carddavs")).json) == 1


@ensureDeferred
async def test_the_account_shows_its_servers_and_nothing_of_the_credentials(app: Application) -> None:
    await app.change(ON)
    alice, server = await app.has_account("alice"), await _server(app)
    await _server(app)
    await app.admin.put(_path(alice, server), ALICE_DAV)
    user = app.user(alice)
    secrets = ("alice_dav", "dav_password", _ha1("MD5", "alice_dav:dav.example.org:dav_password"))
    for browser, path in (
        (app.admin, f"/api/accounts/{alice['id']}"),
        (app.admin, "/api/accounts"),
        (app.admin, f"/api/resolve/alice@{TENANT}"),
        (user, "/api/accounts/me"),
        (app.super_admin, f"/api/spaces/{TENANT}"),
    ):
        reply = await browser.get(path)
        assert reply.status == 200
        assert not any(secret in reply.text for secret in secrets), path
    assert (await user.get("/api/accounts/me")).json["carddav_servers"] == [server]


@ensureDeferred
async def test_a_space_without_them_refuses_all_of_it(app: Application) -> None:
    alice, server = await app.has_account("alice"), await _server(app)
    for method, path in (
        ("GET", _path(alice)),
        ("GET", _path(alice, server)),
        ("PUT", _path(alice, server)),
        ("DELETE", _path(alice, server)),
    ):
        for body in (ALICE_DAV, {}):
            assert (await app.admin.ask(method, path, body)).status == 403, (method, path)
    assert app.sql("SELECT 1 FROM account_carddav_credentials") == []


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        (dict.fromkeys(ALICE_DAV), {"username", "password", "realm"}),
        ({"algorithm": "SHA-512", "username": "x" * 65, "realm": "a\nb"}, {"algorithm", "username", "realm"}),
        ({"password": "é" * 128}, {"password"}),
    ],
)
@ensureDeferred
async def test_what_is_wrong_with_credentials_is_named(
    app: Application, changes: dict[str, Any], wrong: set[str]
) -> None:
    await app.change(ON)
    alice, server = await app.has_account("alice"), await _server(app)
    reply = await app.admin.put(_path(alice, server), {**ALICE_DAV, **changes})
    assert (reply.status, set(reply.json["errors"])) == (422, wrong)


@ensureDeferred
async def test_neither_a_server_nor_an_account_of_another_space_is_there(app: Application) -> None:
    await app.change(ON)
    alice, server, theirs = await app.has_account("alice"), await _server(app), await _server(app, SUPER)
    boss = {"username": "boss", "password": "boss_password", "domain": SUPER}
    other = (await app.super_admin.post("/api/accounts", boss)).json
    assert (await app.super_admin.put(_path(other, theirs), ALICE_DAV)).json == 1
    for account, carddav in ((alice, theirs), (other, theirs), (other, server), ({"id": 999999}, server)):
        for method in ("GET", "PUT", "DELETE"):
            assert (await app.admin.ask(method, _path(account, carddav), ALICE_DAV)).status == 404
    assert (await app.super_admin.put(_path(other, server), ALICE_DAV)).status == 404
    assert app.sql("SELECT account_id FROM account_carddav_credentials") == [{"account_id": other["id"]}]


@ensureDeferred
async def test_credentials_set_at_once_leave_one_row_and_go_with_their_server(app: Application) -> None:
    await app.change(ON)
    alice, server = await app.has_account("alice"), await _server(app)
    bodies = [{**ALICE_DAV, "username": f"alice{number}"} for number in range(5)]
    replies = await at_once(*(app.admin.put(_path(alice, server), body) for body in bodies))
    assert {reply.json for reply in replies} == {1}
    assert len((await app.admin.get(_path(alice))).json) == 1
    await app.super_admin.delete(f"/api/spaces/{TENANT}/carddavs/{server['id']}")
    assert (await app.admin.get(_path(alice))).json == {}
