"""Signing in at the OpenID server of a Space: who gets in, and every way in which nobody does."""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import AsyncIterator
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
import pytest
import pytest_twisted
from pytest_twisted import ensureDeferred
from support.application import SUPER, TENANT, Application
from support.neighbours import DOMAIN, HOST, has_neighbour
from support.openid import CLIENT, SECRET, OpenIdServer
from support.portal import Visitor
from support.tokens import public_pem
from support.web import Reply
from twisted.logger import capturedLogs

from flexid.domain.account import Origin
from flexid.services import oidc_sign_in

BEGIN, RETURN = "/login/oidc", "/login/oidc/redirect"


@pytest.fixture
def settings() -> dict[str, object]:
    return {"outbound": {"allow_private": True}}


@pytest_twisted.async_yield_fixture
async def server() -> AsyncIterator[OpenIdServer]:
    running = OpenIdServer()
    running.start()
    yield running
    await running.stop()


async def has_oidc(app: Application, server: OpenIdServer, domain: str = TENANT, **fields: Any) -> None:
    reply = await app.super_admin.put(f"/api/spaces/{domain}/oidc", {**server.configuration, **fields})
    assert reply.status == 200, reply.text


async def begun(visitor: Visitor, path: str = BEGIN) -> dict[str, str]:
    """Begin to sign in; return what the server is told."""
    reply = await visitor.open(path)
    assert reply.status == 303, reply.text
    return dict(parse_qsl(urlsplit(reply.headers["Location"]).query))


async def back(visitor: Visitor, told: dict[str, str]) -> Reply:
    return await visitor.open(f"{RETURN}?{urlencode(told)}")


async def sign_in(visitor: Visitor, server: OpenIdServer, path: str = BEGIN) -> Reply:
    return await back(visitor, server.sign_in(await begun(visitor, path)))


def forget(app: Application) -> None:
    """Let the server be asked anew what it is."""
    app.services.oidc_sign_in.exchange.providers.forget(TENANT)


async def said(visitor: Visitor, reply: Reply) -> str:
    """Return the page for signing in, to which somebody is led who was not let in."""
    assert (reply.status, reply.headers["Location"]) == (303, "/login"), reply.text
    assert "session" not in visitor.cookies
    return (await visitor.follow(reply)).text


@ensureDeferred
async def test_whom_the_server_names_by_email_is_signed_in(app: Application, server: OpenIdServer) -> None:
    await app.has_account("alice", email="Alice@mail.example.org")
    await has_oidc(app, server)
    visitor = app.visitor()
    told = await begun(visitor)
    assert told["redirect_uri"] == f"http://tenant.localhost{RETURN}"
    assert (told["client_id"], told["response_type"], told["code_challenge_method"]) == (CLIENT, "code", "S256")
    reply = await back(visitor, server.sign_in(told))
    assert (reply.status, reply.headers["Location"]) == (303, "/dashboard"), (await visitor.follow(reply)).text
    assert "alice" in (await visitor.follow(reply)).text
    assert "oidc" not in visitor.cookies


@ensureDeferred
async def test_the_secret_goes_to_the_server_as_it_wants_it(app: Application, server: OpenIdServer) -> None:
    await app.has_account("alice", email="alice@mail.example.org")
    for methods, secret in ((["client_secret_post"], "one of a form"), (["none"], None), (None, "one of a header")):
        server.metadata = {} if methods is None else {"token_endpoint_auth_methods_supported": methods}
        server.secret = secret
        await has_oidc(app, server, sip_identifier=f"changed for {secret}")
        forget(app)
        assert (await sign_in(app.visitor(), server)).headers["Location"] == "/dashboard"


@ensureDeferred
async def test_who_is_signed_in_goes_to_a_page_of_this_site_only(app: Application, server: OpenIdServer) -> None:
    await app.has_account("alice", email="alice@mail.example.org")
    await has_oidc(app, server)
    for page in ("/password?from=mail", "//evil.example", "https://evil.example", "/\\evil.example"):
        reply = await sign_in(app.visitor(), server, f"{BEGIN}?{urlencode({'next': page})}")
        assert reply.headers["Location"] == (page if page.startswith("/password") else "/dashboard")


