from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred
from support.application import TENANT, TENANT_HOST, Application, at_once
from support.cases import named

from flexid.store.accounts import MERGE_COUNTS

FIELDS = {
    "id", "username", "domain", "email", "activated", "ip_address", "user_agent", "created_at", "display_name",
    "dtmf_protocol", "updated_at", "blocked", "admin", "phone", "provisioning_token", "provisioning_token_expire_at",
    "dictionary", "sip_uri", "passwords", "email_change_code", "types", "actions", "carddav_servers",
    "phone_change_code",
}  # fmt: skip


@ensureDeferred
async def test_an_account_is_created_with_everything(app: Application) -> None:
    app.sql("UPDATE phone_countries SET activated = true WHERE code = 'FR'")
    wanted = {
        "username": "alice",
        "activated": True,
        "display_name": "Alice",
        "email": "mail@example.org",
        "phone": "+33612320692",
        "dtmf_protocol": "sipinfo",
        "dictionary": {"foo": "bar", "k": "v"},
    }
    reply = await app.admin.post(
        "/api/accounts", {**wanted, "password": "alice_password", "algorithm": "SHA-256"}, user_agent="a script"
    )
    assert reply.status == 200
    assert reply.headers["Content-Type"] == "application/json"
    account = reply.json
    assert account.keys() == FIELDS
    assert account | wanted == account
    assert account["domain"] == TENANT
    assert account["sip_uri"] == f"sip:alice@{TENANT}"
    assert account["user_agent"] == "a script"
    assert account["passwords"] == [{"algorithm": "SHA-256"}]
    assert len(account["provisioning_token"]) == 13
    assert account["created_at"].endswith("Z")
    assert len(account["created_at"]) == len("2026-08-20T09:28:37.000000Z")
    shown = await app.admin.get(f"/api/accounts/{account['id']}")
    assert shown.json == account


@ensureDeferred
async def test_the_least_is_a_name_and_a_password(app: Application) -> None:
    account = (await app.admin.post("/api/accounts", {"username": "bob", "password": "bob_password"})).json
    assert account["activated"] is account["admin"] is account["blocked"] is False
    assert account["dictionary"] == {}
    assert account["email"] is account["phone"] is account["dtmf_protocol"] is account["display_name"] is None


@ensureDeferred
async def test_older_clients_send_text_and_numbers_for_one_another(app: Application) -> None:
    reply = await app.admin.post(
        "/api/accounts", {"username": 1234, "password": 12345678, "activated": "1", "admin": "0", "display_name": 7}
    )
    account = reply.json
    assert (account["username"], account["activated"], account["admin"]) == ("1234", True, False)
    assert account["display_name"] == "7"


@ensureDeferred
async def test_a_form_is_read_like_json(app: Application) -> None:
    reply = await app.admin.post(
        "/api/accounts",
        b"username=carl&password=carl_password&activated=1&dictionary[lang]=fr&dictionary[zone]=3",
        Content_Type="application/x-www-form-urlencoded",
    )
    assert reply.status == 200, reply.text
    assert reply.json["dictionary"] == {"lang": "fr", "zone": "3"}


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"username": None}, {"username"}),
        ({"username": ""}, {"username"}),
        ({"username": None, "password": None}, {"username", "password"}),
        ({"username": "Alice"}, {"username"}),
        ({"username": "al ice"}, {"username"}),
        ({"username": "al/ice"}, {"username"}),
        ({"username": "+33612320692"}, {"username"}),
        ({"username": "x" * 65}, {"username"}),
        ({"username": "nul\0"}, {"username"}),
        ({"password": "short"}, {"password"}),
        ({"password": "é" * 128}, {"password"}),
        ({"password": "short", "username": "taken"}, {"username", "password"}),
        ({"activated": "maybe", "username": "taken"}, {"username", "activated"}),
        ({"email": "nonsense"}, {"email"}),
        ({"email": "taken@example.org"}, {"email"}),
        ({"email": "TAKEN@example.org"}, {"email"}),
        ({"phone": "0612320692"}, {"phone"}),
        ({"phone": "+3361232"}, {"phone"}),
        ({"phone": "+491701234567"}, {"phone"}),
        ({"phone": "+33612320692"}, {"phone"}),
        ({"dtmf_protocol": "pigeon"}, {"dtmf_protocol"}),
        ({"activated": 2}, {"activated"}),
        ({"admin": []}, {"admin"}),
        ({"display_name": {}}, {"display_name"}),
        ({"display_name": "x" * 256}, {"display_name"}),
        ({"dictionary": {"a": 1}}, {"dictionary"}),
        ({"dictionary": "a"}, {"dictionary"}),
        ({"dictionary": {"a": "x" * 256}}, {"dictionary"}),
        ({"domain": "nowhere.example.org"}, {"domain"}),
    ],
    ids=named,
)
@ensureDeferred
async def test_every_wrong_field_is_named(app: Application, changed: dict[str, object], wrong: set[str]) -> None:
    app.sql("UPDATE phone_countries SET activated = true WHERE code = 'FR'")
    await app.has_account("taken", email="taken@example.org", phone="+33612320692")
    reply = await app.admin.post("/api/accounts", {"username": "new", "password": "new_password", **changed})
    assert reply.status == 422, reply.text
    assert reply.json["errors"].keys() == wrong
    assert all(isinstance(reason, str) for reasons in reply.json["errors"].values() for reason in reasons)
    assert isinstance(reply.json["message"], str)


