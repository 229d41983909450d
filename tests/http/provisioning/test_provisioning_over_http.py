from __future__ import annotations

import io
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import zxingcpp
from PIL import Image
from pytest_twisted import ensureDeferred
from support.application import TENANT, TENANT_HOST, Application, at_once

NAMESPACE = "{http://www.linphone.org/xsds/lpconfig.xsd}"
HEADER = {"x_linphone_provisioning": "1"}


def _sections(xml: bytes) -> dict[str, dict[str, str]]:
    root = ET.fromstring(xml)  # noqa: S314  # our own answer
    assert root.tag == f"{NAMESPACE}config"
    return {section.attrib["name"]: {entry.attrib["name"]: entry.text or "" for entry in section} for section in root}


@ensureDeferred
async def test_the_base_document_has_no_account(app: Application) -> None:
    reply = await app.nobody.get("/provisioning", **HEADER)
    assert (reply.headers["Content-Type"], reply.headers["Cache-Control"]) == ("application/xml", "no-store")
    assert _sections(reply.body) == {"misc": {"contacts-vcard-list": f"http://{TENANT_HOST}/contacts/vcard"}}
    assert (await app.nobody.get("/provisioning/", **HEADER)).body == reply.body


@ensureDeferred
async def test_addresses_in_the_document_are_those_by_which_the_client_came(app: Application) -> None:
    reply = await app.nobody.at(f"{TENANT_HOST}:8443").get("/provisioning", **HEADER)
    assert f"http://{TENANT_HOST}:8443/contacts/vcard" in reply.text


@ensureDeferred
async def test_crawlers_burn_no_token(app: Application) -> None:
    account = await app.has_account("alice")
    path = f"/provisioning/{account['provisioning_token']}"
    for crawled in ("/provisioning", "/provisioning/me", path):
        reply = await app.nobody.get(crawled, accept="application/json")
        assert (reply.status, reply.json) == (400, {"message": "x-linphone-provisioning header is missing"})
    assert (await app.nobody.get(path, **HEADER)).status == 200


@ensureDeferred
async def test_a_token_configures_and_activates_once(app: Application) -> None:
    account = await app.has_account("alice", activated=False, display_name="Alice")
    path = f"/provisioning/{account['provisioning_token']}"
    sections = _sections((await app.nobody.get(path, **HEADER)).body)
    assert sections["proxy_0"] == {"reg_identity": f'"Alice" <sip:alice@{TENANT}>'}
    (stored,) = app.sql("SELECT password FROM passwords")
    assert sections["auth_info_0"] == {
        "username": "alice",
        "domain": TENANT,
        "ha1": stored["password"],
        "realm": TENANT,
        "algorithm": "SHA-256",
    }
    assert sections["ui"]["disable_broadcast_feature"] == "1"
    assert (await app.nobody.get(path, **HEADER)).status == 404
    after = (await app.admin.get(f"/api/accounts/{account['id']}")).json
    assert (after["activated"], after["provisioning_token"]) == (True, None)


@ensureDeferred
async def test_of_a_hundred_redemptions_of_one_token_one_succeeds(app: Application) -> None:
    account = await app.has_account("alice")
    path = f"/provisioning/{account['provisioning_token']}"
    replies = await at_once(*(app.nobody.get(path, **HEADER) for _ in range(100)))
    assert sorted(reply.status for reply in replies) == [200] + [404] * 99


@ensureDeferred
async def test_a_token_is_unknown_on_another_host(app: Application) -> None:
    account = await app.has_account("alice")
    path = f"/provisioning/{account['provisioning_token']}"
    assert (await app.browser.get(path, **HEADER)).status == 404
    assert (await app.nobody.get(path, **HEADER)).status == 200


@ensureDeferred
async def test_a_blocked_account_keeps_its_token(app: Application) -> None:
    account = await app.has_account("alice")
    path = f"/provisioning/{account['provisioning_token']}"
    await app.admin.post(f"/api/accounts/{account['id']}/block")
    assert (await app.nobody.get(path, **HEADER)).status == 403
    await app.admin.post(f"/api/accounts/{account['id']}/unblock")
    assert (await app.nobody.get(path, **HEADER)).status == 200


class TestWithALifetime:
    @pytest.fixture
    def settings(self) -> dict[str, object]:
        return {"lifetimes": {"provisioning_token": 10}}

    @ensureDeferred
    async def test_an_old_token_is_expired(self, app: Application) -> None:
        account = await app.has_account("alice")
        assert account["provisioning_token_expire_at"] > account["created_at"]
        app.sql("UPDATE provisioning_tokens SET created_at = now() - interval '11 minutes'")
        reply = await app.nobody.get(f"/provisioning/{account['provisioning_token']}", **HEADER)
        assert reply.status == 410


@ensureDeferred
async def test_reset_password_sets_one_that_only_the_application_knows(app: Application) -> None:
    account = await app.has_account("alice")
    (before,) = app.sql("SELECT password FROM passwords")
    reply = await app.nobody.get(f"/provisioning/{account['provisioning_token']}?reset_password", **HEADER)
    (after,) = app.sql("SELECT password FROM passwords")
    assert _sections(reply.body)["auth_info_0"]["ha1"] == after["password"] != before["password"]
    user, known = app.user(account), {after["password"]}
    for query in ("reset_password=1", "foo&reset_password", "reset_password&x=1"):
        own = await user.get(f"/provisioning/me?{query}", **HEADER)
        known.add(_sections(own.body)["auth_info_0"]["ha1"])
    assert len(known) == 4