@ensureDeferred
async def test_a_state_is_good_once_for_the_browser_that_began_and_for_ten_minutes(
    app: Application, server: OpenIdServer
) -> None:
    await app.has_account("alice", email="alice@mail.example.org")
    await has_oidc(app, server)
    visitor, victim, stranger = app.visitor(), app.visitor(), app.visitor()
    told = await begun(visitor)
    await begun(victim)
    answer = server.sign_in(told)
    assert "Please begin once more." in await said(victim, await back(victim, answer))
    assert "Please begin once more." in await said(stranger, await back(stranger, answer))
    assert "Please begin once more." in await said(visitor, await back(visitor, {**answer, "state": "x" * 43}))
    assert "Please begin once more." in await said(visitor, await back(visitor, {"code": answer["code"]}))
    cookies = dict(visitor.cookies)
    assert (await back(visitor, answer)).headers["Location"] == "/dashboard"
    again = app.visitor()
    again.cookies = cookies
    assert "Please begin once more." in await said(again, await back(again, answer))
    assert server.paths().count("/token") == 1
    told = await begun(victim)
    app.sql("UPDATE oidc_attempts SET created_at = now() - interval '601 seconds'")
    assert "Please begin once more." in await said(victim, await back(victim, server.sign_in(told)))
    assert await app.services.housekeeping.clear_oidc_attempts() == 2


@ensureDeferred
async def test_a_code_is_good_once(app: Application, server: OpenIdServer) -> None:
    await app.has_account("alice", email="alice@mail.example.org")
    await has_oidc(app, server)
    visitor, other = app.visitor(), app.visitor()
    answer = server.sign_in(await begun(visitor))
    assert (await back(visitor, answer)).headers["Location"] == "/dashboard"
    stolen = {**answer, "state": (await begun(other))["state"]}
    assert "Please begin once more." in await said(other, await back(other, stolen))


@ensureDeferred
async def test_a_code_of_somebody_else_is_worth_nothing(app: Application, server: OpenIdServer) -> None:
    await app.has_account("alice", email="alice@mail.example.org")
    await has_oidc(app, server)
    visitor, thief = app.visitor(), app.visitor()
    stolen = server.sign_in(await begun(visitor))["code"]
    state = (await begun(thief))["state"]
    answer = {"code": stolen, "state": state, "iss": server.issuer}
    assert "Please begin once more." in await said(thief, await back(thief, answer))


def with_(**claims: Any) -> Any:
    return lambda before: {**before, **claims}


NO_ANSWERS = [
    with_(nonce="another"),
    with_(nonce=None),
    with_(nonce="\ud800"),
    with_(iss="https://sso.example.org/realms/twin"),
    with_(aud="bank"),
    with_(aud=None),
    with_(aud=[CLIENT, "bank"], azp=None),
    with_(aud=[CLIENT, "bank"], azp="bank"),
    with_(azp="bank"),
    with_(exp=1_000_000_000),
    with_(exp=None),
    with_(exp="tomorrow"),
    with_(iat=None),
    with_(iat=1_000_000_000),
    with_(iat=4_000_000_000),
    with_(nbf=4_000_000_000),
    with_(sub=None),
    with_(at_hash="another"),
]


@ensureDeferred
async def test_a_token_that_is_no_answer_to_this_sign_in_signs_nobody_in(
    app: Application, server: OpenIdServer
) -> None:
    await app.has_account("alice", email="alice@mail.example.org")
    await has_oidc(app, server)
    for number, alters in enumerate(NO_ANSWERS):
        server.alters = alters
        visitor = app.visitor()
        assert "cannot be trusted" in await said(visitor, await sign_in(visitor, server)), number
    assert app.services.oidc_sign_in.outcomes == {"untrusted": len(NO_ANSWERS)}


def unsigned(token: str, algorithm: str) -> str:
    head = base64.urlsafe_b64encode(json.dumps({"alg": algorithm, "typ": "JWT", "kid": "first"}).encode())
    return f"{head.rstrip(b'=').decode()}.{token.split('.')[1]}."


def signed_with_the_public_key(token: str) -> str:
    head = unsigned(token, "HS256").rstrip(".")
    digest = hmac.digest(public_pem("first").encode(), head.encode(), "sha256")
    return f"{head}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


FORGERIES = [
    lambda token: unsigned(token, "none"),
    lambda token: unsigned(token, "NONE"),
    lambda token: unsigned(token, "RS256"),
    signed_with_the_public_key,
    lambda token: token[:-8] + "AAAAAAAA",
    lambda token: token.replace(".", ".e30", 1),
    lambda _: "a.b.c",
    lambda _: "",
]


