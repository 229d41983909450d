"""The OpenID server of a Space, as super administrators set it up on its page."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_twisted
from pytest_twisted import ensureDeferred
from support.application import TENANT, Application
from support.openid import CLIENT, SECRET, OpenIdServer
from support.portal import Visitor
from support.tokens import REALM

TAB = f"/admin/spaces/{TENANT}/integration"
PAGE = f"{TAB}/openid"
XSS = '"><script>alert(1)</script>'


@pytest.fixture
def settings() -> dict[str, object]:
    return {"outbound": {"allow_private": True}}


@pytest_twisted.async_yield_fixture
async def server() -> AsyncIterator[OpenIdServer]:
    running = OpenIdServer()
    running.start()
    yield running
    await running.stop()


def stored(app: Application) -> dict[str, object]:
    (row,) = app.sql("SELECT * FROM space_oidc_authentication_configurations")
    return row


def form(server: OpenIdServer, **changes: str) -> dict[str, str]:
    return {"server_url": server.url, "realm": REALM, "client_id": CLIENT, "sip_identifier": "sip_identity", **changes}


async def refreshed(boss: Visitor) -> str:
    await boss.open(PAGE)
    return (await boss.follow(await boss.submit(f"{PAGE}/keys"))).text


@ensureDeferred
async def test_a_server_is_set_up_changed_and_taken_away(app: Application, server: OpenIdServer) -> None:
    boss = await app.boss()
    assert "Nobody signs in to the portal by it" in (await boss.open(TAB)).text
    shown = (await boss.open(PAGE)).text
    assert "http://tenant.localhost/login/oidc/redirect" in shown
    reply = await boss.submit(
        PAGE, form(server, client_secret=SECRET, role_provisioning="phone", auto_provisioning="1")
    )
    shown = (await boss.follow(reply)).text
    assert "Saved." in shown
    assert SECRET not in shown
    assert stored(app)["client_secret"] == SECRET
    assert stored(app)["auto_provisioning"] is True
    await boss.submit(PAGE, form(server))
    assert (stored(app)["client_secret"], stored(app)["role_provisioning"]) == (SECRET, None)
    await boss.submit(PAGE, form(server, realm="other"))
    assert stored(app)["client_secret"] is None
    await boss.submit(PAGE, form(server, client_secret=SECRET))
    await boss.submit(PAGE, form(server, without_secret="1"))
    assert stored(app)["client_secret"] is None
    await boss.open(PAGE)
    reply = await boss.submit(PAGE, {"_method": "DELETE"})
    assert "Nobody signs in by an OpenID server any more." in (await boss.follow(reply)).text
    assert app.sql("SELECT * FROM space_oidc_authentication_configurations") == []


@ensureDeferred
async def test_wrong_fields_are_named_and_what_was_typed_stays_but_for_the_secret(
    app: Application, server: OpenIdServer
) -> None:
    boss = await app.boss()
    await boss.open(PAGE)
    wrong = form(server, server_url=XSS, realm=f"a/{XSS}", client_id=XSS, public_key=XSS, client_secret="secret" + XSS)
    reply = await boss.submit(PAGE, wrong)
    assert reply.status == 422
    assert "<script>alert" not in reply.text
    assert "&lt;script&gt;" in reply.text
    assert "secret&#34;" not in reply.text
    reply = await boss.submit(PAGE, form(server, auto_provisioning="1"))
    assert "Without a role nobody could get an account" in reply.text
    assert app.sql("SELECT * FROM space_oidc_authentication_configurations") == []


@ensureDeferred
async def test_refreshing_the_keys_says_what_the_server_answers(app: Application, server: OpenIdServer) -> None:
    boss = await app.boss()
    await boss.open(PAGE)
    await boss.submit(PAGE, form(server))
    assert "The server answers. Keys that count: 1" in await refreshed(boss)
    server.metadata = {"issuer": "https://evil.example/<b>"}
    assert f"will not do: It does not call itself {server.issuer}" in await refreshed(boss)
    server.metadata = {"token_endpoint": "x"}
    assert "will not do: It tells no address for token_endpoint" in await refreshed(boss)
    server.metadata = {}
    server.broken = {"/keys": (500, b"")}
    assert "its keys cannot be read" in await refreshed(boss)
    server.broken = {"/.well-known/openid-configuration": (404, b"")}
    assert "will not do: It answered with the status 404" in await refreshed(boss)


@ensureDeferred
async def test_after_a_refresh_no_process_counts_on_what_it_knew(app: Application, server: OpenIdServer) -> None:
    boss = await app.boss()
    await boss.open(PAGE)
    await boss.submit(PAGE, form(server))
    upkeep = app.services.oidc_upkeep
    await upkeep.providers.find(TENANT, server.issuer)
    await upkeep.keys.find(TENANT, f"{server.issuer}/keys", "first")
    await app.change("SELECT pg_notify('flexid_openid_servers', %s)", TENANT)
    server.published = []
    assert await upkeep.keys.find(TENANT, f"{server.issuer}/keys", "first") is None
    assert server.paths().count("/.well-known/openid-configuration") == 1
    await upkeep.providers.find(TENANT, server.issuer)
    assert server.paths().count("/.well-known/openid-configuration") == 2


@ensureDeferred
async def test_administrators_of_a_space_point_nobody_anywhere(app: Application, server: OpenIdServer) -> None:
    chief = await app.chief()
    assert (await chief.open(PAGE)).status == 403
    await chief.open("/dashboard")
    assert (await chief.submit(PAGE, form(server))).status == 403
    assert (await chief.submit(f"{PAGE}/keys")).status == 403
    assert server.asked == []
