from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred
from support.application import TENANT, Application
from support.cases import named

ACME = {"name": "acme", "domain": "acme.example.org", "host": "acme.localhost"}


@ensureDeferred
async def test_a_space_is_made_from_three_names(app: Application) -> None:
    reply = await app.super_admin.post("/api/spaces", ACME)
    assert reply.status == 201
    space = reply.json
    assert space | ACME == space
    assert "id" not in space
    assert (space["max_account"], space["max_accounts"], space["theme_hue"], space["expire_at"]) == (0, 0, 22, None)
    on = {name for name, value in space.items() if value is True}
    assert on == {"web_panel", "public_registration", "phone_registration", "unique_email", "disable_broadcast_feature"}
    assert space["digest_authentication_configuration"] == {
        "realm": "acme.example.org",
        "default_password_algorithm": "SHA-256",
    }
    assert space["email_server"] is space["oidc_authentication_configuration"] is space["logo"] is None
    assert space["carddav_servers"] == []
    assert (await app.super_admin.get("/api/spaces/acme.example.org")).json == space
    assert [one["domain"] for one in (await app.super_admin.get("/api/spaces")).json] == [
        "localhost",
        TENANT,
        "acme.example.org",
    ]
    assert (await app.browser.at("acme.localhost").get("/api/ping")).status == 200


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"name": None, "host": None, "domain": None}, {"name", "host", "domain"}),
        ({"domain": TENANT}, {"domain"}),
        ({"host": "tenant.localhost", "name": f"Space of {TENANT}"}, {"host", "name"}),
        ({"host": "acme.example.org"}, {"host"}),
        ({"host": "notlocalhost"}, {"host"}),
        ({"host": "a b.localhost"}, {"host"}),
        ({"domain": "a_b"}, {"domain"}),
        ({"domain": "x" * 65}, {"domain"}),
        ({"theme_hue": 361}, {"theme_hue"}),
        ({"max_accounts": -1}, {"max_accounts"}),
        ({"max_account": "many"}, {"max_account"}),
        ({"super": "maybe", "domain": TENANT}, {"super", "domain"}),
        ({"expire_at": "2001-01-31"}, {"expire_at"}),
        ({"expire_at": "soon"}, {"expire_at"}),
        ({"custom_provisioning_entries": "[misc]\nhide_settings=1"}, {"custom_provisioning_entries"}),
        ({"custom_provisioning_entries": "[misc"}, {"custom_provisioning_entries"}),
    ],
    ids=named,
)
@ensureDeferred
async def test_every_wrong_field_of_a_space_is_named(
    app: Application, changed: dict[str, object], wrong: set[str]
) -> None:
    reply = await app.super_admin.post("/api/spaces", {**ACME, **changed})
    assert reply.status == 422, reply.text
    assert reply.json["errors"].keys() == wrong


@ensureDeferred
async def test_a_whole_answer_may_be_put_back(app: Application) -> None:
    before = (await app.super_admin.post("/api/spaces", {**ACME, "expire_at": "2099-01-31"})).json
    assert before["expire_at"] == "2099-01-31T00:00:00.000000Z"
    after = await app.super_admin.put("/api/spaces/acme.example.org", before)
    assert after.status == 200, after.text
    assert {**after.json, "updated_at": None} == {**before, "updated_at": None}


@ensureDeferred
async def test_put_keeps_what_may_be_absent_and_clears_texts(app: Application) -> None:
    made = (await app.super_admin.post(
        "/api/spaces", {**ACME, "copyright_text": "(c)", "unique_email": False, "theme_hue": 200}
    )).json  # fmt: skip
    absent = ("copyright_text", "unique_email", "theme_hue", "client_certificate_authentication")
    changed = await app.super_admin.put(
        "/api/spaces/acme.example.org", {name: value for name, value in made.items() if name not in absent}
    )
    assert (changed.json["copyright_text"], changed.json["unique_email"], changed.json["theme_hue"]) == (
        None,
        False,
        22,
    )
    bare = await app.super_admin.put("/api/spaces/acme.example.org", {})
    assert bare.status == 422
    assert len(bare.json["errors"]) == 21