@ensureDeferred
async def test_my_document_comes_as_often_as_i_want(app: Application) -> None:
    user = app.user(await app.has_account("alice"))
    first, second = [await user.get("/provisioning/me", **HEADER) for _ in range(2)]
    assert first.body == second.body
    assert _sections(first.body)["proxy_0"] == {"reg_identity": f"<sip:alice@{TENANT}>"}


@ensureDeferred
async def test_an_auth_token_hands_out_the_document_once(app: Application) -> None:
    user = app.user(await app.has_account("alice"))
    token = (await app.nobody.post("/api/accounts/auth_token")).json["token"]
    path = f"/provisioning/auth_token/{token}"
    assert (await app.nobody.get(path)).status == 404
    await user.get(f"/api/accounts/auth_token/{token}/attach")
    assert _sections((await app.nobody.get(path)).body)["auth_info_0"]["username"] == "alice"
    assert (await app.nobody.get(path)).status == 404


@pytest.mark.parametrize("query", ["", "?reset_password"])
@ensureDeferred
async def test_a_qr_code_shows_the_address_and_uses_nothing_up(app: Application, query: str) -> None:
    account = await app.has_account("alice")
    token = account["provisioning_token"]
    reply = await app.nobody.get(f"/provisioning/qrcode/{token}{query}")
    url = f"http://{TENANT_HOST}/provisioning/{token}" + ("?reset_password=1" if query else "")
    assert (reply.headers["Content-Type"], reply.headers["X-Qrcode-URL"]) == ("image/png", url)
    image = Image.open(io.BytesIO(reply.body))
    assert image.width >= 300
    assert [code.text for code in zxingcpp.read_barcodes(image)] == [url]
    svg = await app.nobody.get(f"/provisioning/qrcode/{token}", accept="image/svg+xml")
    assert svg.headers["Content-Type"] == "image/svg+xml"
    assert (await app.nobody.get("/provisioning/qrcode/unknown")).status == 404
    assert (await app.nobody.get(f"/provisioning/{token}", **HEADER)).status == 200


@pytest.mark.parametrize("name", ['Q"uo\\te', "a & b < c > d", "line\nbreak\r\n[section]", "\U0001f600 ü", "\x01\x1b["])
@ensureDeferred
async def test_a_strange_display_name_still_gives_a_document(app: Application, name: str) -> None:
    user = app.user(await app.has_account("alice", display_name=name))
    reply = await user.get("/provisioning/me", **HEADER)
    identity = _sections(reply.body)["proxy_0"]["reg_identity"]
    assert identity.endswith(f" <sip:alice@{TENANT}>")
    assert "\n" not in identity


@ensureDeferred
async def test_a_change_of_the_space_shows_at_once(app: Application) -> None:
    space: dict[str, Any] = (await app.super_admin.get(f"/api/spaces/{TENANT}")).json
    assert (await app.nobody.get("/provisioning", **HEADER)).status == 200
    entries = '[misc]\nx=on\n[proxy_0]\nreg_expires=600\n[app]\nquoted="a b"'
    await app.super_admin.put(
        f"/api/spaces/{TENANT}",
        {**space, "custom_provisioning_entries": entries, "custom_provisioning_overwrite_all": True},
    )
    user = app.user(await app.has_account("alice"))
    body = (await user.get("/provisioning/me", **HEADER)).body
    assert body.count(b"<entry ") == body.count(b'overwrite="true"')
    assert _sections(body)["proxy_0"] == {"reg_expires": "600", "reg_identity": f"<sip:alice@{TENANT}>"}
    assert _sections(body)["app"] == {"quoted": "a b"}
    assert b'<entry name="x" overwrite="true">1</entry>' in body


@ensureDeferred
async def test_the_documentation_is_a_page_in_two_languages(app: Application) -> None:
    page = await app.nobody.get("/provisioning/documentation", accept="text/html")
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "unsafe-inline" not in page.headers["Content-Security-Policy"]
    french = await app.nobody.get("/provisioning/documentation", accept="text/html", accept_language="fr-CH, en;q=0.5")
    assert '<html lang="fr">' in french.text
    assert "Une application Linphone" in french.text


@ensureDeferred
async def test_a_look_at_the_head_uses_nothing_up(app: Application) -> None:
    account = await app.has_account("alice")
    path = f"/provisioning/{account['provisioning_token']}"
    assert (await app.nobody.ask("HEAD", path, **HEADER)).status == 200
    assert (await app.nobody.get(path, **HEADER)).status == 200
    assert (await app.nobody.ask("HEAD", path, **HEADER)).status == 404
    token = (await app.nobody.post("/api/accounts/auth_token")).json["token"]
    path = f"/provisioning/auth_token/{token}"
    assert (await app.nobody.ask("HEAD", path)).status == 404
    await app.user(account).get(f"/api/accounts/auth_token/{token}/attach")
    assert (await app.nobody.ask("HEAD", path)).status == 200
    assert (await app.nobody.get(path)).status == 200
