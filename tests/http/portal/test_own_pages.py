from __future__ import annotations

import re

import pytest
from pytest_twisted import ensureDeferred
from support.application import TENANT, Application

SCRIPT = '"><script>alert(1)</script>'


@ensureDeferred
async def test_the_dashboard_shows_who_somebody_is_and_a_code_that_sets_up_a_phone(app: Application) -> None:
    account = await app.has_account("alice", email="alice@example.org", display_name="Alice Martin")
    visitor = await app.signed_in("alice")
    shown = await visitor.open("/dashboard")
    assert "Welcome, Alice Martin" in shown.text
    assert "alice@example.org" in shown.text
    assert f"http://tenant.localhost/provisioning/{account['provisioning_token']}" in shown.text
    picture = await visitor.open("/dashboard/qrcode")
    assert (picture.status, picture.headers["Content-Type"]) == (200, "image/svg+xml")
    assert picture.headers["Cache-Control"] == "no-store"


@ensureDeferred
async def test_a_new_code_makes_the_one_before_useless(app: Application) -> None:
    account = await app.has_account("alice")
    visitor = await app.signed_in("alice")
    await visitor.open("/dashboard")
    shown = await visitor.follow(await visitor.submit("/dashboard/provisioning"))
    assert account["provisioning_token"] not in shown.text
    reply = await app.nobody.get(f"/provisioning/{account['provisioning_token']}", x_linphone_provisioning="1")
    assert reply.status == 404


@ensureDeferred
async def test_a_code_that_was_used_is_no_longer_shown(app: Application) -> None:
    account = await app.has_account("alice")
    visitor = await app.signed_in("alice")
    await app.nobody.get(f"/provisioning/{account['provisioning_token']}", x_linphone_provisioning="1")
    shown = await visitor.open("/dashboard")
    assert "/dashboard/qrcode" not in shown.text
    assert "Make a new code" in shown.text
    assert (await visitor.open("/dashboard/qrcode")).status == 404


@ensureDeferred
async def test_a_super_administrator_abroad_sets_up_a_phone_at_home(app: Application) -> None:
    boss = {"username": "boss", "password": "boss_password", "admin": True}
    assert (await app.super_admin.post("/api/accounts", boss)).status == 200
    visitor = app.visitor("tenant.localhost:8080")
    assert (await visitor.sign_in("boss@localhost", "boss_password")).status == 303
    assert "http://localhost:8080/provisioning/" in (await visitor.open("/dashboard")).text


@ensureDeferred
async def test_what_somebody_is_called_is_no_markup(app: Application) -> None:
    await app.has_account("alice", display_name=SCRIPT)
    visitor = await app.signed_in("alice")
    for path in ("/dashboard", "/password", "/delete", "/api_key", "/auth_token", "/nothing-here"):
        assert SCRIPT not in (await visitor.open(path)).text, path


@ensureDeferred
async def test_a_new_password_ends_all_sessions_but_goes_on_in_this_browser(app: Application) -> None:
    await app.has_account("alice")
    visitor, other = await app.signed_in("alice"), await app.signed_in("alice")
    before = dict(visitor.cookies)
    await visitor.open("/password")
    fields = {"old_password": "alice_password", "password": "new_password", "password_confirmation": "new_password"}
    reply = await visitor.submit("/password", fields)
    assert "Your password is changed" in (await visitor.follow(reply)).text
    assert visitor.cookies["session"] != before["session"]
    assert (await other.open("/dashboard")).status == 303
    stale = app.visitor()
    stale.cookies = before
    assert (await stale.open("/dashboard")).status == 303
    assert (await app.visitor().sign_in("alice", "alice_password")).status == 422
    assert (await app.visitor().sign_in("alice", "new_password")).status == 303


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        (
            {"old_password": "guess", "password": "new_password", "password_confirmation": "new_password"},
            ["old_password"],
        ),
        (
            {"old_password": "guess", "password": "short", "password_confirmation": "short"},
            ["old_password", "password"],
        ),
        (
            {"old_password": "alice_password", "password": "new_password", "password_confirmation": "new-password"},
            ["password_confirmation"],
        ),
        ({}, ["password", "password_confirmation"]),
    ],
)
@ensureDeferred
async def test_what_is_wrong_with_a_new_password_is_said_and_nothing_typed_is_shown(
    app: Application, fields: dict[str, str], wrong: list[str]
) -> None:
    await app.has_account("alice")
    visitor = await app.signed_in("alice")
    await visitor.open("/password")
    reply = await visitor.submit("/password", fields)
    assert reply.status == 422
    marked = re.findall(r'id="(\w+)" name="\w+" aria-invalid="true"', reply.text)
    assert marked == wrong
    assert not any(f'value="{value}"' in reply.text for value in fields.values())
    assert (await app.visitor().sign_in("alice", "alice_password")).status == 303


