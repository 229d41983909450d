from __future__ import annotations

from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from support.application import SUPER, TENANT_HOST, Application

BOB = "sip:bob@sip.example.com"
NOTHING = {"provisioning_account_id": None, "sip": None, "linphone_action": None, "linphone_use_sips": None}


@ensureDeferred
async def test_a_link_may_set_an_account_up_call_somebody_or_do_nothing_of_it(app: Application) -> None:
    alice = await app.has_account("alice")
    for body in (
        {
            "provisioning_account_id": alice["id"],
            "sip": BOB,
            "linphone_action": "call",
            "linphone_use_sips": True,
        },
        {"sip": "bob@sip.example.com"},
        {"linphone_action": "show", "linphone_use_sips": False},
        {},
    ):
        reply = await app.admin.post("/api/wizard", body)
        assert reply.status == 201
        token = reply.json["token"]
        assert (len(token), token.isalnum()) == (8, True)
        more = {"token": token, "used_at": None, "url": f"http://{TENANT_HOST}/wizard/{token}"}
        assert reply.json == {**NOTHING, **body, **more}


@ensureDeferred
async def test_text_is_taken_for_numbers_and_switches(app: Application) -> None:
    alice = await app.has_account("alice")
    body = {"provisioning_account_id": str(alice["id"]), "linphone_use_sips": "1", "sip": ""}
    reply = await app.admin.post("/api/wizard", body)
    assert (reply.json["provisioning_account_id"], reply.json["linphone_use_sips"]) == (alice["id"], True)


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"linphone_action": "call"}, {"sip"}),
        ({"linphone_action": "call", "linphone_use_sips": "maybe"}, {"sip", "linphone_use_sips"}),
        ({"linphone_action": "dance", "sip": "bob"}, {"linphone_action", "sip"}),
        ({"provisioning_account_id": 999999}, {"provisioning_account_id"}),
        ({"provisioning_account_id": 999999, "linphone_action": "call"}, {"provisioning_account_id", "sip"}),
        ({"provisioning_account_id": "alice", "sip": f"sip:{'x' * 300}@a.org"}, {"provisioning_account_id", "sip"}),
    ],
)
@ensureDeferred
async def test_what_is_wrong_with_a_wizard_is_named(app: Application, body: dict[str, Any], wrong: set[str]) -> None:
    reply = await app.admin.post("/api/wizard", body)
    assert (reply.status, set(reply.json["errors"])) == (422, wrong)
    assert app.sql("SELECT 1 FROM wizards") == []


@ensureDeferred
async def test_the_account_must_be_one_that_the_caller_may_administer(app: Application) -> None:
    boss = {"username": "boss", "password": "boss_password", "domain": SUPER}
    other = (await app.super_admin.post("/api/accounts", boss)).json
    reply = await app.admin.post("/api/wizard", {"provisioning_account_id": other["id"]})
    assert (reply.status, list(reply.json["errors"])) == (422, ["provisioning_account_id"])
    alice = await app.has_account("alice")
    reply = await app.super_admin.post("/api/wizard", {"provisioning_account_id": alice["id"]})
    assert reply.json["url"] == f"http://{TENANT_HOST}/wizard/{reply.json['token']}"
    reply = await app.super_admin.at(f"{TENANT_HOST}:8443").post("/api/wizard", {"linphone_action": "show"})
    assert reply.json["url"] == f"http://{TENANT_HOST}:8443/wizard/{reply.json['token']}"


@ensureDeferred
async def test_making_a_link_leaves_the_current_code_of_the_account_as_it_is(app: Application) -> None:
    alice = await app.has_account("alice")
    await app.admin.post("/api/wizard", {"provisioning_account_id": alice["id"]})
    after = (await app.admin.get(f"/api/accounts/{alice['id']}")).json
    assert after["provisioning_token"] == alice["provisioning_token"]
