from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred
from support.application import SUPER, TENANT, Application, at_once

PATHS = [
    "//evil.example",
    "https://evil.example",
    "/\\evil.example",
    "/\t/evil.example",
    "javascript:alert(1)",
    "/a\r\nX: y",
    "evil",
    "/" + "a" * 2000,
]


@ensureDeferred
async def test_a_user_signs_in_with_a_name_a_phone_number_or_a_whole_address(app: Application) -> None:
    app.sql("UPDATE phone_countries SET activated = true WHERE code = 'FR'")
    await app.has_account("alice", phone="+33612345678")
    for name in ("alice", " Alice ", "+33612345678", "+33 6 12 34 56 78", f"alice@{TENANT}", f"sip:alice@{TENANT}"):
        visitor = app.visitor()
        reply = await visitor.sign_in(name, "alice_password")
        assert (reply.status, reply.headers["Location"]) == (303, "/dashboard"), name


@ensureDeferred
async def test_a_wrong_password_and_an_unknown_name_look_alike(app: Application) -> None:
    await app.has_account("alice")
    pages = []
    for name in ("alice", "nobody", f"admin@{SUPER}", "alice@elsewhere"):
        visitor = app.visitor()
        reply = await visitor.sign_in(name, "guess123")
        assert reply.status == 422
        assert "session" not in visitor.cookies
        assert "guess123" not in reply.text
        assert f'value="{name}"' in reply.text
        pages.append(reply.text.replace(f'value="{name}"', "").replace(visitor.csrf_token, ""))
    assert len(set(pages)) == 1
    assert "That did not match." in pages[0]


@ensureDeferred
async def test_an_account_signs_in_on_its_own_spaces_host_only_but_a_super_administrator_anywhere(
    app: Application,
) -> None:
    await app.has_account("alice")
    reply = await app.visitor("localhost").sign_in(f"alice@{TENANT}", "alice_password")
    assert reply.status == 422
    boss = {"username": "boss", "password": "boss_password", "admin": True}
    assert (await app.super_admin.post("/api/accounts", boss)).status == 200
    assert (await app.visitor().sign_in("boss", "boss_password")).status == 422
    assert (await app.visitor().sign_in(f"boss@{SUPER}", "boss_password")).status == 303


@ensureDeferred
async def test_signing_in_makes_a_new_session_and_ends_the_one_before(app: Application) -> None:
    await app.has_account("alice")
    visitor = await app.signed_in("alice")
    first = visitor.cookies["session"]
    planted = app.visitor()
    planted.cookies["session"] = "chosen-by-somebody-else"
    await planted.sign_in("alice", "alice_password")
    assert planted.cookies["session"] not in {first, "chosen-by-somebody-else"}
    app.sql("UPDATE accounts SET display_name = 'Alice'")
    before = dict(visitor.cookies)
    await visitor.open("/password")
    await visitor.submit("/login", {"username": "alice", "password": "alice_password"})
    assert visitor.cookies["session"] != first
    stale = app.visitor()
    stale.cookies = before
    assert (await stale.open("/dashboard")).headers["Location"] == "/login?next=/dashboard"


@ensureDeferred
async def test_the_cookie_of_a_session_is_out_of_reach_of_scripts_and_of_other_sites(app: Application) -> None:
    await app.has_account("alice")
    visitor = app.visitor()
    reply = await visitor.sign_in("alice", "alice_password")
    (cookie,) = (header for header in reply.all("Set-Cookie") if header.startswith("session="))
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert attributes == {"path=/", "httponly", "samesite=lax"}
    assert visitor.cookies["session"] not in str(app.sql("SELECT * FROM sessions"))


@pytest.mark.parametrize("path", PATHS)
@ensureDeferred
async def test_signing_in_leads_to_this_site_only(app: Application, path: str) -> None:
    await app.has_account("alice")
    visitor = app.visitor()
    await visitor.open("/login")
    fields = {"username": "alice", "password": "alice_password", "next": path}
    assert (await visitor.submit("/login", fields)).headers["Location"] == "/dashboard"


@ensureDeferred
async def test_who_is_not_signed_in_comes_back_to_the_page_that_was_asked_for(app: Application) -> None:
    await app.has_account("alice")
    visitor = app.visitor()
    reply = await visitor.open("/password?from=mail")
    assert reply.headers["Location"] == "/login?next=/password%3Ffrom%3Dmail"
    shown = await visitor.follow(reply)
    assert 'name="next" value="/password?from=mail"' in shown.text
    fields = {"username": "alice", "password": "alice_password", "next": "/password?from=mail"}
    assert (await visitor.submit("/login", fields)).headers["Location"] == "/password?from=mail"


