"""Accounts that are made, and put out of use, by what the OpenID server of a Space says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import pytest_twisted
from pytest_twisted import ensureDeferred
from support.application import SUPER, TENANT, Application, at_once
from support.openid import OpenIdServer
from support.portal import Visitor
from support.web import Reply

from flexid.store import oidc_accounts
from flexid.store.oidc_accounts import Named

ROLE = "telephony"
EMAIL = "alice@mail.example.org"


@pytest.fixture
def settings() -> dict[str, object]:
    return {"outbound": {"allow_private": True}, "accounts": {"username_blacklist": ["admin"]}}


@pytest_twisted.async_yield_fixture
async def server() -> AsyncIterator[OpenIdServer]:
    running = OpenIdServer(roles=[ROLE])
    running.start()
    yield running
    await running.stop()


async def provisions(app: Application, server: OpenIdServer, **fields: Any) -> None:
    wanted = {"auto_provisioning": True, "role_provisioning": ROLE, **server.configuration, **fields}
    reply = await app.super_admin.put(f"/api/spaces/{TENANT}/oidc", wanted)
    assert reply.status == 200, reply.text


async def answered(visitor: Visitor, server: OpenIdServer) -> str:
    """Let a person sign in at the server; return the path with its answer."""
    reply = await visitor.open("/login/oidc")
    told = server.sign_in(dict(parse_qsl(urlsplit(reply.headers["Location"]).query)))
    return f"/login/oidc/redirect?{urlencode(told)}"


async def sign_in(app: Application, server: OpenIdServer, email: str = EMAIL) -> Reply:
    server.person = {"sub": email, "email": email}
    visitor = app.visitor()
    reply = await visitor.open(await answered(visitor, server))
    return reply if reply.headers["Location"] == "/dashboard" else await visitor.follow(reply)


def accounts(app: Application) -> list[dict[str, Any]]:
    return app.sql(
        "SELECT username, email, activated, admin FROM accounts WHERE domain = %s AND username <> 'admin' ORDER BY id",
        TENANT,
    )


def names(app: Application) -> list[str]:
    return [account["username"] for account in accounts(app)]


@pytest.mark.parametrize("where", ["ID token", "access token"])
@ensureDeferred
async def test_who_has_the_role_and_no_account_gets_one(app: Application, server: OpenIdServer, where: str) -> None:
    await provisions(app, server)
    if where == "ID token":
        server.roles = None
        server.alters = lambda claims: {**claims, "realm_access": {"roles": [ROLE]}}
    assert (await sign_in(app, server)).status == 303
    assert accounts(app) == [{"username": "alice", "email": EMAIL, "activated": True, "admin": False}]
    account = (await app.admin.get(f"/api/accounts/alice@{TENANT}/search")).json
    assert account["provisioning_token"]
    assert account["passwords"] == []
    assert (await sign_in(app, server)).status == 303
    assert names(app) == ["alice"]


@pytest.mark.parametrize(
    "roles", [None, [], ["other"], [ROLE.upper()], "telephony", [{"telephony": 1}], [5, None], {"telephony": True}]
)
@ensureDeferred
async def test_who_does_not_have_the_role_gets_no_account(app: Application, server: OpenIdServer, roles: Any) -> None:
    await provisions(app, server)
    server.roles = roles
    assert "does not name you as somebody who has an account here" in (await sign_in(app, server)).text
    assert accounts(app) == []


@ensureDeferred
async def test_nobody_gets_an_account_where_that_is_off_or_goes_by_no_role(
    app: Application, server: OpenIdServer
) -> None:
    for settings in ({"auto_provisioning": False}, {"role_provisioning": None}):
        await provisions(app, server, **settings)
        assert "No account here has the email address" in (await sign_in(app, server)).text
    assert accounts(app) == []


@ensureDeferred
async def test_a_role_in_a_token_for_somebody_else_does_not_count(app: Application, server: OpenIdServer) -> None:
    await provisions(app, server)
    for misled in ({"sub": "person-2"}, {"azp": "bank"}, {"iss": "https://sso.example.org/"}, {"exp": 1}):
        server.further = misled
        assert "does not name you as somebody" in (await sign_in(app, server)).text, misled
    server.further = {}
    assert (await sign_in(app, server)).status == 303


@ensureDeferred
async def test_a_name_that_is_taken_buried_or_dialled_is_numbered(app: Application, server: OpenIdServer) -> None:
    app.sql("UPDATE phone_countries SET activated = true WHERE code = 'FR'")
    await app.has_account("alice", email="other@mail.example.org", phone="+33612345678")
    buried = await app.has_account("alice2")
    await app.admin.delete(f"/api/accounts/{buried['id']}")
    await provisions(app, server)
    for email in (EMAIL, "admin@mail.example.org", "Alice@other.example.org", "O'Connor@mail.example.org"):
        assert (await sign_in(app, server, email)).status == 303
    assert names(app) == ["alice", "alice3", "admin2", "alice4", "o-connor"]
    assert "must be a valid email address" in (await sign_in(app, server, "nobody@localhost")).text


@ensureDeferred
async def test_a_full_space_takes_nobody_more(app: Application, server: OpenIdServer) -> None:
    await app.change("UPDATE spaces SET max_accounts = 2 WHERE domain = %s", TENANT)
    await provisions(app, server)
    assert (await sign_in(app, server)).status == 303
    assert "There is no room for another account" in (await sign_in(app, server, "bob@mail.example.org")).text
    assert (await sign_in(app, server)).status == 303
    assert names(app) == ["alice"]


@pytest.mark.parametrize("is_unique", ["true", "false"])
@ensureDeferred
async def test_two_first_sign_ins_of_one_person_make_one_account(
    app: Application, server: OpenIdServer, is_unique: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    find, nobody = oidc_accounts.find, []

    async def counted(*arguments: Any) -> list[Named]:
        found = await find(*arguments)
        nobody.extend([] if found else [arguments])
        return found

    monkeypatch.setattr(oidc_accounts, "find", counted)
    await app.change("UPDATE spaces SET unique_email = %s::boolean WHERE domain = %s", is_unique, TENANT)
    await provisions(app, server)
    visitors = [app.visitor() for _ in range(6)]
    paths = [await answered(visitor, server) for visitor in visitors]
    replies = await at_once(*(visitor.open(path) for visitor, path in zip(visitors, paths, strict=True)))
    assert [reply.headers["Location"] for reply in replies] == ["/dashboard"] * 6
    assert names(app) == ["alice"]
    assert len(nobody) == 1, "whoever comes second looks when the first is through"


@ensureDeferred
async def test_people_who_want_one_name_at_once_all_get_one(app: Application, server: OpenIdServer) -> None:
    await provisions(app, server)
    visitors, paths = [], []
    for number in range(5):
        server.person = {"sub": str(number), "email": f"alice@n{number}.example.org"}
        visitor = app.visitor()
        reply = await visitor.open("/login/oidc")
        told = server.sign_in(dict(parse_qsl(urlsplit(reply.headers["Location"]).query)), server.person)
        visitors.append(visitor)
        paths.append(f"/login/oidc/redirect?{urlencode(told)}")
    replies = await at_once(*(visitor.open(path) for visitor, path in zip(visitors, paths, strict=True)))
    assert [reply.headers["Location"] for reply in replies] == ["/dashboard"] * 5
    assert sorted(names(app)) == ["alice", "alice2", "alice3", "alice4", "alice5"]


@ensureDeferred
async def test_whose_role_is_gone_is_deactivated_and_active_again_when_it_is_back(
    app: Application, server: OpenIdServer
) -> None:
    await provisions(app, server)
    visitor = app.visitor()
    server.person = {"sub": "1", "email": EMAIL}
    await visitor.open(await answered(visitor, server))
    server.roles = None
    assert "your account is not active now" in (await sign_in(app, server)).text
    assert accounts(app)[0]["activated"] is False
    assert (await visitor.open("/dashboard")).headers["Location"].startswith("/login")
    assert "your account is not active now" in (await sign_in(app, server)).text
    server.roles = [ROLE]
    assert (await sign_in(app, server)).status == 303
    assert accounts(app)[0]["activated"] is True
    assert app.sql("SELECT * FROM oidc_deactivations") == []
    done = app.sql("SELECT action, actor, ip FROM audit_log WHERE account = %s ORDER BY id", f"alice@{TENANT}")
    by_server = {"actor": "OpenID server 127.0.0.1", "ip": "127.0.0.1"}
    assert done == [{"action": f"account.{what}", **by_server} for what in ("created", "deactivated", "activated")]


@ensureDeferred
async def test_what_an_administrator_has_deactivated_stays_so(app: Application, server: OpenIdServer) -> None:
    alice = await app.has_account("alice", email=EMAIL)
    await provisions(app, server)
    server.roles = []
    await sign_in(app, server)
    for what in ("activate", "deactivate"):
        await app.admin.post(f"/api/accounts/{alice['id']}/{what}")
    server.roles = [ROLE]
    assert (await sign_in(app, server)).status == 303
    assert accounts(app)[0]["activated"] is False


@ensureDeferred
async def test_where_accounts_are_not_provisioned_a_role_does_nothing(app: Application, server: OpenIdServer) -> None:
    await app.has_account("alice", email=EMAIL)
    server.roles = []
    await provisions(app, server, auto_provisioning=False)
    assert (await sign_in(app, server)).status == 303
    assert accounts(app)[0]["activated"] is True


@ensureDeferred
async def test_who_must_not_sign_in_is_not_touched(app: Application, server: OpenIdServer) -> None:
    alice = await app.has_account("alice", email=EMAIL)
    await app.admin.post(f"/api/accounts/{alice['id']}/block")
    await provisions(app, server)
    server.roles = []
    await sign_in(app, server)
    assert accounts(app)[0]["activated"] is True
    reply = await app.super_admin.put(
        f"/api/spaces/{SUPER}/oidc", {"auto_provisioning": True, "role_provisioning": ROLE, **server.configuration}
    )
    assert reply.status == 200
    app.sql("UPDATE accounts SET email = 'root@mail.example.org' WHERE domain = %s", SUPER)
    server.person = {"sub": "1", "email": "root@mail.example.org"}
    visitor = app.visitor("localhost")
    await visitor.open(await answered(visitor, server))
    assert app.sql("SELECT activated FROM accounts WHERE domain = %s", SUPER) == [{"activated": True}]
