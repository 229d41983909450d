"""CardDAV servers and credentials in the documents that applications fetch."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from pytest_twisted import ensureDeferred
from support.application import TENANT, Application

HEADER = {"x_linphone_provisioning": "1"}
SERVERS = f"/api/spaces/{TENANT}/carddavs"


def _sections(xml: bytes) -> dict[str, dict[str, str]]:
    root = ET.fromstring(xml)  # noqa: S314  # our own answer
    return {section.attrib["name"]: {entry.attrib["name"]: entry.text or "" for entry in section} for section in root}


@ensureDeferred
async def test_a_server_is_in_every_document_as_long_as_the_space_has_it(app: Application) -> None:
    alice = await app.has_account("alice")
    before = (await app.nobody.get("/provisioning", **HEADER)).body
    server = (await app.super_admin.post(SERVERS, {"uri": "https://dav.example.org/", "enabled": True})).json
    for path in ("/provisioning", f"/provisioning/{alice['provisioning_token']}"):
        sections = _sections((await app.nobody.get(path, **HEADER)).body)
        assert sections["remote_contact_directory_0"]["uri"] == "https://dav.example.org/"
    await app.super_admin.delete(f"{SERVERS}/{server['id']}")
    assert (await app.nobody.get("/provisioning", **HEADER)).body == before


@ensureDeferred
async def test_credentials_are_in_the_documents_of_their_account_at_no_further_statement(
    app: Application, asked: list[str]
) -> None:
    await app.change("UPDATE spaces SET carddav_user_credentials = true")
    alice, bob = await app.has_account("alice"), await app.has_account("bob")
    ids = [(await app.super_admin.post(SERVERS, {"uri": f"https://dav{n}.example.org/"})).json["id"] for n in (1, 2)]
    for number, carddav_id in enumerate(ids):
        given = {"username": f"dav{number}", "realm": "dav", "password": "dav_password"}
        await app.admin.put(f"/api/accounts/{alice['id']}/carddavs/{carddav_id}", given)
    user = app.user(alice)
    await user.get("/provisioning/me", **HEADER)
    asked.clear()
    for browser, path in ((user, "/provisioning/me"), (app.nobody, f"/provisioning/{alice['provisioning_token']}")):
        sections = _sections((await browser.get(path, **HEADER)).body)
        names = [sections[f"auth_info_{number}"]["username"] for number in range(3)]
        assert names == ["dav0", "dav1", "alice"]
        assert set(sections["auth_info_0"]) == {"username", "realm", "ha1", "algorithm"}
    assert asked == ["find an account", "redeem a provisioning token"]
    sections = _sections((await app.nobody.get(f"/provisioning/{bob['provisioning_token']}", **HEADER)).body)
    assert [name for name in sections if name.startswith("auth_info")] == ["auth_info_0"]
    assert sections["auth_info_0"]["username"] == "bob"