@ensureDeferred
async def test_a_form_without_the_secret_of_its_page_does_nothing(app: Application) -> None:
    await app.has_account("alice")
    fields = {"username": "alice", "password": "alice_password"}
    stranger = app.visitor()
    assert (await stranger.submit("/login", fields)).status == 403
    visitor = app.visitor()
    await visitor.open("/login")
    visitor.csrf_token = visitor.csrf_token[:-1] + ("0" if visitor.csrf_token[-1] != "0" else "1")
    assert (await visitor.submit("/login", fields)).status == 403
    other = app.visitor()
    await other.open("/login")
    visitor.csrf_token = other.csrf_token
    assert (await visitor.submit("/login", fields)).status == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://tenant.localhost.evil.example"])
@ensureDeferred
async def test_a_form_from_another_site_does_nothing(app: Application, origin: str) -> None:
    await app.has_account("alice")
    visitor = app.visitor()
    await visitor.open("/login")
    fields = {"username": "alice", "password": "alice_password"}
    assert (await visitor.submit("/login", fields, Origin=origin)).status == 403
    assert (await visitor.submit("/login", fields, Origin="http://tenant.localhost")).status == 303


@ensureDeferred
async def test_signing_out_ends_the_session_everywhere(app: Application) -> None:
    await app.has_account("alice")
    visitor = await app.signed_in("alice")
    copied = app.visitor()
    copied.cookies = dict(visitor.cookies)
    await visitor.open("/dashboard")
    reply = await visitor.submit("/logout")
    assert reply.headers["Location"] == "/login"
    assert "You are signed out." in (await visitor.follow(reply)).text
    assert "You are signed out." not in (await visitor.open("/login")).text
    assert (await copied.open("/dashboard")).headers["Location"] == "/login?next=/dashboard"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE sessions SET used_at = now() - interval '121 minutes'",
        "UPDATE passwords SET password = 'x'",
        "DELETE FROM passwords",
        "UPDATE accounts SET admin = true WHERE username = 'alice'",
        "DELETE FROM accounts WHERE username = 'alice'",
    ],
)
@ensureDeferred
async def test_a_session_ends_with_what_it_was_opened_for(app: Application, change: str) -> None:
    await app.has_account("alice")
    visitor = await app.signed_in("alice")
    assert (await visitor.open("/dashboard")).status == 200
    app.sql(change)
    assert (await visitor.open("/dashboard")).headers["Location"] == "/login?next=/dashboard"


@ensureDeferred
async def test_a_session_that_is_used_goes_on(app: Application) -> None:
    await app.has_account("alice")
    visitor = await app.signed_in("alice")
    app.sql("UPDATE sessions SET used_at = now() - interval '119 minutes'")
    assert (await visitor.open("/dashboard")).status == 200
    (row,) = app.sql("SELECT now() - used_at < interval '1 minute' AS is_noted FROM sessions")
    assert row["is_noted"]


@ensureDeferred
async def test_a_session_of_one_space_means_nothing_on_the_host_of_another(app: Application) -> None:
    await app.has_account("alice")
    visitor = await app.signed_in("alice")
    elsewhere = app.visitor("localhost")
    elsewhere.cookies = visitor.cookies
    assert (await elsewhere.open("/dashboard")).headers["Location"] == "/login?next=/dashboard"


@ensureDeferred
async def test_a_blocked_account_is_told_so(app: Application) -> None:
    await app.has_account("alice")
    visitor = await app.signed_in("alice")
    app.sql("UPDATE accounts SET blocked = true WHERE username = 'alice'")
    reply = await visitor.open("/dashboard")
    assert reply.headers["Location"] == "/blocked"
    assert (await visitor.follow(reply)).status == 403
    assert (await app.visitor().sign_in("alice", "alice_password")).headers["Location"] == "/blocked"
    assert (await app.visitor().sign_in("alice", "wrong")).status == 422


