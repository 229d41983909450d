from __future__ import annotations

from pytest_twisted import ensureDeferred
from support.application import TENANT, Application


@ensureDeferred
async def test_a_user_sees_its_own_account(app: Application) -> None:
    account = await app.has_account("alice", dictionary={"lang": "fr"})
    reply = await app.user(account).get("/api/accounts/me")
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json")
    assert reply.json == account


@ensureDeferred
async def test_a_user_deletes_itself_and_leaves_a_tombstone(app: Application) -> None:
    user = app.user(await app.has_account("alice"))
    assert (await user.delete("/api/accounts/me")).json == 1
    assert (await user.get("/api/accounts/me")).status == 401
    again = await app.admin.post("/api/accounts", {"username": "alice", "password": "some_password"})
    assert again.json["errors"].keys() == {"username"}


@ensureDeferred
async def test_what_a_deleted_account_sent_goes_with_it_and_what_others_sent_stays(app: Application) -> None:
    user = app.user(await app.has_account("alice"))
    for number, (sender, receiver) in enumerate((("alice", "bob"), ("bob", "alice"))):
        app.sql(
            "INSERT INTO statistics_calls (id, from_username, from_domain, to_username, to_domain, initiated_at)"
            " VALUES (%s, %s, %s, %s, %s, now())",
            f"call {number}",
            sender,
            TENANT,
            receiver,
            TENANT,
        )
        app.sql(
            "INSERT INTO statistics_messages (id, from_username, from_domain, sent_at) VALUES (%s, %s, %s, now())",
            f"message {number}",
            sender,
            TENANT,
        )
    await user.delete("/api/accounts/me")
    assert app.sql("SELECT from_username FROM statistics_calls") == [{"from_username": "bob"}]
    assert app.sql("SELECT from_username FROM statistics_messages") == [{"from_username": "bob"}]


@ensureDeferred
async def test_a_new_api_key_voids_the_one_before_and_holds_from_one_address(app: Application) -> None:
    user = app.user(await app.has_account("alice"))
    reply = await user.get("/api/accounts/me/api_key")
    assert len(reply.text) == 40
    assert (await user.get("/api/accounts/me")).status == 401
    renewed = app.nobody.as_(x_api_key=reply.text)
    assert (await renewed.get("/api/accounts/me")).status == 200
    elsewhere = await renewed.from_("192.0.2.7").get("/api/accounts/me")
    assert (elsewhere.status, elsewhere.json) == (401, {"message": "Invalid API Key"})


@ensureDeferred
async def test_a_new_provisioning_token_is_given(app: Application) -> None:
    account = await app.has_account("alice")
    renewed = (await app.user(account).get("/api/accounts/me/provision")).json
    assert renewed["provisioning_token"] not in {None, account["provisioning_token"]}


@ensureDeferred
async def test_a_password_changes_for_who_knows_the_old_one(app: Application) -> None:
    account = await app.has_account("paul", activated=False)
    user = app.user(account)
    path = "/api/accounts/me/password"
    wrong = await user.post(path, {"password": "second_password", "old_password": "wrong_password"})
    assert (wrong.status, wrong.json["errors"].keys()) == (422, {"old_password"})
    missing = await user.post(path, {"password": "short"})
    assert missing.json["errors"].keys() == {"old_password", "password"}
    changed = await user.post(path, {"password": "second_password", "old_password": "paul_password"})
    assert (changed.status, changed.json["activated"]) == (200, True)
    assert (await user.post(path, {"password": "third_password", "old_password": "paul_password"})).status == 422


@ensureDeferred
async def test_a_first_password_needs_no_old_one(app: Application) -> None:
    account = await app.has_account("paul")
    app.sql("DELETE FROM passwords")
    reply = await app.user(account).post("/api/accounts/me/password", {"password": "first_password"})
    assert reply.json["passwords"] == [{"algorithm": "SHA-256"}]


@ensureDeferred
async def test_a_new_password_replaces_all_stored_ones(app: Application) -> None:
    account = await app.has_account("paul")
    app.sql("INSERT INTO passwords (account_id, password, algorithm) VALUES (%s, 'x', 'MD5')", account["id"])
    reply = await app.user(account).post(
        "/api/accounts/me/password", {"password": "second_password", "old_password": "paul_password"}
    )
    assert reply.json["passwords"] == [{"algorithm": "SHA-256"}]


@ensureDeferred
async def test_the_old_password_cannot_be_guessed_at_for_ever(app: Application) -> None:
    user = app.user(await app.has_account("paul"))
    path, guess = "/api/accounts/me/password", {"password": "second_password", "old_password": "wrong_password"}
    assert [(await user.post(path, guess)).status for _ in range(11)] == [422] * 10 + [429]
    right = {**guess, "old_password": "paul_password"}
    assert (await user.post(path, right)).status == 429
    app.ahead.seconds = 61
    assert (await user.post(path, right)).status == 200
