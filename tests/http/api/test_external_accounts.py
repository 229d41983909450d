from __future__ import annotations

import hashlib
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from support.application import SUPER, Application, at_once

CARRIER = {"username": "0456", "domain": "sip.carrier.example", "protocol": "TLS", "password": "carrier_password"}


def _path(account: dict[str, Any]) -> str:
    return f"/api/accounts/{account['id']}/external"


def _stored(app: Application) -> str:
    (row,) = app.sql("SELECT password FROM external_accounts")
    return str(row["password"])


def _ha1(username: str, realm: str, password: str) -> str:
    return hashlib.md5(f"{username}:{realm}:{password}".encode(), usedforsecurity=False).hexdigest()


def _told(app: Application) -> list[dict[str, Any]]:
    rows = app.sql("SELECT domain, payload FROM outbox WHERE channel = 'b2bua' ORDER BY id")
    assert all(row["domain"] is None for row in rows)
    return [row["payload"] for row in rows]


@ensureDeferred
async def test_an_external_account_is_made_changed_shown_and_deleted(app: Application) -> None:
    alice = await app.has_account("alice")
    assert (await app.admin.get(_path(alice))).status == 404
    made = await app.admin.post(_path(alice), CARRIER)
    assert made.status == 201
    assert made.json == {
        "id": made.json["id"],
        "account_id": alice["id"],
        "username": "0456",
        "domain": "sip.carrier.example",
        "realm": None,
        "registrar": None,
        "outbound_proxy": None,
        "protocol": "TLS",
        "algorithm": "MD5",
        "created_at": made.json["created_at"],
        "updated_at": made.json["created_at"],
    }
    assert (await app.admin.get(_path(alice))).json == made.json
    changed = await app.admin.post(
        _path(alice),
        {**CARRIER, "realm": "carrier", "registrar": "r.carrier.example", "outbound_proxy": "p.carrier.example"},
    )
    assert (changed.status, changed.json["id"]) == (200, made.json["id"])
    assert (changed.json["realm"], changed.json["registrar"]) == ("carrier", "r.carrier.example")
    deleted = await app.admin.delete(_path(alice))
    assert (deleted.status, deleted.json) == (200, 1)
    again = await app.admin.delete(_path(alice))
    assert (again.status, again.body) == (200, b"")


@ensureDeferred
async def test_the_stored_hash_is_of_the_realm_or_else_the_domain_and_never_shown(app: Application) -> None:
    alice = await app.has_account("alice")
    replies = [await app.admin.post(_path(alice), {**CARRIER, "algorithm": "SHA-256"})]
    assert _stored(app) == _ha1("0456", "sip.carrier.example", "carrier_password")
    replies.append(await app.admin.post(_path(alice), {**CARRIER, "realm": "carrier"}))
    assert _stored(app) == _ha1("0456", "carrier", "carrier_password")
    replies.append(await app.admin.get(_path(alice)))
    for reply in replies:
        assert "carrier_password" not in reply.text
        assert "password" not in reply.json
        assert _stored(app) not in reply.text


@ensureDeferred
async def test_the_password_is_needed_at_first_and_when_what_is_hashed_with_it_changes(app: Application) -> None:
    alice = await app.has_account("alice")
    without = {name: value for name, value in CARRIER.items() if name != "password"}
    reply = await app.admin.post(_path(alice), without)
    assert (reply.status, list(reply.json["errors"])) == (422, ["password"])
    await app.admin.post(_path(alice), CARRIER)
    before = _stored(app)
    assert (await app.admin.post(_path(alice), {**without, "protocol": "UDP", "registrar": "r.example"})).status == 200
    assert _stored(app) == before
    for change in ({"realm": "carrier"}, {"domain": "other.example"}, {"username": "0457"}):
        reply = await app.admin.post(_path(alice), {**without, **change})
        assert (reply.status, list(reply.json["errors"])) == (422, ["password"]), change
    assert _stored(app) == before


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"username", "domain", "protocol", "password"}),
        ({**CARRIER, "realm": "sip.carrier.example"}, {"realm"}),
        (
            {**CARRIER, "domain": "SIP.carrier.example", "registrar": "sip.CARRIER.example"}
            | {"outbound_proxy": "sip.carrier.example", "protocol": "SCTP"},
            {"registrar", "outbound_proxy", "protocol"},
        ),
        ({**CARRIER, "domain": "not a domain", "username": "x" * 65}, {"domain", "username"}),
        ({**CARRIER, "password": "é" * 128}, {"password"}),
        ({**CARRIER, "registrar": "a\nb", "realm": ["x"]}, {"registrar", "realm"}),
    ],
)
@ensureDeferred
async def test_all_that_is_wrong_is_named_and_nothing_kept(
    app: Application, body: dict[str, Any], wrong: set[str]
) -> None:
    alice = await app.has_account("alice")
    reply = await app.admin.post(_path(alice), body)
    assert (reply.status, set(reply.json["errors"])) == (422, wrong)
    assert app.sql("SELECT 1 FROM external_accounts UNION ALL SELECT 1 FROM outbox") == []