@ensureDeferred
async def test_a_forged_token_signs_nobody_in(app: Application, server: OpenIdServer) -> None:
    await app.has_account("alice", email="alice@mail.example.org")
    await has_oidc(app, server)
    for number, forges in enumerate(FORGERIES):
        server.forges = forges
        visitor = app.visitor()
        assert "cannot be trusted" in await said(visitor, await sign_in(visitor, server)), number


@ensureDeferred
async def test_keys_follow_a_rotation_and_a_key_that_is_not_published_is_worth_nothing(
    app: Application, server: OpenIdServer
) -> None:
    await app.has_account("alice", email="alice@mail.example.org")
    await has_oidc(app, server)
    assert (await sign_in(app.visitor(), server)).headers["Location"] == "/dashboard"
    server.key = "second"
    visitor = app.visitor()
    assert "cannot be trusted" in await said(visitor, await sign_in(visitor, server))
    server.published = ["second"]
    app.ahead.seconds += 10
    assert (await sign_in(app.visitor(), server)).headers["Location"] == "/dashboard"


@ensureDeferred
async def test_where_a_key_is_configured_it_alone_counts(app: Application, server: OpenIdServer) -> None:
    await app.has_account("alice", email="alice@mail.example.org")
    await has_oidc(app, server, public_key=public_pem("second"))
    visitor = app.visitor()
    assert "cannot be trusted" in await said(visitor, await sign_in(visitor, server))
    server.key = "second"
    assert (await sign_in(app.visitor(), server)).headers["Location"] == "/dashboard"
    assert "/keys" not in server.paths()


NOBODIES: list[tuple[dict[str, Any], str]] = [
    ({"email": "nobody@mail.example.org"}, "No account here has the email address"),
    ({"email": "alice@mail.example.org", "email_verified": False}, "tells no email address of you"),
    ({"email": "alice@mail.example.org", "email_verified": "false"}, "tells no email address of you"),
    ({}, "tells no email address of you"),
    ({"email": ["alice@mail.example.org"]}, "tells no email address of you"),
    ({"email": "alice@mail.example.org\0"}, "tells no email address of you"),
    ({"email": "twice@mail.example.org"}, "More than one account here"),
    ({"email": "eve@mail.example.org"}, "No account here has the email address"),
    ({"email": "root@mail.example.org"}, "No account here has the email address"),
]


@ensureDeferred
async def test_who_is_nobody_here_is_told_so(app: Application, server: OpenIdServer) -> None:
    eve = (await has_neighbour(app)).user
    app.sql("UPDATE accounts SET email = 'eve@mail.example.org' WHERE id = %s", eve["id"])
    app.sql("UPDATE accounts SET email = 'root@mail.example.org' WHERE domain = %s", SUPER)
    await app.change("UPDATE spaces SET unique_email = false WHERE domain = %s", TENANT)
    await app.has_account("alice", email="alice@mail.example.org")
    for name in ("bob", "carol"):
        await app.has_account(name, email="twice@mail.example.org")
    await has_oidc(app, server)
    for person, sentence in NOBODIES:
        server.person = {"sub": "person-1", **person}
        visitor = app.visitor()
        assert sentence in await said(visitor, await sign_in(visitor, server)), person
    assert app.sql("SELECT * FROM sessions") == []


@ensureDeferred
async def test_no_server_signs_in_a_super_administrator_whenever_it_became_one(
    app: Application, server: OpenIdServer
) -> None:
    await has_oidc(app, server, SUPER)
    app.sql("UPDATE accounts SET email = 'alice@mail.example.org' WHERE domain = %s", SUPER)
    visitor = app.visitor("localhost")
    assert "sign in with their password only" in await said(visitor, await sign_in(visitor, server))
    await has_oidc(app, server)
    chief = await app.has_account("chief", admin=True, email="alice@mail.example.org")
    visitor = app.visitor()
    assert (await sign_in(visitor, server)).headers["Location"] == "/dashboard"
    assert (await visitor.open("/admin/accounts")).status == 200
    await app.change("UPDATE spaces SET super = true WHERE domain = %s", TENANT)
    assert (await visitor.open("/admin/spaces")).headers["Location"].startswith("/login")
    space = await app.services.spaces.show(TENANT)
    origin = Origin("127.0.0.1", "")
    assert await app.services.sessions.begin_by_openid(space, chief["id"], origin, "token") is None