@ensureDeferred
async def test_the_name_of_a_deleted_account_is_never_free_again(app: Application) -> None:
    account = await app.has_account("alice")
    deleted = await app.admin.delete(f"/api/accounts/{account['id']}")
    assert (deleted.status, deleted.body) == (200, b"")
    reply = await app.admin.post("/api/accounts", {"username": "alice", "password": "again_password"})
    assert reply.status == 422
    assert reply.json["errors"].keys() == {"username"}


@ensureDeferred
async def test_a_username_may_not_be_somebodys_phone(app: Application) -> None:
    await app.has_account("alice")
    app.sql("UPDATE accounts SET phone = '33612320692' WHERE username = 'alice'")
    reply = await app.admin.post("/api/accounts", {"username": "33612320692", "password": "some_password"})
    assert reply.json["errors"].keys() == {"username"}


@ensureDeferred
async def test_of_fifty_creations_of_one_name_one_succeeds(app: Application) -> None:
    replies = await at_once(
        *(app.admin.post("/api/accounts", {"username": "same", "password": "some_password"}) for _ in range(50))
    )
    assert sorted(reply.status for reply in replies) == [200] + [422] * 49
    assert all(reply.json["errors"].keys() == {"username"} for reply in replies if reply.status == 422)


@ensureDeferred
async def test_a_full_space_takes_no_more_even_at_once(app: Application) -> None:
    await app.change("UPDATE spaces SET max_accounts = 4 WHERE domain = %s", TENANT)
    replies = await at_once(
        *(app.admin.post("/api/accounts", {"username": f"u{n}", "password": "some_password"}) for n in range(20))
    )
    assert sorted(reply.status for reply in replies) == [200] * 3 + [403] * 17
    assert (await app.admin.post("/api/accounts", {})).status == 403


@ensureDeferred
async def test_a_super_administrator_places_accounts_anywhere(app: Application) -> None:
    placed = await app.super_admin.post(
        "/api/accounts", {"username": "guest", "password": "guest_password", "domain": TENANT}
    )
    assert placed.json["domain"] == TENANT
    nowhere = await app.super_admin.post(
        "/api/accounts", {"username": "guest", "password": "guest_password", "domain": "nowhere.example.org"}
    )
    assert nowhere.status == 403
    elsewhere = await app.admin.post(
        "/api/accounts", {"username": "other", "password": "other_password", "domain": "localhost"}
    )
    assert elsewhere.json["domain"] == TENANT


@ensureDeferred
async def test_put_replaces_an_account(app: Application) -> None:
    account = await app.has_account("alice", email="a@example.org", display_name="A", dictionary={"a": "1", "b": "2"})
    path = f"/api/accounts/{account['id']}"
    changed = (await app.admin.put(path, {"username": "alice", "dictionary": {"b": "3", "c": "4"}})).json
    assert (changed["email"], changed["display_name"], changed["activated"]) == (None, None, True)
    assert changed["dictionary"] == {"b": "3", "c": "4"}
    blocked = (await app.admin.put(path, {"username": "alice", "blocked": True, "activated": "0"})).json
    assert (blocked["blocked"], blocked["activated"]) == (True, False)
    assert blocked["dictionary"] == {"b": "3", "c": "4"}
    assert (await app.admin.put("/api/accounts/999999", {"username": "x"})).status == 404