@ensureDeferred
async def test_guessing_is_slowed_down_whatever_name_of_the_account_is_used(app: Application) -> None:
    app.sql("UPDATE phone_countries SET activated = true WHERE code = 'FR'")
    await app.has_account("alice", phone="+33612345678")
    for name in ["alice", "+33612345678"] * 5:
        assert (await app.visitor().sign_in(name, "wrong")).status == 422
    reply = await app.visitor().sign_in("alice", "alice_password")
    assert reply.status == 429
    assert 0 < int(reply.headers["Retry-After"]) <= 60
    assert "Too many attempts" in reply.text
    assert 'name="password"' in reply.text
    challenge = await app.nobody.get("/api/accounts/me", From=f"sip:alice@{TENANT}")
    assert challenge.status == 401


@ensureDeferred
async def test_a_password_that_is_being_replaced_opens_no_session(app: Application) -> None:
    account = await app.has_account("alice")
    visitor = app.visitor()
    await visitor.open("/login")
    _, changed = await at_once(
        visitor.submit("/login", {"username": "alice", "password": "alice_password"}),
        app.admin.put(f"/api/accounts/{account['id']}", {"username": "alice", "password": "another_password"}),
    )
    assert changed.status == 200
    assert (await visitor.open("/dashboard")).status == 303


@ensureDeferred
async def test_nonsense_in_cookies_is_nobody(app: Application) -> None:
    for value in ("x" * 5000, "a b", "é", "'; DROP TABLE sessions", "../../etc"):
        reply = await app.nobody.get(
            "/dashboard", Accept="text/html", Cookie=f"session={value}; flash={value}; lang={value}"
        )
        assert (reply.status, reply.headers["Location"]) == (303, "/login?next=/dashboard")
    assert (await app.nobody.get("/login", Cookie="theme=%22><script>; lang=de")).status == 200


@ensureDeferred
async def test_nobody_else_makes_us_say_something(app: Application) -> None:
    visitor = app.visitor()
    visitor.cookies["flash"] = "WyJnb29kIiwiRXZpbCIse31d.0123456789abcdef0123456789abcdef"
    assert "Evil" not in (await visitor.open("/login")).text


@ensureDeferred
async def test_a_language_is_chosen_once(app: Application) -> None:
    visitor = app.visitor()
    assert '<html lang="fr"' in (await visitor.open("/login", Accept_Language="fr")).text
    assert '<html lang="en"' in (await visitor.open("/login")).text
    assert '<html lang="fr"' in (await visitor.open("/login?lang=fr")).text
    assert '<html lang="fr"' in (await visitor.open("/login", Accept_Language="en")).text


@ensureDeferred
async def test_a_page_carries_the_headers_that_protect_it(app: Application) -> None:
    reply = await app.visitor().open("/login")
    policy = reply.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert reply.headers["X-Frame-Options"] == "DENY"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Referrer-Policy"] == "same-origin"
    assert reply.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in reply.headers


@ensureDeferred
async def test_without_a_portal_every_page_leads_to_the_one_that_says_so(app: Application) -> None:
    await app.has_account("alice")
    visitor = await app.signed_in("alice")
    await app.change("UPDATE spaces SET web_panel = false WHERE domain = %s", TENANT)
    for path in ("/", "/login", "/dashboard", "/password", "/documentation", "/provisioning/documentation"):
        assert (await visitor.open(path)).headers["Location"] == "/about"
    about = await visitor.open("/about")
    assert about.status == 200
    assert "/login" not in about.text
    assert "/dashboard" not in about.text


@ensureDeferred
async def test_an_expired_space_explains_itself(app: Application) -> None:
    await app.change("UPDATE spaces SET expire_at = now() - interval '1 day' WHERE domain = %s", TENANT)
    reply = await app.visitor().open("/login")
    assert reply.status == 490
    assert "This Space has expired" in reply.text


@ensureDeferred
async def test_every_visitor_has_a_secret_of_its_own_on_the_page_and_sees_what_the_space_says_today(
    app: Application,
) -> None:
    first, second = app.visitor(), app.visitor()
    for visitor in (first, second):
        assert visitor.cookies == {}
        await visitor.open("/login")
    assert first.csrf_token != second.csrf_token
    assert len({first.csrf_token, second.csrf_token, ""}) == 3
    await app.change("UPDATE spaces SET intro_registration_text = 'Mind the gap' WHERE domain = %s", TENANT)
    assert "Mind the gap" in (await first.open("/login")).text
    assert "Mind the gap" not in (await app.visitor("localhost").open("/login")).text