@ensureDeferred
async def test_who_becomes_an_administrator_of_all_spaces_is_signed_out(app: Application, server: OpenIdServer) -> None:
    await app.change("UPDATE spaces SET super = true WHERE domain = %s", TENANT)
    alice = await app.has_account("alice", email="alice@mail.example.org")
    await has_oidc(app, server)
    visitor = app.visitor()
    assert (await sign_in(visitor, server)).headers["Location"] == "/dashboard"
    await app.super_admin.post(f"/api/accounts/{alice['id']}", {})
    app.sql("UPDATE accounts SET admin = true WHERE id = %s", alice["id"])
    assert (await visitor.open("/dashboard")).headers["Location"].startswith("/login")


@ensureDeferred
async def test_a_blocked_account_stays_outside(app: Application, server: OpenIdServer) -> None:
    account = await app.has_account("alice", email="alice@mail.example.org")
    await has_oidc(app, server)
    await app.admin.post(f"/api/accounts/{account['id']}/block")
    visitor = app.visitor()
    assert (await sign_in(visitor, server)).headers["Location"] == "/blocked"
    assert "session" not in visitor.cookies


@ensureDeferred
async def test_two_spaces_at_one_server_are_not_mixed_up(app: Application, server: OpenIdServer) -> None:
    await has_neighbour(app)
    await app.has_account("alice", email="alice@mail.example.org")
    await has_oidc(app, server)
    await has_oidc(app, server, DOMAIN)
    visitor = app.visitor()
    answer = server.sign_in(await begun(visitor))
    elsewhere = app.visitor(HOST)
    elsewhere.cookies = dict(visitor.cookies)
    assert "Please begin once more." in await said(elsewhere, await back(elsewhere, answer))
    assert (await back(visitor, answer)).headers["Location"] == "/dashboard"
    there = app.visitor(HOST)
    assert "No account here has the email address" in await said(there, await sign_in(there, server))


@ensureDeferred
async def test_another_server_than_the_one_where_it_began_learns_nothing(
    app: Application, server: OpenIdServer
) -> None:
    await app.has_account("alice", email="alice@mail.example.org")
    await has_oidc(app, server)
    visitor = app.visitor()
    answer = server.sign_in(await begun(visitor))
    sent_by_another = {**answer, "iss": "https://evil.example"}
    assert "cannot be trusted" in await said(visitor, await back(visitor, sent_by_another))
    answer = server.sign_in(await begun(visitor))
    del answer["iss"]
    assert "cannot be trusted" in await said(visitor, await back(visitor, answer))
    answer = server.sign_in(await begun(visitor))
    await has_oidc(app, server, realm="other")
    assert "Please begin once more." in await said(visitor, await back(visitor, answer))
    assert "/token" not in server.paths()


@ensureDeferred
async def test_what_the_server_says_is_shown_plainly_and_safely(app: Application, server: OpenIdServer) -> None:
    await has_oidc(app, server)
    visitor = app.visitor()
    for told, sentence in (
        ({"error": "access_denied", "error_description": "ignored"}, "The sign-in service did not let you in."),
        ({"error": "temporarily_unavailable"}, "The sign-in service says: temporarily_unavailable"),
        ({"error": "x", "error_description": "<b>Out\nof\0order</b>{0}"}, "says: &lt;b&gt;Outoforder&lt;/b&gt;{0}"),
        ({"error": "x", "error_description": "a" * 5000}, "a" * 200 + "<"),
        ({"error": "x", "error_description": "a" * 5000}, "a" * 200 + "<"),
        ({}, "Please begin once more."),
        ({"code": "c" * 5000}, "Please begin once more."),
    ):
        state = (await begun(visitor))["state"]
        shown = await said(visitor, await back(visitor, {**told, "state": state, "iss": server.issuer}))
        assert sentence in shown
    assert "says" not in await said(visitor, await back(visitor, {"error": "x", "error_description": "Call 0900 1"}))


@ensureDeferred
async def test_a_server_that_does_not_know_us_is_told_of_without_its_secrets(
    app: Application, server: OpenIdServer
) -> None:
    await has_oidc(app, server, client_secret="a wrong secret")
    visitor = app.visitor()
    with capturedLogs() as logs:
        shown = await said(visitor, await sign_in(visitor, server))
    assert "does not take requests of this site" in shown
    written = str(logs) + shown
    assert "invalid_client" in written
    assert "a wrong secret" not in written
    assert SECRET not in written


NO_DOCUMENTS = [
    (500, b""),
    (302, b""),
    (200, b"<html>"),
    (200, b"[]"),
    (200, b"{}"),
    (200, b'{"issuer": 5}'),
    (200, b" " * 70_000),
]


