"""OpenID servers in the operator's own network: nobody is led there by those who run a Space."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

from pytest_twisted import ensureDeferred
from support.application import TENANT, Application
from support.openid import OpenIdServer

from flexid.domain.openid_provider import Provider


@ensureDeferred
async def test_a_server_at_a_private_address_is_not_asked(app: Application) -> None:
    server = OpenIdServer()
    server.start()
    reply = await app.super_admin.put(f"/api/spaces/{TENANT}/oidc", server.configuration)
    assert reply.status == 200
    assert (await app.visitor().open("/login/oidc")).status == 503
    boss = await app.boss()
    await boss.open(f"/admin/spaces/{TENANT}/integration/openid")
    said = await boss.submit(f"/admin/spaces/{TENANT}/integration/openid/keys")
    assert "Its address is not one of the public Internet" in (await boss.follow(said)).text
    assert server.asked == []
    await server.stop()


@ensureDeferred
async def test_a_public_server_that_sends_us_inside_is_not_followed(app: Application) -> None:
    server = OpenIdServer()
    server.start()
    await app.super_admin.put(f"/api/spaces/{TENANT}/oidc", server.configuration)
    service = app.services.oidc_sign_in.exchange
    known = service.providers._of(TENANT, server.issuer)
    known.provider = Provider.read(server._document(), server.issuer)
    known.read_at = app.services.clock.seconds()
    visitor = app.visitor()
    reply = await visitor.open("/login/oidc")
    told = server.sign_in(dict(parse_qsl(urlsplit(reply.headers["Location"]).query)))
    assert (await visitor.open(f"/login/oidc/redirect?{urlencode(told)}")).status == 503
    assert server.asked == []
    await server.stop()
