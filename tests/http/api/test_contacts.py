from __future__ import annotations

from typing import Any

from pytest_twisted import ensureDeferred
from support.application import TENANT, Application, at_once
from support.neighbours import has_neighbour


async def _has_list(app: Application, title: str, *members: dict[str, Any]) -> int:
    reply = await app.admin.post("/api/contacts_lists", {"title": title, "description": "d"})
    for member in members:
        await app.admin.post(f"/api/contacts_lists/{reply.json['id']}/contacts/{member['id']}")
    return int(reply.json["id"])


@ensureDeferred
async def test_administrators_add_show_and_delete_direct_contacts(app: Application, asked: list[str]) -> None:
    alice, bob = await app.has_account("alice"), await app.has_account("bob", dictionary={"k": "v"})
    path = f"/api/accounts/{alice['id']}/contacts"
    assert (await app.admin.get(path)).json == []
    asked.clear()
    for _ in range(2):
        added = await app.admin.post(f"{path}/{bob['id']}")
        assert (added.status, added.body) == (200, b"")
    shown = (await app.admin.get(f"/api/accounts/{bob['id']}")).json
    asked.clear()
    assert (await app.admin.get(path)).json == [shown]
    assert (await app.admin.get(f"{path}/{bob['id']}")).json == shown
    assert asked == ["direct contacts of an account"] * 2
    deleted = await app.admin.delete(f"{path}/{bob['id']}")
    assert (deleted.status, deleted.json) == (200, 1)
    for method in ("GET", "DELETE"):
        assert (await app.admin.ask(method, f"{path}/{bob['id']}")).status == 404
    assert (await app.admin.post(f"{path}/999999")).status == 404
    assert (await app.admin.get("/api/accounts/999999/contacts")).status == 404


@ensureDeferred
async def test_six_who_add_one_contact_at_once_all_succeed(app: Application) -> None:
    alice, bob = await app.has_account("alice"), await app.has_account("bob")
    path = f"/api/accounts/{alice['id']}/contacts/{bob['id']}"
    assert {reply.status for reply in await at_once(*(app.admin.post(path) for _ in range(6)))} == {200}
    assert sorted(reply.status for reply in await at_once(*(app.admin.delete(path) for _ in range(6)))) == (
        [200] + [404] * 5
    )


@ensureDeferred
async def test_owners_see_direct_contacts_and_members_of_their_lists_each_once(
    app: Application, asked: list[str]
) -> None:
    alice = await app.has_account("alice")
    bob = await app.has_account("bob", display_name="Bob", dtmf_protocol="sipinfo", dictionary={"k": "v"})
    carol = await app.has_account("carol", activated=False)
    await app.has_account("dave")
    await app.admin.post(f"/api/accounts/{bob['id']}/actions", {"key": "open", "code": "12"})
    type_id = (await app.admin.post("/api/account_types", {"key": "door"})).json["id"]
    await app.admin.post(f"/api/accounts/{bob['id']}/types/{type_id}")
    await app.admin.post(f"/api/accounts/{alice['id']}/contacts/{bob['id']}")
    for title in ("team", "house"):
        list_id = await _has_list(app, title, bob, carol)
        await app.admin.post(f"/api/accounts/{alice['id']}/contacts_lists/{list_id}")
    own = app.user(alice)
    await own.get("/api/accounts/me/contacts")
    asked.clear()
    contacts = (await own.get("/api/accounts/me/contacts")).json
    assert asked == ["contacts of an account"]
    assert [contact["username"] for contact in contacts] == ["bob", "carol"]
    action_id = contacts[0]["actions"][0]["id"]
    assert contacts[0] == {
        "id": bob["id"],
        "username": "bob",
        "domain": TENANT,
        "activated": True,
        "dtmf_protocol": "sipinfo",
        "display_name": "Bob",
        "sip_uri": f"sip:bob@{TENANT}",
        "dictionary": {"k": "v"},
        "types": [{"id": type_id, "key": "door"}],
        "actions": [{"id": action_id, "key": "open", "code": "12"}],
    }
    assert (contacts[1]["activated"], contacts[1]["actions"], contacts[1]["dictionary"]) == (False, [], {})
    asked.clear()
    for name in (f"bob@{TENANT}", f"sip:bob@{TENANT}", f"sip%3ABob%40{TENANT.upper()}"):
        assert (await own.get(f"/api/accounts/me/contacts/{name}")).json == contacts[0]
    assert asked == ["a contact of an account by address"] * 3
    for name in (f"dave@{TENANT}", f"alice@{TENANT}", "nonsense", "bob@elsewhere.example.org"):
        assert (await own.get(f"/api/accounts/me/contacts/{name}")).status == 404
    assert (await app.admin.get(f"/api/accounts/{alice['id']}/contacts/{carol['id']}")).status == 404