@ensureDeferred
async def test_a_server_that_does_not_say_what_it_is_signs_nobody_in(app: Application, server: OpenIdServer) -> None:
    await has_oidc(app, server)
    visitor = app.visitor()
    for number, broken in enumerate(NO_DOCUMENTS):
        forget(app)
        server.broken = {"/.well-known/openid-configuration": broken}
        reply = await visitor.open(BEGIN)
        assert (reply.status, reply.headers["Retry-After"]) == (503, "10"), broken[:10]
        assert "does not answer. Wait a little" in reply.text
        assert 'action="/login"' in reply.text
        assert (await visitor.open(BEGIN)).status == 503
        assert len(server.asked) == number + 1
    server.broken = {}
    app.ahead.seconds += 10
    await begun(visitor)


NO_METADATA: list[dict[str, Any]] = [
    {"issuer": "https://sso.example.org/realms/twin"},
    {"authorization_endpoint": "javascript:alert(1)"},
    {"authorization_endpoint": "https://sso.example.org/auth#here"},
    {"token_endpoint": None},
    {"token_endpoint": "https://user:password@sso.example.org/"},
    {"jwks_uri": "file:///etc/passwd"},
    {"end_session_endpoint": "//evil.example"},
    {"token_endpoint_auth_methods_supported": "client_secret_basic"},
]


@ensureDeferred
async def test_addresses_that_are_none_are_not_gone_to(app: Application, server: OpenIdServer) -> None:
    await has_oidc(app, server)
    for server.metadata in NO_METADATA:
        forget(app)
        assert (await app.visitor().open(BEGIN)).status == 503, server.metadata


@ensureDeferred
async def test_a_server_that_breaks_down_on_the_way_lets_people_try_again(
    app: Application, server: OpenIdServer
) -> None:
    await app.has_account("alice", email="alice@mail.example.org")
    await has_oidc(app, server)
    visitor = app.visitor()
    for path, status in (("/keys", 500), ("/token", 500), ("/token", 404), ("/token", 302)):
        server.broken = {path: (status, b"")}
        reply = await sign_in(visitor, server)
        assert (reply.status, reply.headers["Retry-After"]) == (503, "10")
        assert "does not answer. Wait a little" in reply.text
    assert app.services.oidc_sign_in.outcomes == {"away": 4}
    server.broken = {}
    app.ahead.seconds += 10
    assert (await sign_in(visitor, server)).headers["Location"] == "/dashboard"


