from __future__ import annotations

from typing import Any

from pytest_twisted import ensureDeferred
from support.application import TENANT, Application, at_once

REGISTER = "/api/accounts/with-account-creation-token"


async def _token(app: Application) -> str:
    reply = await app.admin.post("/api/account_creation_tokens")
    assert reply.status == 201
    token: str = reply.json["token"]
    return token


@ensureDeferred
async def test_a_creation_token_makes_one_account(app: Application) -> None:
    token = await _token(app)
    wanted = {"username": "erin", "password": "erin_password", "account_creation_token": token}
    reply = await app.nobody.post(
        REGISTER, {**wanted, "algorithm": "SHA-256", "dtmf_protocol": "sipinfo", "domain": "x.org"}, user_agent="an app"
    )
    assert reply.status == 200, reply.text
    account = reply.json
    assert (account["activated"], account["domain"], account["dtmf_protocol"]) == (False, TENANT, "sipinfo")
    assert account["user_agent"] == f"Space of {TENANT}"
    assert app.sql("SELECT account_id, used FROM account_creation_tokens") == [
        {"account_id": account["id"], "used": True}
    ]
    again = await app.nobody.post(REGISTER, wanted)
    assert (again.status, again.json["errors"].keys()) == (422, {"username", "account_creation_token"})


@ensureDeferred
async def test_of_many_registrations_with_one_token_one_succeeds(app: Application) -> None:
    token = await _token(app)
    replies = await at_once(
        *(
            app.nobody.post(
                REGISTER, {"username": f"u{n}", "password": "some_password", "account_creation_token": token}
            )
            for n in range(20)
        )
    )
    assert sorted(reply.status for reply in replies) == [200] + [422] * 19
    assert len(app.sql("SELECT 1 FROM accounts WHERE username LIKE 'u%'")) == 1


@ensureDeferred
async def test_a_registration_that_fails_leaves_the_token_good(app: Application) -> None:
    token = await _token(app)
    await app.has_account("taken")
    wanted = {"username": "taken", "password": "some_password", "account_creation_token": token}
    assert (await app.nobody.post(REGISTER, wanted)).json["errors"].keys() == {"username"}
    assert (await app.nobody.post(REGISTER, {**wanted, "username": "free"})).status == 200


@ensureDeferred
async def test_what_administrators_decide_is_refused(app: Application) -> None:
    forbidden = {
        "admin": True, "activated": True, "blocked": False, "email": "a@b.org", "phone": "+33612320692",
        "display_name": "E", "dictionary": {"a": "b"},
    }  # fmt: skip
    reply = await app.nobody.post(
        REGISTER,
        {"username": "erin", "password": "erin_password", "account_creation_token": await _token(app), **forbidden},
    )
    assert (reply.status, reply.json["errors"].keys()) == (422, forbidden.keys())
    nothing = await app.nobody.post(REGISTER, {})
    assert nothing.json["errors"].keys() == {"username", "password", "account_creation_token"}


@ensureDeferred
async def test_a_token_of_another_space_is_no_good(app: Application) -> None:
    token = await _token(app)
    reply = await app.browser.post(
        REGISTER, {"username": "erin", "password": "erin_password", "account_creation_token": token}
    )
    assert reply.json["errors"].keys() == {"account_creation_token"}


@ensureDeferred
async def test_a_full_space_takes_no_registration(app: Application) -> None:
    await app.change("UPDATE spaces SET max_accounts = 1 WHERE domain = %s", TENANT)
    assert (await app.nobody.post(REGISTER, {})).status == 403


@ensureDeferred
async def test_a_token_is_consumed_once(app: Application) -> None:
    account = await app.has_account("carol")
    user, token = app.user(account), await _token(app)
    path = "/api/account_creation_tokens/consume"
    consumed = (await user.post(path, {"account_creation_token": token})).json
    assert (consumed["used"], consumed["account_id"], consumed["token"]) == (True, account["id"], token)
    assert (await user.post(path, {"account_creation_token": token})).status == 404
    nonsense: list[Any] = ["x" * 65, [], {}, None, 7]
    for unreadable in nonsense:
        assert (await user.post(path, {"account_creation_token": unreadable})).status == 404


@ensureDeferred
async def test_an_auth_token_lets_another_device_in_once(app: Application) -> None:
    user = app.user(await app.has_account("alice"))
    made = await app.nobody.post("/api/accounts/auth_token", user_agent="a new phone")
    assert made.status == 201
    assert (made.json["ip"], made.json["user_agent"], made.json["account_id"]) == ("127.0.0.1", "a new phone", None)
    token = made.json["token"]
    assert len(token) == 32
    assert (await app.nobody.get(f"/api/accounts/me/api_key/{token}")).status == 404
    attached = await user.get(f"/api/accounts/auth_token/{token}/attach")
    assert (attached.status, attached.body) == (200, b"")
    assert (await user.get(f"/api/accounts/auth_token/{token}/attach")).status == 404
    assert (await app.nobody.ask("HEAD", f"/api/accounts/me/api_key/{token}")).status == 200
    key = (await app.nobody.get(f"/api/accounts/me/api_key/{token}")).json["api_key"]
    assert (await app.nobody.as_(x_api_key=key).get("/api/accounts/me")).json["username"] == "alice"
    assert (await app.nobody.get(f"/api/accounts/me/api_key/{token}")).status == 404


@ensureDeferred
async def test_an_auth_token_dies_after_five_minutes(app: Application) -> None:
    user = app.user(await app.has_account("alice"))
    token = (await app.nobody.post("/api/accounts/auth_token")).json["token"]
    app.sql("UPDATE auth_tokens SET created_at = now() - interval '6 minutes'")
    assert (await user.get(f"/api/accounts/auth_token/{token}/attach")).status == 404


@ensureDeferred
async def test_an_auth_token_holds_in_its_space(app: Application) -> None:
    token = (await app.browser.post("/api/accounts/auth_token")).json["token"]
    user = app.user(await app.has_account("alice"))
    assert (await user.get(f"/api/accounts/auth_token/{token}/attach")).status == 404