@pytest.mark.parametrize("domain", ["192.0.2.7", "2001:db8::7", "SIP.Carrier.Example"])
@ensureDeferred
async def test_the_other_operator_has_a_name_or_an_address(app: Application, domain: str) -> None:
    alice = await app.has_account("alice")
    reply = await app.admin.post(_path(alice), {**CARRIER, "domain": domain, "username": 456, "password": 1})
    assert (reply.status, reply.json["domain"], reply.json["username"]) == (201, domain.lower(), "456")
    assert _stored(app) == _ha1("456", domain.lower(), "1")


@ensureDeferred
async def test_an_external_account_belongs_to_one_account_of_all_spaces(app: Application) -> None:
    alice = await app.has_account("alice")
    boss = {"username": "boss", "password": "boss_password", "domain": SUPER}
    other = (await app.super_admin.post("/api/accounts", boss)).json
    assert (await app.super_admin.post(_path(other), CARRIER)).status == 201
    reply = await app.admin.post(_path(alice), {**CARRIER, "protocol": "?"})
    assert (reply.status, set(reply.json["errors"])) == (422, {"username", "protocol"})
    reply = await app.admin.post(_path(alice), CARRIER)
    assert (reply.status, list(reply.json["errors"])) == (422, ["username"])
    assert (await app.admin.post(_path(alice), {**CARRIER, "domain": "sip.other.example"})).status == 201


@ensureDeferred
async def test_of_many_who_want_one_external_account_at_once_one_gets_it(app: Application) -> None:
    accounts = [await app.has_account(f"user{number}") for number in range(5)]
    replies = await at_once(*(app.admin.post(_path(account), CARRIER) for account in accounts))
    assert sorted(reply.status for reply in replies) == [201, 422, 422, 422, 422]
    assert {field for reply in replies for field in reply.json.get("errors", ())} == {"username"}
    assert len(_told(app)) == 1


@ensureDeferred
async def test_of_many_who_make_the_external_account_of_one_account_one_is_first(app: Application) -> None:
    alice = await app.has_account("alice")
    bodies = [{**CARRIER, "username": f"04{number}"} for number in range(5)]
    replies = await at_once(*(app.admin.post(_path(alice), body) for body in bodies))
    assert sorted(reply.status for reply in replies) == [200, 200, 200, 200, 201]
    (row,) = app.sql("SELECT username, password FROM external_accounts")
    assert row["password"] == _ha1(row["username"], "sip.carrier.example", "carrier_password")


@ensureDeferred
async def test_the_b2bua_is_told_of_each_change_whoever_makes_it(app: Application) -> None:
    alice = await app.has_account("alice")
    made = (await app.admin.post(_path(alice), CARRIER)).json
    notice = {"username": "0456", "domain": "sip.carrier.example", "identifier": str(made["id"])}
    assert _told(app) == [notice]
    await app.admin.post(_path(alice), {**CARRIER, "realm": "sip.carrier.example"})
    await app.admin.post(_path(alice), {**CARRIER, "protocol": "UDP"})
    assert _told(app) == [notice] * 2
    await app.admin.delete(_path(alice))
    await app.admin.delete(_path(alice))
    assert _told(app) == [notice] * 3


@ensureDeferred
async def test_the_b2bua_hears_of_external_accounts_that_go_with_their_account_or_space(app: Application) -> None:
    alice, bob = await app.has_account("alice"), await app.has_account("bob")
    await app.admin.post(_path(alice), CARRIER)
    await app.admin.post(_path(bob), {**CARRIER, "username": "0457"})
    await app.admin.delete(f"/api/accounts/{alice['id']}")
    assert [notice["username"] for notice in _told(app)] == ["0456", "0457", "0456"]
    await app.super_admin.delete(f"/api/spaces/{bob['domain']}")
    assert [notice["username"] for notice in _told(app)] == ["0456", "0457", "0456", "0457"]


@ensureDeferred
async def test_an_external_account_under_a_new_address_is_dropped_under_the_one_before(app: Application) -> None:
    alice = await app.has_account("alice")
    made = (await app.admin.post(_path(alice), CARRIER)).json
    await app.admin.post(_path(alice), {**CARRIER, "username": "0457"})
    new = {"username": "0457", "domain": "sip.carrier.example", "identifier": str(made["id"])}
    assert _told(app)[1:] == [{"username": "0456", "domain": "sip.carrier.example", "identifier": "0"}, new]


@ensureDeferred
async def test_the_b2bua_hears_when_an_account_may_no_longer_call_or_may_again(app: Application) -> None:
    alice, bob = await app.has_account("alice"), await app.has_account("bob")
    made = (await app.admin.post(_path(alice), CARRIER)).json
    for account in (alice, bob):
        for change in ("block", "block", "unblock", "deactivate", "activate"):
            await app.admin.post(f"/api/accounts/{account['id']}/{change}")
    assert _told(app)[1:] == [{"username": "0456", "domain": "sip.carrier.example", "identifier": str(made["id"])}] * 4


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@ensureDeferred
async def test_an_account_out_of_reach_has_no_external_account(app: Application, method: str) -> None:
    boss = {"username": "boss", "password": "boss_password", "domain": SUPER}
    other = (await app.super_admin.post("/api/accounts", boss)).json
    await app.super_admin.post(_path(other), CARRIER)
    for account in (other, {"id": 999999}):
        for body in (CARRIER, {}):
            assert (await app.admin.ask(method, _path(account), body)).status == 404
    assert (await app.super_admin.get(_path(other))).json["username"] == "0456"
    assert len(_told(app)) == 1