@ensureDeferred
async def test_a_server_that_hangs_holds_nobody_up_for_long(
    app: Application, server: OpenIdServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert oidc_sign_in.SECONDS < 10
    await app.has_account("alice", email="alice@mail.example.org")
    await has_oidc(app, server)
    visitor = app.visitor()
    for path in ("/token", "/keys", "/.well-known/openid-configuration"):
        told = await begun(visitor)
        server.silent = {path}
        if path.startswith("/.well-known"):
            forget(app)
        monkeypatch.setattr(oidc_sign_in, "SECONDS", 0.2)
        reply = await back(visitor, server.sign_in(told))
        assert reply.status == 503
        assert "does not answer. Wait a little" in reply.text
        monkeypatch.undo()
        server.silent = set()
    assert (await visitor.open(BEGIN)).status == 503
    assert server.paths()[-1] == "/.well-known/openid-configuration"
    assert app.services.oidc_sign_in._talking == {}


@ensureDeferred
async def test_a_server_that_is_away_is_told_of(app: Application, server: OpenIdServer) -> None:
    await has_oidc(app, server, server_url="http://127.0.0.1:1/")
    assert (await app.visitor().open(BEGIN)).status == 503


@ensureDeferred
async def test_only_so_many_wait_for_the_server_of_one_space(app: Application, server: OpenIdServer) -> None:
    await has_neighbour(app)
    for domain in (TENANT, DOMAIN):
        await has_oidc(app, server, domain)
    service = app.services.oidc_sign_in
    service._talking[TENANT] = oidc_sign_in.MOST_AT_ONCE
    assert (await app.visitor().open(BEGIN)).status == 503
    assert service.outcomes == {"busy": 1}
    await begun(app.visitor(HOST))
    service._talking[TENANT] -= 1
    await begun(app.visitor())


@ensureDeferred
async def test_so_many_begin_from_one_address_and_no_more(app: Application, server: OpenIdServer) -> None:
    await has_oidc(app, server)
    await begun(app.visitor())
    app.sql("UPDATE throttle_counters SET hits = 600")
    reply = await app.visitor().open(BEGIN)
    assert reply.status == 429
    assert "Too many attempts" in reply.text


@ensureDeferred
async def test_a_space_without_a_client_signs_nobody_in_in_this_way(app: Application, server: OpenIdServer) -> None:
    assert (await app.visitor().open(BEGIN)).status == 404
    visitor = app.visitor()
    assert "Please begin once more." in await said(visitor, await back(visitor, {"state": "x", "code": "y"}))
    await has_oidc(app, server, client_id=None)
    assert (await visitor.open(BEGIN)).status == 404
    assert BEGIN not in (await visitor.open("/login")).text


@ensureDeferred
async def test_the_page_for_signing_in_shows_the_way_there(app: Application, server: OpenIdServer) -> None:
    assert BEGIN not in (await app.visitor().open("/login")).text
    await has_oidc(app, server, server_url="https://sso.example.org/")
    shown = (await app.visitor().open("/login")).text
    assert f'href="{BEGIN}"' in shown
    assert "Sign in through sso.example.org" in shown
    assert 'name="password"' in shown
    wanted = (await app.visitor().open("/login?next=/password%3Fa%3Db%26c")).text
    assert f'href="{BEGIN}?next=/password%3Fa%3Db%26c"' in wanted
    await app.super_admin.delete(f"/api/spaces/{TENANT}/digest")
    shown = (await app.visitor().open("/login")).text
    assert f'href="{BEGIN}"' in shown
    for other in ('name="password"', "/authenticate/qrcode", "/register", "/recovery"):
        assert other not in shown


@ensureDeferred
async def test_signing_out_ends_the_session_at_the_server_too(app: Application, server: OpenIdServer) -> None:
    await app.has_account("alice", email="alice@mail.example.org")
    await has_oidc(app, server)
    visitor = app.visitor()
    await sign_in(visitor, server)
    await visitor.open("/dashboard")
    reply = await visitor.submit("/logout")
    assert reply.status == 200
    (url,) = re.findall(r'http-equiv="refresh" content="0; url=([^"]+)"', reply.text)
    parts = urlsplit(unescape(url))
    told = dict(parse_qsl(parts.query))
    assert f"http://{parts.netloc}{parts.path}" == f"{server.issuer}/logout"
    assert jwt.decode(told["id_token_hint"], options={"verify_signature": False})["sub"] == "person-1"
    assert told["post_logout_redirect_uri"] == "http://tenant.localhost/login"
    assert told["client_id"] == CLIENT
    assert "session" not in visitor.cookies
    assert "You are signed out." in (await visitor.open("/login")).text
    assert app.sql("SELECT * FROM sessions") == []


@ensureDeferred
async def test_who_cannot_be_signed_out_there_is_told_so(app: Application, server: OpenIdServer) -> None:
    await app.has_account("alice", email="alice@mail.example.org")
    await has_oidc(app, server)
    server.metadata = {"end_session_endpoint": None}
    visitor = app.visitor()
    await sign_in(visitor, server)
    await visitor.open("/dashboard")
    reply = await visitor.submit("/logout")
    assert "At the sign-in service you may still be signed in." in (await visitor.follow(reply)).text


@ensureDeferred
async def test_who_signed_in_with_a_password_signs_out_here_only(app: Application, server: OpenIdServer) -> None:
    await app.has_account("alice")
    await has_oidc(app, server)
    visitor = await app.signed_in("alice")
    await visitor.open("/dashboard")
    assert (await visitor.submit("/logout")).headers["Location"] == "/login"
    assert server.asked == []


@ensureDeferred
async def test_signing_in_ends_the_session_before_and_makes_a_new_one(app: Application, server: OpenIdServer) -> None:
    await app.has_account("alice", email="alice@mail.example.org")
    await has_oidc(app, server)
    visitor = app.visitor()
    answer = server.sign_in(await begun(visitor))
    await visitor.sign_in("alice", "alice_password")
    first = visitor.cookies["session"]
    await back(visitor, answer)
    assert visitor.cookies["session"] != first
    assert len(app.sql("SELECT * FROM sessions")) == 1
    assert (await visitor.open(BEGIN)).headers["Location"] == "/dashboard"


@ensureDeferred
async def test_redirects_of_the_server_lead_us_nowhere(app: Application, server: OpenIdServer) -> None:
    await has_oidc(app, server)
    server.moves = {"/.well-known/openid-configuration": "/elsewhere"}
    assert (await app.visitor().open(BEGIN)).status == 503
    assert server.paths() == ["/.well-known/openid-configuration"]