@ensureDeferred
async def test_actions_of_a_contact_without_dtmf_are_not_shown(app: Application) -> None:
    alice, bob = await app.has_account("alice"), await app.has_account("bob", dtmf_protocol="sipinfo")
    await app.admin.post(f"/api/accounts/{bob['id']}/actions", {"key": "open", "code": "12"})
    await app.admin.post(f"/api/accounts/{alice['id']}/contacts/{bob['id']}")
    app.sql("UPDATE accounts SET dtmf_protocol = NULL WHERE id = %s", bob["id"])
    assert (await app.user(alice).get("/api/accounts/me/contacts")).json[0]["actions"] == []


@ensureDeferred
async def test_somebody_without_contacts_has_an_empty_list(app: Application) -> None:
    alice = await app.has_account("alice")
    assert (await app.user(alice).get("/api/accounts/me/contacts")).json == []


@ensureDeferred
async def test_contacts_do_not_cross_spaces_by_the_hand_of_administrators(app: Application) -> None:
    neighbour = await has_neighbour(app)
    alice, bob = await app.has_account("alice"), await app.has_account("bob")
    await app.admin.post(f"/api/accounts/{alice['id']}/contacts/{bob['id']}")
    eve = neighbour.user
    for owner, contact in ((alice, bob), (eve, bob), (alice, eve)):
        for method in ("GET", "POST", "DELETE"):
            reply = await neighbour.admin.ask(method, f"/api/accounts/{owner['id']}/contacts/{contact['id']}")
            assert reply.status == 404, (method, owner["username"], contact["username"])
    assert (await neighbour.admin.get(f"/api/accounts/{alice['id']}/contacts")).status == 404
    assert [each["username"] for each in (await app.user(alice).get("/api/accounts/me/contacts")).json] == ["bob"]


@ensureDeferred
async def test_a_contact_of_another_space_shows_an_administrator_nothing_secret(app: Application) -> None:
    neighbour = await has_neighbour(app)
    alice = await app.has_account("alice")
    path = f"/api/accounts/{alice['id']}/contacts"
    assert (await app.super_admin.post(f"{path}/{neighbour.user['id']}")).status == 200
    seen = await app.user(alice).get("/api/accounts/me/contacts")
    assert [each["username"] for each in seen.json] == ["eve"]
    assert neighbour.user["provisioning_token"] not in seen.text
    assert (await app.admin.get(path)).json == []
    assert (await app.admin.get(f"{path}/{neighbour.user['id']}")).status == 404
    assert [each["username"] for each in (await app.super_admin.get(path)).json] == ["eve"]


@ensureDeferred
async def test_ten_thousand_contacts_cost_one_statement(app: Application, asked: list[str]) -> None:
    alice = await app.has_account("alice")
    list_id = await _has_list(app, "all")
    app.sql("INSERT INTO accounts (username, domain) SELECT 'user' || n, %s FROM generate_series(1, 10000) n", TENANT)
    app.sql("INSERT INTO contacts_list_contact SELECT %s, id FROM accounts WHERE username LIKE 'user%%'", list_id)
    await app.admin.post(f"/api/accounts/{alice['id']}/contacts_lists/{list_id}")
    own = app.user(alice)
    await own.get("/api/accounts/me")
    asked.clear()
    assert len((await own.get("/api/accounts/me/contacts")).json) == 10_000
    assert asked == ["contacts of an account"]