@ensureDeferred
async def test_renaming_needs_a_password_since_the_hash_contains_the_name(app: Application) -> None:
    account = await app.has_account("alice")
    path = f"/api/accounts/{account['id']}"
    refused = await app.admin.put(path, {"username": "alicia"})
    assert refused.status == 422
    assert refused.json["errors"].keys() == {"password"}
    renamed = await app.admin.put(path, {"username": "alicia", "password": "alicia_password"})
    assert renamed.json["username"] == "alicia"
    app.sql("DELETE FROM passwords")
    assert (await app.admin.put(path, {"username": "alina"})).json["username"] == "alina"


@ensureDeferred
async def test_renaming_to_a_taken_name_is_refused(app: Application) -> None:
    await app.has_account("bob")
    account = await app.has_account("alice")
    reply = await app.admin.put(f"/api/accounts/{account['id']}", {"username": "bob", "password": "alice_password"})
    assert reply.status == 422
    assert reply.json["errors"].keys() == {"username"}


@ensureDeferred
async def test_put_names_all_wrong_fields_too(app: Application) -> None:
    await app.has_account("bob", email="bob@example.org")
    account = await app.has_account("alice", email="alice@example.org")
    path = f"/api/accounts/{account['id']}"
    wrong = {"username": "bob", "email": "bob@example.org", "admin": "perhaps", "password": "short"}
    assert (await app.admin.put(path, wrong)).json["errors"].keys() == wrong.keys()
    kept = {"username": "alice", "email": "alice@example.org", "admin": "perhaps"}
    assert (await app.admin.put(path, kept)).json["errors"].keys() == {"admin"}


@ensureDeferred
async def test_accounts_are_activated_and_blocked(app: Application) -> None:
    account = await app.has_account("alice")
    path = f"/api/accounts/{account['id']}"
    assert (await app.admin.post(f"{path}/deactivate")).json["activated"] is False
    assert (await app.admin.post(f"{path}/activate")).json["activated"] is True
    assert (await app.admin.post(f"{path}/block")).json["blocked"] is True
    assert (await app.admin.post(f"{path}/unblock")).json["blocked"] is False
    assert (await app.admin.post("/api/accounts/999999/block")).status == 404


@ensureDeferred
async def test_a_new_provisioning_token_voids_the_one_before(app: Application) -> None:
    account = await app.has_account("alice")
    renewed = (await app.admin.get(f"/api/accounts/{account['id']}/provision")).json
    assert renewed["provisioning_token"] != account["provisioning_token"]
    old = await app.nobody.get(f"/provisioning/{account['provisioning_token']}", x_linphone_provisioning="1")
    assert old.status == 404


@ensureDeferred
async def test_an_account_is_found_by_address_and_email(app: Application) -> None:
    account = await app.has_account("alice", email="Mail@example.org")
    for path in (
        f"/api/accounts/alice@{TENANT}/search",
        f"/api/accounts/sip:alice@{TENANT}/search",
        f"/api/accounts/sip%3Aalice%40{TENANT}/search",
        "/api/accounts/mail@example.org/search-by-email",
    ):
        found = await app.admin.get(path)
        assert found.json["id"] == account["id"], path
        assert found.json["call_forwardings"] == []
    for path in (
        f"/api/accounts/bob@{TENANT}/search",
        "/api/accounts/x@y.org/search-by-email",
        "/api/resolve/nonsense",
    ):
        assert (await app.admin.get(path)).status == 404


@ensureDeferred
async def test_resolve_speaks_flexisips_words(app: Application) -> None:
    alice, bob = await app.has_account("alice"), await app.has_account("bob")
    app.sql(
        "INSERT INTO call_forwardings (account_id, type, forward_to, contact_id, enabled) VALUES"
        " (%s, 'no_answer', 'contact', %s, true)",
        alice["id"],
        bob["id"],
    )
    answer = (await app.admin.get(f"/api/resolve/alice@{TENANT}")).json
    assert answer["type"] == "account"
    assert answer["payload"]["sip_uri"] == f"sip:alice@{TENANT}"
    (forwarding,) = answer["payload"]["call_forwardings"]
    assert (forwarding["type"], forwarding["contact_sip_uri"]) == ("away", f"sip:bob@{TENANT}")
    assert forwarding["enabled"] is True


@ensureDeferred
async def test_pending_codes_show_on_the_one_account_only(app: Application) -> None:
    account = await app.has_account("emma")
    app.sql(
        "INSERT INTO email_change_codes (account_id, code, email) VALUES (%s, '1107', 'second@example.org')",
        account["id"],
    )
    shown = (await app.admin.get(f"/api/accounts/{account['id']}")).json["email_change_code"]
    assert (shown["code"], shown["email"]) == ("1107", "second@example.org")
    found = (await app.admin.get(f"/api/accounts/emma@{TENANT}/search")).json["email_change_code"]
    assert "code" not in found
    assert found["expire_at"] > found["created_at"]


