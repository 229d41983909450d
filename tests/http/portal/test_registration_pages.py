"""Accounts that people make by themselves."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from support.application import TENANT, Application, at_once
from support.codes import last_code, sent, wrong
from support.mail import mails
from support.portal import Visitor
from support.web import Reply

from flexid.domain.phones import grouped

SCRIPT = '"><script>alert(1)</script>'
PASSWORD = "erins password"
NUMBER = "+33612345678"


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, object]:
    return {"data_dir": tmp_path}


def _form(username: str = "erin", address: str = "erin@example.org", **more: str) -> dict[str, str]:
    kind = "email" if "@" in address else "phone"
    both = {kind: address, f"{kind}_confirmation": address}
    password = {"password": PASSWORD, "password_confirmation": PASSWORD}
    fields = {"username": username, **both, **password, "terms": "1", **more}
    return {name: value for name, value in fields.items() if value}


async def _send(app: Application, fields: dict[str, str], visitor: Visitor | None = None) -> tuple[Visitor, Reply]:
    visitor = visitor or app.visitor()
    path = "/register/phone" if "phone" in fields else "/register/email"
    await visitor.open(path)
    return visitor, await visitor.submit(path, fields)


async def _begun(app: Application, fields: dict[str, str] | None = None) -> Visitor:
    """Return somebody whose code is on its way."""
    visitor, reply = await _send(app, fields or _form())
    assert (reply.status, reply.headers["Location"]) == (303, "/register/code"), reply.text
    await visitor.follow(reply)
    return visitor


def _account(app: Application, username: str = "erin") -> dict[str, Any]:
    (row,) = app.sql(
        "SELECT a.*, (SELECT count(*) FROM passwords p WHERE p.account_id = a.id) AS passwords FROM accounts a"
        " WHERE username = %s AND domain = %s",
        username,
        TENANT,
    )
    return row


def _activate_france(app: Application) -> None:
    app.sql("UPDATE phone_countries SET activated = true WHERE code = 'FR'")


def _marked(reply: Reply) -> list[str]:
    return re.findall(r'name="(\w+)"[^>]* aria-invalid="true"', reply.text)


@ensureDeferred
async def test_a_code_by_mail_activates_an_account_and_signs_in(app: Application, tmp_path: Path) -> None:
    visitor = await _begun(app)
    account = _account(app)
    assert (account["activated"], account["email"], account["passwords"]) == (False, None, 0)
    await app.services.deliveries.deliver()
    (mail,) = mails(tmp_path / "mail")
    assert (mail.message["To"], mail.subject) == ("erin@example.org", "Confirm your new account")
    (code,) = re.findall(r"^ {4}(\d{4})$", mail.text, re.MULTILINE)
    assert (f"erin@{TENANT}" in mail.text, code in mail.html, "10 minutes" in mail.text) == (True, True, True)
    reply = await visitor.submit("/register/code", {"code": code})
    assert "Welcome! Your account is active." in (await visitor.follow(reply)).text
    account = _account(app)
    assert (account["activated"], account["email"], account["passwords"]) == (True, "erin@example.org", 1)
    assert (await app.visitor().sign_in("erin", PASSWORD)).headers["Location"] == "/dashboard"
    assert "registration" not in visitor.cookies


@ensureDeferred
async def test_a_code_by_sms_does_so_too(app: Application, tmp_path: Path) -> None:
    _activate_france(app)
    visitor = await _begun(app, _form(address="+33 6 12 34 56 78"))
    await app.services.deliveries.deliver()
    (sms,) = (tmp_path / "sms").iterdir()
    assert re.fullmatch(rf"Your Space of {TENANT} creation code is \d{{4}}", sms.read_text())
    shown = (await app.admin.get(f"/api/accounts/{_account(app)['id']}")).json
    assert shown["phone_change_code"]["code"] == sms.read_text()[-4:]
    reply = await visitor.submit("/register/code", {"code": sms.read_text()[-4:]})
    assert reply.headers["Location"] == "/dashboard"
    assert (_account(app)["phone"], _account(app)["activated"]) == (NUMBER, True)
    assert (await app.visitor().sign_in(NUMBER, PASSWORD)).status == 303


@ensureDeferred
async def test_nobody_signs_in_before_the_code_was_typed(app: Application) -> None:
    visitor = await _begun(app)
    assert (await visitor.open("/dashboard")).headers["Location"] == "/login?next=/dashboard"
    assert (await app.visitor().sign_in("erin", PASSWORD)).status == 422
    challenge = await app.nobody.get("/api/accounts/me", From=f"sip:erin@{TENANT}")
    assert challenge.status == 401
    stored = app.sql("SELECT password, token_hash FROM registrations")
    assert PASSWORD not in str(stored)
    assert visitor.cookies["registration"] not in str(stored)


@ensureDeferred
async def test_an_administrator_may_activate_the_account_instead(app: Application) -> None:
    visitor = await _begun(app)
    assert (await app.admin.post(f"/api/accounts/{_account(app)['id']}/activate")).json["activated"] is True
    assert (await app.visitor().sign_in("erin", PASSWORD)).status == 303
    assert (await visitor.open("/register/code")).headers["Location"] == "/register"


@ensureDeferred
async def test_an_account_that_was_renamed_meanwhile_keeps_no_password_that_would_not_fit(app: Application) -> None:
    await _begun(app)
    app.sql("UPDATE accounts SET username = 'erin2' WHERE username = 'erin'")
    app.sql("UPDATE accounts SET activated = true WHERE username = 'erin2'")
    assert _account(app, "erin2")["passwords"] == 0


@pytest.mark.parametrize(
    ("changes", "wrong_fields"),
    [
        ({"username": ""}, ["username"]),
        ({"username": "no blanks"}, ["username"]),
        ({"username": "+33612345678"}, ["username"]),
        ({"password": "short", "password_confirmation": "short"}, ["password"]),
        ({"password_confirmation": "another one"}, ["password_confirmation"]),
        ({"email": "nonsense", "email_confirmation": "nonsense"}, ["email"]),
        ({"email_confirmation": "erni@example.org"}, ["email_confirmation"]),
        ({"terms": ""}, ["terms"]),
        (
            {"username": "", "password": "short", "password_confirmation": "short", "email": "x", "terms": ""},
            ["username", "password", "email", "terms"],
        ),
    ],
)
@ensureDeferred
async def test_all_that_is_wrong_is_named_and_what_was_typed_stays(
    app: Application, changes: dict[str, str], wrong_fields: list[str]
) -> None:
    _, reply = await _send(app, _form(**changes))
    assert reply.status == 422
    assert _marked(reply) == wrong_fields
    assert PASSWORD not in reply.text
    if "email" not in changes:
        assert 'value="erin@example.org"' in reply.text
    assert app.sql("SELECT 1 FROM accounts WHERE username = 'erin'") == []
    assert sent(app) == []


@ensureDeferred
async def test_names_are_written_as_people_write_them(app: Application) -> None:
    await _begun(app, _form(" Erin ", " erin@example.org "))
    assert _account(app)["username"] == "erin"
    assert sent(app)[0]["to"] == "erin@example.org"


@pytest.mark.parametrize("field", ["username", "email", "phone"])
@ensureDeferred
async def test_what_is_typed_is_no_markup(app: Application, field: str) -> None:
    _activate_france(app)
    fields = _form(address=NUMBER if field == "phone" else "erin@example.org")
    both = {name: SCRIPT for name in fields if name.removesuffix("_confirmation") == field}
    _, reply = await _send(app, {**fields, **both})
    assert reply.status == 422
    assert SCRIPT not in reply.text


@ensureDeferred
async def test_a_name_that_is_taken_or_buried_is_refused(app: Application) -> None:
    await app.has_account("erin")
    gone = await app.has_account("gone")
    await app.admin.delete(f"/api/accounts/{gone['id']}")
    for name in ("erin", "gone"):
        _, reply = await _send(app, _form(name))
        assert (reply.status, _marked(reply)) == (422, ["username"])


@ensureDeferred
async def test_whether_an_address_is_known_is_told_to_its_owner_only(app: Application) -> None:
    _activate_france(app)
    await app.has_account("known", email="known@example.org", phone=NUMBER)
    for number, (known, unknown) in enumerate((("Known@example.org", "new@example.org"), (NUMBER, "+33612345679"))):
        pages = []
        for place, address in enumerate((known, unknown)):
            name = f"erin{number}{place}"
            visitor, reply = await _send(app, _form(name, address))
            assert (reply.status, reply.headers["Location"]) == (303, "/register/code")
            shown = await visitor.follow(reply)
            pages.append(shown.text.replace(grouped(address), "").replace(visitor.csrf_token, ""))
            if address == known:
                reply = await visitor.submit("/register/code", {"code": last_code(app)})
                assert reply.status == 422
                assert "has already been taken" in reply.text
                assert "session" not in visitor.cookies
        assert pages[0] == pages[1]


@ensureDeferred
async def test_somebody_who_mistyped_the_address_begins_once_more(app: Application) -> None:
    visitor = await _begun(app, _form(address="erni@example.org"))
    first = _account(app)["id"]
    _, reply = await _send(app, _form(), visitor)
    assert reply.status == 303
    assert _account(app)["id"] != first
    reply = await visitor.submit("/register/code", {"code": last_code(app)})
    assert reply.headers["Location"] == "/dashboard"
    assert _account(app)["email"] == "erin@example.org"


@ensureDeferred
async def test_a_name_is_kept_for_an_hour_for_who_has_chosen_it(app: Application) -> None:
    await _begun(app)
    _, reply = await _send(app, _form(address="other@example.org"))
    assert (reply.status, _marked(reply)) == (422, ["username"])
    app.sql("UPDATE registrations SET created_at = now() - interval '61 minutes'")
    visitor = await _begun(app, _form(address="other@example.org"))
    await visitor.submit("/register/code", {"code": last_code(app)})
    assert _account(app)["email"] == "other@example.org"


@ensureDeferred
async def test_accounts_that_nobody_confirmed_go_and_leave_their_names(app: Application) -> None:
    visitor = await _begun(app)
    await _begun(app, _form("frank", "frank@example.org"))
    app.sql("UPDATE registrations SET created_at = now() - interval '61 minutes' WHERE username = 'erin'")
    assert (await visitor.open("/register/code")).headers["Location"] == "/register"
    assert (await visitor.submit("/register/code", {"code": "1234"})).status == 410
    assert await app.services.housekeeping.clear_registrations() == 1
    assert await app.services.housekeeping.clear_registrations() == 0
    assert app.sql("SELECT username FROM registrations") == [{"username": "frank"}]
    assert (await app.admin.post("/api/accounts", {"username": "erin", "password": PASSWORD})).status == 200


@ensureDeferred
async def test_a_code_bears_three_tries_and_another_one_can_be_sent(app: Application) -> None:
    visitor = await _begun(app)
    code = last_code(app)
    for _ in range(3):
        reply = await visitor.submit("/register/code", {"code": wrong(code)})
        assert (reply.status, _marked(reply)) == (422, ["code"])
    reply = await visitor.submit("/register/code", {"code": code})
    assert (reply.status, "This code is void." in reply.text) == (422, True)
    shown = await visitor.follow(await visitor.submit("/register/code/again"))
    assert "Another code is on its way." in shown.text
    assert (await visitor.submit("/register/code", {"code": last_code(app)})).headers["Location"] == "/dashboard"


@ensureDeferred
async def test_an_old_code_is_void(app: Application) -> None:
    visitor = await _begun(app)
    app.sql("UPDATE email_change_codes SET created_at = now() - interval '11 minutes'")
    reply = await visitor.submit("/register/code", {"code": last_code(app)})
    assert (reply.status, "This code is void." in reply.text) == (422, True)


@ensureDeferred
async def test_who_asks_for_too_many_codes_is_blocked(app: Application) -> None:
    visitor = await _begun(app)
    for _ in range(4):
        assert (await visitor.submit("/register/code/again")).headers["Location"] == "/register/code"
    assert (await visitor.submit("/register/code/again")).headers["Location"] == "/blocked"
    assert (_account(app)["blocked"], len(sent(app))) == (True, 5)


@ensureDeferred
async def test_of_a_hundred_uses_of_a_code_one_succeeds(app: Application) -> None:
    visitor = await _begun(app)
    code = last_code(app)
    others = [Visitor(visitor.browser, dict(visitor.cookies), visitor.csrf_token) for _ in range(100)]
    replies = await at_once(*(other.submit("/register/code", {"code": code}) for other in others))
    assert sum(reply.status == 303 for reply in replies) == 1
    assert sum("session" in other.cookies for other in others) == 1
    assert {reply.status for reply in replies} <= {303, 410, 422}


@ensureDeferred
async def test_of_many_who_want_a_name_one_gets_it(app: Application) -> None:
    visitors = [app.visitor() for _ in range(20)]
    await at_once(*(visitor.open("/register/email") for visitor in visitors))
    forms = [_form(address=f"erin{number}@example.org") for number in range(20)]
    tries = [visitor.submit("/register/email", form) for visitor, form in zip(visitors, forms, strict=True)]
    replies = await at_once(*tries)
    assert sorted(reply.status for reply in replies) == [303] + [422] * 19
    assert len(sent(app)) == 1


@ensureDeferred
async def test_a_code_is_good_in_the_browser_that_began_only(app: Application) -> None:
    visitor = await _begun(app)
    stranger = app.visitor()
    assert (await stranger.open("/register/code")).headers["Location"] == "/register"
    await stranger.open("/login")
    assert (await stranger.submit("/register/code", {"code": last_code(app)})).status == 410
    elsewhere = app.visitor("localhost")
    elsewhere.cookies["registration"] = visitor.cookies["registration"]
    await elsewhere.open("/login")
    assert (await elsewhere.submit("/register/code/again")).status == 410
    assert (await elsewhere.submit("/register/code", {"code": last_code(app)})).status == 410
    assert _account(app)["activated"] is False


@ensureDeferred
async def test_forms_need_their_secret(app: Application) -> None:
    visitor = await _begun(app)
    code = last_code(app)
    visitor.csrf_token = "0" * 32
    for path, fields in (("/register/email", _form("frank")), ("/register/code", {"code": code})):
        assert (await visitor.submit(path, fields)).status == 403
    assert (await visitor.submit("/register/code/again")).status == 403
    assert (_account(app)["activated"], len(sent(app))) == (False, 1)


@ensureDeferred
async def test_a_space_decides_whether_people_register_and_how(app: Application) -> None:
    visitor = app.visitor()
    assert (await visitor.open("/register")).headers["Location"] == "/register/email"
    _activate_france(app)
    assert 'href="/register/phone"' in (await visitor.open("/register")).text
    assert 'href="/register"' in (await visitor.open("/login")).text
    await app.change("UPDATE spaces SET phone_registration = false")
    assert (await visitor.open("/register/phone")).status == 403
    assert (await visitor.open("/register/email")).status == 200
    assert "/register/phone" not in (await visitor.open("/register/email")).text
    assert (await visitor.submit("/register/phone", _form(address=NUMBER))).status == 403
    await app.change("UPDATE spaces SET public_registration = false")
    for path in ("/register", "/register/email", "/register/phone"):
        assert (await visitor.open(path)).status == 403
    assert (await visitor.submit("/register/email", _form())).status == 403
    assert 'href="/register"' not in (await visitor.open("/login")).text
    assert app.sql("SELECT 1 FROM accounts WHERE username = 'erin'") == []


@ensureDeferred
async def test_numbers_of_countries_that_are_not_active_are_refused(app: Application) -> None:
    _, reply = await _send(app, _form(address=NUMBER))
    assert (reply.status, _marked(reply)) == (422, ["phone"])


@ensureDeferred
async def test_a_full_space_takes_nobody(app: Application) -> None:
    visitor = app.visitor()
    await visitor.open("/register/email")
    await app.change("UPDATE spaces SET max_accounts = 1 WHERE domain = %s", TENANT)
    assert (await visitor.submit("/register/email", _form())).status == 403
    shown = await visitor.open("/register/email")
    assert (shown.status, "There is no room for another account" in shown.text) == (403, True)


@ensureDeferred
async def test_a_space_without_passwords_takes_nobody(app: Application) -> None:
    await app.change("DELETE FROM space_digest_authentication_configurations")
    assert (await app.visitor().open("/register/email")).status == 403


@ensureDeferred
async def test_the_newsletter_hears_of_those_who_want_it_once_their_address_is_theirs(app: Application) -> None:
    assert 'name="newsletter"' not in (await app.visitor().open("/register/email")).text
    await app.change("UPDATE spaces SET newsletter_registration_address = 'news@example.org'")
    for name, wish in (("erin", "1"), ("frank", "")):
        visitor = await _begun(app, _form(name, f"{name}@example.org", newsletter=wish))
        await visitor.submit("/register/code", {"code": last_code(app)})
    letters = [mail for mail in sent(app) if mail["name"] == "newsletter_registration"]
    assert [(mail["to"], mail["email"]) for mail in letters] == [("news@example.org", "erin@example.org")]


@ensureDeferred
async def test_mails_to_one_mailbox_are_limited(app: Application) -> None:
    for number in range(10):
        await _begun(app, _form(f"erin{number}"))
    _, reply = await _send(app, _form("frank", "ERIN@example.org"))
    assert (reply.status, "Retry-After" in reply.headers) == (429, True)
    assert 'value="frank"' in reply.text
    assert len(sent(app)) == 10


@pytest.mark.parametrize("settings", [{"portal": {"terms_url": "https://t.example/", "privacy_url": ""}}])
@ensureDeferred
async def test_the_terms_can_be_read_in_every_language(app: Application) -> None:
    shown = await app.visitor().open("/register/email", accept_language="fr")
    assert 'href="https://t.example/"' in shown.text
    assert (
        "J\N{RIGHT SINGLE QUOTATION MARK}accepte les conditions d\N{RIGHT SINGLE QUOTATION MARK}utilisation"
        in shown.text
    )


@ensureDeferred
async def test_who_is_signed_in_needs_no_account(app: Application) -> None:
    await app.has_account("alice")
    visitor = await app.signed_in("alice")
    for path in ("/register", "/register/email", "/register/phone", "/register/code"):
        assert (await visitor.open(path)).headers["Location"] == "/dashboard"