@ensureDeferred
async def test_guessing_the_old_password_is_slowed_down(app: Application) -> None:
    await app.has_account("alice")
    visitor = await app.signed_in("alice")
    await visitor.open("/password")
    fields = {"old_password": "guess", "password": "new_password", "password_confirmation": "new_password"}
    for _ in range(10):
        assert (await visitor.submit("/password", fields)).status == 422
    reply = await visitor.submit("/password", {**fields, "old_password": "alice_password"})
    assert reply.status == 429
    assert "Too many attempts" in reply.text
    assert "Retry-After" in reply.headers


@ensureDeferred
async def test_somebody_gives_up_the_own_account_by_typing_its_address(app: Application) -> None:
    await app.has_account("alice")
    visitor = await app.signed_in("alice")
    await visitor.open("/delete")
    reply = await visitor.submit("/delete", {"_method": "DELETE", "identifier": "bob@" + TENANT})
    assert reply.status == 422
    assert (await visitor.submit("/delete", {"_method": "DELETE"})).status == 422
    reply = await visitor.submit("/delete", {"_method": "DELETE", "identifier": f"alice@{TENANT}"})
    assert "Your account is deleted." in (await visitor.follow(reply)).text
    assert (await visitor.open("/dashboard")).status == 303
    again = await app.admin.post("/api/accounts", {"username": "alice", "password": "alice_password"})
    assert again.status == 422


@ensureDeferred
async def test_an_own_key_is_shown_once_and_works_from_the_same_address(app: Application) -> None:
    await app.has_account("alice")
    visitor = await app.signed_in("alice")
    await visitor.open("/api_key")
    made = await visitor.submit("/api_key")
    key = re.findall(r"<code[^>]*>([A-Za-z0-9]{40})</code>", made.text)[0]
    assert (await app.nobody.as_(x_api_key=key).get("/api/accounts/me")).json["username"] == "alice"
    assert (await app.nobody.from_("192.0.2.7").as_(x_api_key=key).get("/api/accounts/me")).status == 401
    assert key not in (await visitor.open("/api_key")).text


@ensureDeferred
async def test_a_code_lets_a_device_in_once(app: Application) -> None:
    await app.has_account("alice")
    visitor = await app.signed_in("alice")
    await visitor.open("/auth_token")
    made = await visitor.submit("/auth_token")
    shown = await visitor.follow(made)
    token = made.headers["Location"].rpartition("/")[2]
    assert f"http://tenant.localhost/provisioning/auth_token/{token}" in shown.text
    assert (await visitor.open(f"/auth_token/{token}/qrcode")).headers["Content-Type"] == "image/svg+xml"
    await app.has_account("bob")
    assert (await (await app.signed_in("bob")).open(f"/auth_token/{token}")).headers["Location"] == "/dashboard"
    document = await app.nobody.get(f"/provisioning/auth_token/{token}", x_linphone_provisioning="1")
    assert b"alice" in document.body
    assert (await app.nobody.get(f"/provisioning/auth_token/{token}", x_linphone_provisioning="1")).status == 404
    assert (await visitor.open(f"/auth_token/{token}")).status == 404


@ensureDeferred
async def test_pages_for_everybody(app: Application) -> None:
    await app.change("UPDATE spaces SET intro_registration_text = %s WHERE domain = %s", f"**Hi** {SCRIPT}", TENANT)
    for path in ("/about", "/documentation", "/third-party-components", "/provisioning/documentation", "/login"):
        reply = await app.visitor().open(path)
        assert reply.status == 200, path
        assert SCRIPT not in reply.text
        assert reply.text.count("<h1") == 1, path
    components = (await app.visitor().open("/third-party-components")).text
    for name in ("Twisted", "klein", "psycopg2-binary", "h2"):
        assert f">{name}<" in components, name
    assert "<strong>Hi</strong>" in (await app.visitor().open("/login")).text


@ensureDeferred
async def test_the_styleguide_is_for_those_who_work_on_the_portal(app: Application) -> None:
    assert (await app.visitor().open("/styleguide")).status == 404


@ensureDeferred
async def test_a_refusal_is_a_page_for_people_that_knows_who_they_are(app: Application) -> None:
    await app.has_account("alice")
    visitor = await app.signed_in("alice")
    reply = await visitor.open("/nothing-here")
    assert reply.status == 404
    assert "alice" in reply.text
    assert "/logout" in reply.text
    reply = await app.visitor().open("/nothing-here")
    assert reply.status == 404
    assert "/logout" not in reply.text
    assert (await app.visitor("nowhere.example").open("/login")).status == 404
