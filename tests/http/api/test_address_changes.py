"""New email addresses and phone numbers of users."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from support.application import TENANT, Application, at_once
from support.web import Browser

EMAIL, PHONE = "/api/accounts/me/email", "/api/accounts/me/phone"
NUMBER = "+33612320692"
NEW = {EMAIL: {"email": "new@example.org"}, PHONE: {"phone": NUMBER}}


async def _validated(app: Application, username: str = "emma", **fields: Any) -> tuple[dict[str, Any], Browser]:
    """Return an account that has used up a creation token, and its user."""
    app.sql("UPDATE phone_countries SET activated = true WHERE code = 'FR'")
    account = await app.has_account(username, email=f"{username}@example.org", **fields)
    user = app.user(account)
    token = (await app.admin.post("/api/account_creation_tokens")).json["token"]
    reply = await user.post("/api/account_creation_tokens/consume", {"account_creation_token": token})
    assert reply.status == 200
    return account, user


async def _code(app: Application, account: dict[str, Any], path: str) -> str:
    """Return the pending code, as administrators see it."""
    shown = (await app.admin.get(f"/api/accounts/{account['id']}")).json
    code: str = shown["email_change_code" if path == EMAIL else "phone_change_code"]["code"]
    return code


def _wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10_000:04}"


@ensureDeferred
async def test_an_email_address_is_set_by_the_code_that_came_there(app: Application) -> None:
    account, emma = await _validated(app, activated=False)
    reply = await emma.post(f"{EMAIL}/request", {"email": "second@example.org"})
    assert (reply.status, reply.body) == (200, b"")
    pending = (await emma.get("/api/accounts/me")).json
    assert (pending["email"], pending["email_change_code"]["email"]) == ("emma@example.org", "second@example.org")
    assert "code" not in pending["email_change_code"]
    code = await _code(app, account, EMAIL)
    assert len(code) == 4
    reply = await emma.post(EMAIL, {"code": code})
    assert reply.status == 200
    assert (reply.json["email"], reply.json["email_change_code"]) == ("second@example.org", None)
    assert reply.json["activated"] is True
    assert (await emma.post(EMAIL, {"code": code})).status == 404


@ensureDeferred
async def test_a_phone_number_is_set_by_the_code_that_came_there(app: Application) -> None:
    account, emma = await _validated(app)
    assert (await emma.post(f"{PHONE}/request", {"phone": NUMBER})).status == 200
    reply = await emma.post(PHONE, {"code": await _code(app, account, PHONE)})
    assert (reply.status, reply.json["phone"], reply.json["phone_change_code"]) == (200, NUMBER, None)
    assert (await app.admin.get(f"/api/resolve/{NUMBER}@{TENANT}")).status == 404


@pytest.mark.parametrize("path", [EMAIL, PHONE])
@ensureDeferred
async def test_a_code_bears_three_tries(app: Application, path: str) -> None:
    account, emma = await _validated(app)
    await emma.post(f"{path}/request", NEW[path])
    code = await _code(app, account, path)
    for _ in range(3):
        reply = await emma.post(path, {"code": _wrong(code)})
        assert (reply.status, list(reply.json["errors"])) == (422, ["code"])
    shown = (await emma.get("/api/accounts/me")).json
    assert (shown["email_change_code"], shown["phone_change_code"]) == (None, None)
    assert (await emma.post(path, {"code": code})).status == 404
    await emma.post(f"{path}/request", NEW[path])
    code = await _code(app, account, path)
    for _ in range(2):
        await emma.post(path, {"code": _wrong(code)})
    assert (await emma.post(path, {"code": code})).status == 200


@ensureDeferred
async def test_no_more_than_three_of_many_tries_at_once_are_looked_at(app: Application) -> None:
    account, emma = await _validated(app)
    await emma.post(f"{EMAIL}/request", NEW[EMAIL])
    code = await _code(app, account, EMAIL)
    replies = await at_once(*(emma.post(EMAIL, {"code": _wrong(code)}) for _ in range(20)))
    assert sorted(reply.status for reply in replies) == [404] * 17 + [422] * 3


@ensureDeferred
async def test_of_a_hundred_uses_of_a_code_one_succeeds(app: Application) -> None:
    account, emma = await _validated(app)
    await emma.post(f"{EMAIL}/request", NEW[EMAIL])
    code = await _code(app, account, EMAIL)
    replies = await at_once(*(emma.post(EMAIL, {"code": code}) for _ in range(100)))
    assert sorted(reply.status for reply in replies) == [200] + [404] * 99


@pytest.mark.parametrize("path", [EMAIL, PHONE])
@ensureDeferred
async def test_an_old_code_has_expired(app: Application, path: str) -> None:
    account, emma = await _validated(app)
    await emma.post(f"{path}/request", NEW[path])
    code = await _code(app, account, path)
    table = "email_change_codes" if path == EMAIL else "phone_change_codes"
    app.sql(f"UPDATE {table} SET created_at = now() - interval '11 minutes'")
    for _ in range(4):
        assert (await emma.post(path, {"code": _wrong(code)})).status == 410
    assert (await emma.post(path, {"code": code})).status == 410
    app.sql(f"UPDATE {table} SET created_at = now() - interval '9 minutes'")
    assert (await emma.post(path, {"code": code})).status == 200


@ensureDeferred
async def test_without_a_request_nothing_is_pending(app: Application) -> None:
    _, emma = await _validated(app)
    for path in (EMAIL, PHONE):
        assert (await emma.post(path, {"code": "1234"})).status == 404


@pytest.mark.parametrize(
    "body", [{}, {"code": ""}, {"code": "123"}, {"code": "12345"}, {"code": "\uff11\uff12\uff13\uff14"}, {"code": True}]
)
@ensureDeferred
async def test_a_code_has_four_digits(app: Application, body: dict[str, Any]) -> None:
    _, emma = await _validated(app)
    for path in (EMAIL, PHONE):
        reply = await emma.post(path, body)
        assert (reply.status, list(reply.json["errors"])) == (422, ["code"])


@ensureDeferred
async def test_a_code_may_come_as_a_number(app: Application) -> None:
    account, emma = await _validated(app)
    await emma.post(f"{EMAIL}/request", NEW[EMAIL])
    app.sql("UPDATE email_change_codes SET code = '4711'")
    reply = await emma.post(EMAIL, {"code": 4711})
    assert (reply.status, reply.json["id"]) == (200, account["id"])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (EMAIL, {}),
        (EMAIL, {"email": "nonsense"}),
        (EMAIL, {"email": "EMMA@example.org"}),
        (EMAIL, {"email": "emma@example.org"}),
        (EMAIL, {"email": "paul@example.org"}),
        (EMAIL, {"email": "x@example.org\r\nBcc: y@example.org"}),
        (PHONE, {}),
        (PHONE, {"phone": "0612320692"}),
        (PHONE, {"phone": "+12125550123"}),
        (PHONE, {"phone": "+33612121212"}),
        (PHONE, {"phone": "+33612343434"}),
    ],
)
@ensureDeferred
async def test_an_address_that_cannot_be_set_gets_no_code(app: Application, path: str, body: dict[str, Any]) -> None:
    app.sql("UPDATE phone_countries SET activated = true WHERE code = 'FR'")
    await app.has_account("paul", email="paul@example.org", phone="+33612121212")
    _, emma = await _validated(app, phone="+33612343434")
    reply = await emma.post(f"{path}/request", body)
    assert (reply.status, list(reply.json["errors"])) == (422, [path.rpartition("/")[2]])
    assert app.sql("SELECT id FROM outbox WHERE channel IN ('mail', 'sms')") == []


@ensureDeferred
async def test_where_addresses_may_be_shared_somebody_elses_is_taken(app: Application) -> None:
    await app.change("UPDATE spaces SET unique_email = false")
    await app.has_account("paul", email="paul@example.org")
    account, emma = await _validated(app)
    assert (await emma.post(f"{EMAIL}/request", {"email": "paul@example.org"})).status == 200
    reply = await emma.post(EMAIL, {"code": await _code(app, account, EMAIL)})
    assert (reply.status, reply.json["email"]) == (200, "paul@example.org")


@pytest.mark.parametrize("path", [EMAIL, PHONE])
@ensureDeferred
async def test_an_address_that_was_taken_meanwhile_is_refused(app: Application, path: str) -> None:
    account, emma = await _validated(app, activated=False)
    await emma.post(f"{path}/request", NEW[path])
    await app.has_account("quick", **NEW[path])
    reply = await emma.post(path, {"code": await _code(app, account, path)})
    assert (reply.status, list(reply.json["errors"])) == (422, list(NEW[path]))
    shown = (await emma.get("/api/accounts/me")).json
    assert (shown["email"], shown["phone"], shown["activated"]) == ("emma@example.org", None, False)


@ensureDeferred
async def test_an_account_without_a_creation_token_is_unvalidated(app: Application) -> None:
    user = app.user(await app.has_account("bob"))
    for path, body in NEW.items():
        reply = await user.post(f"{path}/request", body)
        assert (reply.status, reply.json) == (403, {"message": "Account unvalidated"})


@ensureDeferred
async def test_an_account_made_with_a_token_is_validated(app: Application) -> None:
    token = (await app.admin.post("/api/account_creation_tokens")).json["token"]
    body = {"username": "erin", "password": "erin_password", "account_creation_token": token}
    account = (await app.nobody.post("/api/accounts/with-account-creation-token", body)).json
    assert (await app.user(account).post(f"{EMAIL}/request", NEW[EMAIL])).status == 200


@ensureDeferred
async def test_a_new_code_voids_the_one_before(app: Application) -> None:
    _, emma = await _validated(app)
    await emma.post(f"{EMAIL}/request", {"email": "one@example.org"})
    app.sql("UPDATE email_change_codes SET code = '1111'")
    await emma.post(f"{EMAIL}/request", {"email": "two@example.org"})
    app.sql("UPDATE email_change_codes SET code = '2222' WHERE code IS NOT NULL")
    assert (await emma.post(EMAIL, {"code": "1111"})).status == 422
    assert (await emma.post(EMAIL, {"code": "2222"})).json["email"] == "two@example.org"


@ensureDeferred
async def test_the_fifth_code_is_sent_and_who_asks_for_a_sixth_is_blocked(app: Application) -> None:
    account, emma = await _validated(app)
    app.sql("INSERT INTO recovery_codes (account_id, code) VALUES (%s, '9999')", account["id"])
    await emma.post(f"{EMAIL}/request", NEW[EMAIL])
    assert (await emma.post(EMAIL, {"code": await _code(app, account, EMAIL)})).status == 200
    for number in range(2):
        assert (await emma.post(f"{EMAIL}/request", {"email": f"{number}@example.org"})).status == 200
    assert (await emma.post(f"{PHONE}/request", NEW[PHONE])).status == 200
    assert len(app.sql("SELECT id FROM outbox WHERE channel IN ('mail', 'sms')")) == 4
    assert (await emma.get("/api/accounts/me")).json["blocked"] is False
    for _ in range(2):
        assert (await emma.post(f"{PHONE}/request", NEW[PHONE])).status == 403
    assert (await emma.get("/api/accounts/me")).status == 403
    assert (await app.admin.get(f"/api/accounts/{account['id']}")).json["blocked"] is True
    assert len(app.sql("SELECT id FROM outbox WHERE channel IN ('mail', 'sms')")) == 4


@ensureDeferred
async def test_of_many_requests_at_once_five_are_served(app: Application) -> None:
    _, emma = await _validated(app)
    replies = await at_once(*(emma.post(f"{EMAIL}/request", {"email": f"{n}@example.org"}) for n in range(20)))
    assert sorted(reply.status for reply in replies) == [200] * 5 + [403] * 15
    assert len(app.sql("SELECT id FROM outbox WHERE channel IN ('mail', 'sms')")) == 5


@ensureDeferred
async def test_codes_of_long_ago_do_not_count(app: Application) -> None:
    _, emma = await _validated(app)
    for number in range(5):
        await emma.post(f"{EMAIL}/request", {"email": f"{number}@example.org"})
    app.sql("UPDATE email_change_codes SET created_at = now() - interval '31 minutes'")
    assert (await emma.post(f"{EMAIL}/request", NEW[EMAIL])).status == 200


@pytest.mark.parametrize("settings", [{"blocking": {"amount_events_authorized_during_period": 0}}])
@ensureDeferred
async def test_nobody_is_blocked_where_blocking_is_off(app: Application) -> None:
    _, emma = await _validated(app)
    for number in range(7):
        assert (await emma.post(f"{EMAIL}/request", {"email": f"{number}@example.org"})).status == 200


@pytest.mark.parametrize("settings", [{"blocking": {"amount_events_authorized_during_period": 0}}])
@ensureDeferred
async def test_a_number_gets_ten_sms_an_hour(app: Application) -> None:
    _, emma = await _validated(app)
    _, paul = await _validated(app, "paul")
    replies = await at_once(*(user.post(f"{PHONE}/request", NEW[PHONE]) for user in (emma, paul) for _ in range(8)))
    assert sorted(reply.status for reply in replies) == [200] * 10 + [429] * 6
    assert all(0 < int(reply.headers["Retry-After"]) <= 3600 for reply in replies if reply.status == 429)
    assert len(app.sql("SELECT id FROM outbox WHERE channel IN ('mail', 'sms')")) == 10
    assert (await emma.post(f"{PHONE}/request", {"phone": "+33612343434"})).status == 200
    app.ahead.seconds += 3600
    assert (await paul.post(f"{PHONE}/request", NEW[PHONE])).status == 200


@pytest.mark.parametrize("settings", [{"blocking": {"amount_events_authorized_during_period": 0}}])
@ensureDeferred
async def test_a_client_gets_fifty_sms_an_hour_sent(app: Application) -> None:
    _, emma = await _validated(app)
    numbers = [f"+336123{number}" for number in range(40000, 40055)]
    replies = await at_once(*(emma.post(f"{PHONE}/request", {"phone": number}) for number in numbers))
    assert sorted(reply.status for reply in replies) == [200] * 50 + [429] * 5
    assert (await emma.from_("192.0.2.1").post(f"{PHONE}/request", {"phone": numbers[0]})).status == 200