@ensureDeferred
async def test_a_limit_below_todays_count_is_refused(app: Application) -> None:
    await app.has_account("alice")
    space = (await app.super_admin.get(f"/api/spaces/{TENANT}")).json
    reply = await app.super_admin.put(f"/api/spaces/{TENANT}", {**space, "max_accounts": 1})
    assert reply.json["errors"].keys() == {"max_accounts"}
    assert (await app.super_admin.put(f"/api/spaces/{TENANT}", {**space, "max_accounts": 2})).status == 200


@ensureDeferred
async def test_emails_cannot_become_unique_while_two_accounts_share_one(app: Application) -> None:
    space = (await app.super_admin.get(f"/api/spaces/{TENANT}")).json
    await app.super_admin.put(f"/api/spaces/{TENANT}", {**space, "unique_email": False})
    await app.has_account("alice", email="same@example.org")
    await app.has_account("alicia", email="same@example.org")
    refused = await app.super_admin.put(f"/api/spaces/{TENANT}", {**space, "unique_email": True})
    assert refused.json["errors"].keys() == {"unique_email"}
    oldest = (await app.admin.get("/api/accounts/same@example.org/search-by-email")).json
    assert oldest["username"] == "alice"


@ensureDeferred
async def test_deleting_a_space_deletes_its_accounts(app: Application) -> None:
    await app.has_account("alice")
    assert (await app.super_admin.delete(f"/api/spaces/{TENANT}")).json == 1
    assert app.sql("SELECT 1 FROM accounts WHERE domain = %s", TENANT) == []
    assert (await app.super_admin.delete(f"/api/spaces/{TENANT}")).json == 0
    assert (await app.nobody.get("/api/ping")).status == 404
    assert (await app.super_admin.get(f"/api/spaces/{TENANT}")).status == 404


@ensureDeferred
async def test_the_realm_stays_while_there_are_passwords(app: Application) -> None:
    await app.has_account("alice")
    path = f"/api/spaces/{TENANT}/digest"
    assert (await app.super_admin.put(path, {"realm": "other"})).json["errors"].keys() == {"realm"}
    assert (await app.super_admin.put(path, {"realm": "a\nb", "drop_passwords": 1})).status == 422
    kept = await app.super_admin.put(path, {"realm": TENANT, "default_password_algorithm": "MD5"})
    assert kept.json == {"realm": TENANT, "default_password_algorithm": "MD5"}
    assert (await app.has_account("bob"))["passwords"] == [{"algorithm": "MD5"}]
    dropped = await app.super_admin.put(path, {"realm": "other", "drop_passwords": True})
    assert dropped.status == 200
    assert app.sql("SELECT 1 FROM passwords p JOIN accounts a ON a.id = account_id WHERE domain = %s", TENANT) == []
    assert (await app.super_admin.get(path)).json["realm"] == "other"


@ensureDeferred
async def test_a_space_without_digest_stores_no_passwords(app: Application) -> None:
    path = f"/api/spaces/{TENANT}/digest"
    assert (await app.super_admin.delete(path)).json == 1
    assert (await app.super_admin.get(path)).status == 404
    account = await app.has_account("alice")
    assert account["passwords"] == []
    reply = await app.user(account).post("/api/accounts/me/password", {"password": "other_password"})
    assert reply.status == 403


@ensureDeferred
async def test_an_expired_space_is_closed_but_for_super_administrators_elsewhere(app: Application) -> None:
    await app.change("UPDATE spaces SET expire_at = now() - interval '1 second' WHERE domain = %s", TENANT)
    assert (await app.nobody.get("/api/ping")).status == 403
    page = await app.nobody.get("/provisioning/documentation", accept="text/html")
    assert (page.status, page.headers["Content-Type"]) == (490, "text/html; charset=utf-8")
    assert (await app.super_admin.get(f"/api/accounts/admin@{TENANT}/search")).status == 200