@ensureDeferred
async def test_accounts_come_in_pages_by_id(app: Application) -> None:
    app.sql("INSERT INTO accounts (username, domain) SELECT 'user' || n, %s FROM generate_series(1, 9000) n", TENANT)
    app.sql("DELETE FROM accounts WHERE username IN ('user7', 'user6500')")
    ids = [row["id"] for row in app.sql("SELECT id FROM accounts WHERE domain = %s ORDER BY id", TENANT)]
    for number in (1, 2, 204, 205, 206, 450):
        page = (await app.admin.get(f"/api/accounts?page={number}")).json
        assert [account["id"] for account in page["data"]] == ids[(number - 1) * 20 : number * 20]
        assert page["total"] == len(ids) == 8999
        assert page["path"] == f"http://{TENANT_HOST}/api/accounts"
    beyond = (await app.admin.get("/api/accounts?page=451")).json
    assert (beyond["data"], beyond["from"], beyond["to"], beyond["last_page"]) == ([], None, None, 450)
    assert (await app.admin.get("/api/accounts?page=nonsense")).json["current_page"] == 1
    for asked, given in (("100", 100), ("101", 100), ("0", 20), ("abc", 20), ("-5", 20)):
        assert len((await app.admin.get(f"/api/accounts?per_page={asked}")).json["data"]) == given
    await app.services.database.run(MERGE_COUNTS)
    merged = (await app.admin.get("/api/accounts?page=206")).json
    assert [account["id"] for account in merged["data"]] == ids[205 * 20 : 206 * 20]


@ensureDeferred
async def test_a_space_without_accounts_has_one_empty_page(app: Application) -> None:
    await app.super_admin.post(
        "/api/spaces", {"name": "Empty", "domain": "empty.example.org", "host": "empty.localhost"}
    )
    page = (await app.super_admin.at("empty.localhost").get("/api/accounts")).json
    assert (page["data"], page["total"], page["last_page"]) == ([], 0, 1)


@ensureDeferred
async def test_many_changes_of_passwords_at_once_do_not_hold_each_other_up(app: Application) -> None:
    accounts = [await app.has_account(f"user{number}") for number in range(20)]
    await app.change("UPDATE spaces SET copyright_text = 'forget what you know'")
    replies = await at_once(
        *(
            app.admin.put(f"/api/accounts/{account['id']}", {"username": account["username"], "password": "x" * 8})
            for account in accounts
        )
    )
    assert {reply.status for reply in replies} == {200}


@ensureDeferred
async def test_room_is_looked_for_where_the_account_goes(app: Application) -> None:
    full = {"name": "Full", "domain": "full.example.org", "host": "full.localhost", "max_accounts": 1}
    await app.super_admin.post("/api/spaces", full)
    placed = {"username": "one", "password": "one_password", "domain": "full.example.org"}
    assert (await app.super_admin.post("/api/accounts", placed)).status == 200
    assert (await app.super_admin.post("/api/accounts", {"domain": "full.example.org"})).status == 403
    assert (await app.super_admin.post("/api/accounts", {"domain": "nowhere.example.org"})).status == 403
    elsewhere = {**placed, "username": "two", "domain": TENANT}
    assert (await app.super_admin.at("full.localhost").post("/api/accounts", elsewhere)).status == 200
    taken = await app.super_admin.post("/api/accounts", {"username": "admin", "domain": "full.example.org"})
    assert taken.status == 403
    there = await app.super_admin.post("/api/accounts", {"username": "two", "domain": TENANT})
    assert there.json["errors"].keys() == {"username", "password"}


@ensureDeferred
async def test_what_is_deleted_meanwhile_is_not_found(app: Application) -> None:
    for number in range(8):
        user = app.user(await app.has_account(f"user{number}"))
        await user.get("/api/accounts/me")
        asked = [user.get(f"/api/accounts/me/{what}") for what in ("api_key", "provision") * 4]
        replies = await at_once(user.delete("/api/accounts/me"), *asked)
        assert {reply.status for reply in replies} <= {200, 401, 404}


@ensureDeferred
async def test_a_path_is_decoded_once(app: Application) -> None:
    assert (await app.admin.get("/api/accounts/a%2500@x.org/search-by-email")).status == 404
