"""Tokens of a Space's OpenID server: whom they sign in, and every way to forge one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_twisted
from pytest_twisted import ensureDeferred
from support.application import SUPER, TENANT, Application
from support.neighbours import DOMAIN, has_neighbour
from support.tokens import A_DAY, REALM, KeyServer, jwk, public_pem, token
from support.web import Browser, Reply

SSO = "https://sso.example.org/"
ME = "/api/accounts/me"
ALICE = f"sip:alice@{TENANT}"
CHALLENGE = f'Bearer authz_server="{SSO}realms/{REALM}",realm="{REALM}"'


@pytest.fixture
def settings() -> dict[str, object]:
    return {"outbound": {"allow_private": True}}


@pytest_twisted.async_yield_fixture
async def server() -> AsyncIterator[KeyServer]:
    running = KeyServer()
    running.start()
    yield running
    await running.stop()


async def has_oidc(app: Application, domain: str = TENANT, **fields: Any) -> None:
    body = {"server_url": SSO, "realm": REALM, **fields}
    reply = await app.super_admin.put(f"/api/spaces/{domain}/oidc", body)
    assert reply.status == 200, reply.text


async def has_key(app: Application, domain: str = TENANT, key: str = "first", **fields: Any) -> None:
    await has_oidc(app, domain, public_key=public_pem(key), **fields)


async def show(browser: Browser, credential: str, path: str = ME) -> Reply:
    return await browser.get(path, authorization=f"Bearer {credential}")


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


CLAIMS = {"iss": f"{SSO}realms/{REALM}", "exp": time.time() + A_DAY, "sip_identity": ALICE}


def unsigned(algorithm: str) -> str:
    return f"{encoded({'alg': algorithm, 'typ': 'JWT'})}.{encoded(CLAIMS)}."


def signed_with_the_public_key(algorithm: str) -> str:
    head = unsigned(algorithm).rstrip(".")
    digest = hmac.new(public_pem("first").encode(), head.encode(), hashlib.sha256).digest()
    return f"{head}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512"])
@ensureDeferred
async def test_a_token_signs_in_the_account_of_its_sip_identity(app: Application, algorithm: str) -> None:
    await app.has_account("alice")
    await has_key(app)
    reply = await show(app.nobody, token(SSO, algorithm=algorithm, sip_identity=ALICE))
    assert (reply.status, reply.json["username"]) == (200, "alice")
    assert reply.all("WWW-Authenticate") == []


@ensureDeferred
async def test_a_token_costs_one_statement_beside_what_is_asked_for(app: Application, asked: list[str]) -> None:
    await app.has_account("alice")
    await has_key(app)
    await app.change("UPDATE spaces SET name = name")
    await app.nobody.get(ME)
    asked.clear()
    assert (await show(app.nobody, token(SSO, sip_identity=ALICE))).status == 200
    assert asked == ["find the account of a bearer token by address", "find an account"]


@ensureDeferred
async def test_without_credentials_the_server_is_named(app: Application) -> None:
    await has_key(app)
    reply = await app.nobody.get(ME)
    assert (reply.status, reply.all("WWW-Authenticate")) == (401, [CHALLENGE])


@ensureDeferred
async def test_who_begins_with_digest_is_offered_both(app: Application) -> None:
    await app.has_account("alice")
    await has_key(app)
    challenges = (await app.nobody.get(ME, From=ALICE)).all("WWW-Authenticate")
    assert [challenge.split(" ")[0] for challenge in challenges] == ["Digest", "Bearer"]


@ensureDeferred
async def test_an_expired_token_is_told_so(app: Application) -> None:
    await app.has_account("alice")
    await has_key(app)
    reply = await show(app.nobody, token(SSO, sip_identity=ALICE, exp=time.time() - 60))
    told = f'{CHALLENGE}, error="invalid_token", error_description="Expired JWT token"'
    assert (reply.status, reply.all("WWW-Authenticate")) == (401, [told])


@pytest.mark.parametrize(
    "credential",
    [
        unsigned("none"),
        unsigned("None"),
        unsigned("RS256"),
        signed_with_the_public_key("HS256"),
        signed_with_the_public_key("RS256"),
        token(SSO, algorithm="PS256", sip_identity=ALICE),
        token(SSO, key="second", sip_identity=ALICE),
        token(SSO, sip_identity=ALICE, exp=None),
        token(SSO, sip_identity=ALICE, nbf=time.time() + A_DAY),
        token(SSO, sip_identity=ALICE, iss=None),
        token(SSO, sip_identity=ALICE, iss=SSO),
        token("https://other.example.org/", sip_identity=ALICE),
        token(SSO, sip_identity="alice"),
        token(SSO, sip_identity=""),
        token(SSO, sip_identity=ALICE)[:-5],
        token(SSO, sip_identity=ALICE).replace(".", ".e30", 1),
        "a.b.c",
        "",
        "é" * 20,
        ".".join(["e" * 3000] * 3),
    ],
)
@ensureDeferred
async def test_a_token_that_is_not_as_it_should_be_is_invalid(app: Application, credential: str) -> None:
    await app.has_account("alice")
    await has_key(app)
    reply = await show(app.nobody, credential)
    assert reply.status == 401
    (told,) = reply.all("WWW-Authenticate")
    assert told.startswith(f'{CHALLENGE}, error="invalid_token", error_description="')


@ensureDeferred
async def test_a_token_for_another_audience_is_invalid(app: Application) -> None:
    await app.has_account("alice")
    await has_key(app, client_id="flexid")
    assert (await show(app.nobody, token(SSO, sip_identity=ALICE, aud="bank"))).status == 401
    assert (await show(app.nobody, token(SSO, sip_identity=ALICE, aud="account", azp="flexid"))).status == 200


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"sip_identity": f"sip:nobody@{TENANT}"},
        {"sip_identity": f"sip:eve@{DOMAIN}"},
        {"sip_identity": f"sip:admin@{SUPER}"},
        {"email": "nobody@mail.example.org"},
        {"email": "alice@mail.example.org", "email_verified": False},
        {"email": "twice@mail.example.org"},
        {"email": "eve@mail.example.org"},
    ],
)
@ensureDeferred
async def test_a_valid_token_for_nobody_here_is_forbidden(app: Application, claims: dict[str, Any]) -> None:
    eve = (await has_neighbour(app)).user
    app.sql("UPDATE accounts SET email = 'eve@mail.example.org' WHERE id = %s", eve["id"])
    await app.change("UPDATE spaces SET unique_email = false WHERE domain = %s", TENANT)
    await app.has_account("alice", email="alice@mail.example.org")
    for name in ("bob", "carol"):
        await app.has_account(name, email="twice@mail.example.org")
    await has_key(app)
    reply = await show(app.nobody, token(SSO, **claims))
    assert (reply.status, reply.all("WWW-Authenticate")) == (403, [])


@pytest.mark.parametrize("verified", [{}, {"email_verified": True}])
@ensureDeferred
async def test_an_email_that_one_account_has_signs_it_in(app: Application, verified: dict[str, Any]) -> None:
    await app.has_account("alice", email="Alice@mail.example.org")
    await has_key(app)
    reply = await show(app.nobody, token(SSO, email="alice@mail.example.org", **verified))
    assert (reply.status, reply.json["username"]) == (200, "alice")


@ensureDeferred
async def test_the_key_of_another_space_signs_nobody_in(app: Application) -> None:
    await has_neighbour(app)
    await app.has_account("alice")
    await has_key(app)
    await has_key(app, DOMAIN, "second")
    assert (await show(app.nobody, token(SSO, "second", sip_identity=ALICE))).status == 401


@ensureDeferred
async def test_no_token_signs_in_a_super_administrator(app: Application) -> None:
    await has_key(app, SUPER)
    assert (await show(app.browser, token(SSO, sip_identity=f"sip:admin@{SUPER}"))).status == 403
    app.sql("UPDATE accounts SET email = 'root@mail.example.org' WHERE domain = %s", SUPER)
    assert (await show(app.browser, token(SSO, email="root@mail.example.org"))).status == 403


@ensureDeferred
async def test_a_space_without_a_server_takes_no_tokens(app: Application) -> None:
    await app.has_account("alice")
    reply = await show(app.nobody, token(SSO, sip_identity=ALICE))
    assert (reply.status, reply.all("WWW-Authenticate")) == (401, [])


@ensureDeferred
async def test_a_token_decides_before_an_api_key_and_not_for_administrators(app: Application) -> None:
    await has_key(app)
    user = app.user(await app.has_account("alice"))
    assert (await show(user, "a.b.c")).status == 401
    assert (await show(app.nobody, token(SSO, sip_identity=f"sip:admin@{TENANT}"))).status == 200
    assert (await show(app.nobody, token(SSO, sip_identity=f"sip:admin@{TENANT}"), "/api/accounts")).status == 401
    assert (await show(app.admin, "a.b.c", "/api/accounts")).status == 200


@ensureDeferred
async def test_a_blocked_account_stays_outside(app: Application) -> None:
    account = await app.has_account("alice")
    await has_key(app)
    await app.admin.post(f"/api/accounts/{account['id']}/block")
    reply = await show(app.nobody, token(SSO, sip_identity=ALICE))
    assert (reply.status, reply.json) == (403, {"message": "Account blocked"})


@ensureDeferred
async def test_published_keys_are_fetched_once_and_follow_a_rotation(app: Application, server: KeyServer) -> None:
    await app.has_account("alice")
    await has_oidc(app, server_url=server.url)
    for _ in range(2):
        assert (await show(app.nobody, token(server.url, sip_identity=ALICE))).status == 200
    assert server.page.asked == [f"/realms/{REALM}/protocol/openid-connect/certs".encode()]
    renewed = token(server.url, "second", sip_identity=ALICE)
    assert (await show(app.nobody, renewed)).status == 401
    server.page.keys = [jwk("second")]
    app.ahead.seconds = 10
    assert (await show(app.nobody, renewed)).status == 200
    assert (await show(app.nobody, token(server.url, sip_identity=ALICE))).status == 401
    assert len(server.page.asked) == 2


@ensureDeferred
async def test_a_name_of_another_key_does_not_help(app: Application, server: KeyServer) -> None:
    server.page.keys = [jwk("first"), {**jwk("second"), "kid": "third"}]
    await has_oidc(app, server_url=server.url)
    await app.has_account("alice")
    forged = token(server.url, "third", sip_identity=ALICE)
    assert (await show(app.nobody, forged)).status == 401


@ensureDeferred
async def test_a_key_counts_for_its_own_algorithm_only(app: Application, server: KeyServer) -> None:
    server.page.keys = [jwk("first", alg="RS512")]
    await has_oidc(app, server_url=server.url)
    await app.has_account("alice")
    assert (await show(app.nobody, token(server.url, sip_identity=ALICE))).status == 401
    assert (await show(app.nobody, token(server.url, algorithm="RS512", sip_identity=ALICE))).status == 200


@ensureDeferred
async def test_while_the_server_is_away_nobody_is_refused_for_good(app: Application, server: KeyServer) -> None:
    server.page.status = 500
    await has_oidc(app, server_url=server.url)
    reply = await show(app.nobody, token(server.url, sip_identity=ALICE))
    assert (reply.status, reply.headers["Retry-After"]) == (503, "10")


@ensureDeferred
async def test_where_a_key_is_configured_nothing_is_fetched(app: Application, server: KeyServer) -> None:
    await app.has_account("alice")
    await has_key(app, server_url=server.url)
    assert (await show(app.nobody, token(server.url, sip_identity=ALICE))).status == 200
    assert server.page.asked == []


@ensureDeferred
async def test_a_forged_algorithm_makes_us_ask_nobody(app: Application, server: KeyServer) -> None:
    await has_oidc(app, server_url=server.url)
    assert (await show(app.nobody, unsigned("none"))).status == 401
    assert server.page.asked == []


@ensureDeferred
async def test_a_configured_key_that_cannot_be_read_is_our_trouble(app: Application) -> None:
    await has_key(app)
    await app.change("UPDATE space_oidc_authentication_configurations SET public_key = 'MIIB'")
    assert (await show(app.nobody, token(SSO, sip_identity=ALICE))).status == 503
