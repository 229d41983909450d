from __future__ import annotations

from pytest_twisted import ensureDeferred
from support.application import TENANT, Application
from support.web import Browser

UIDS = ("urn:uuid:1", "urn:uuid:2")


def _card(uid: str) -> str:
    return f"BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Jean {uid}\r\nUID:{uid}\r\nEND:VCARD\r\n"


async def _alice_with_contacts(app: Application) -> Browser:
    alice = await app.has_account("alice")
    bob = await app.has_account("bob", display_name="Bob; the 🚪", dtmf_protocol="sipinfo")
    await app.admin.post(f"/api/accounts/{bob['id']}/actions", {"key": "open", "code": "12"})
    for contact in (bob, await app.has_account("carol")):
        await app.admin.post(f"/api/accounts/{alice['id']}/contacts/{contact['id']}")
    return app.user(alice)


@ensureDeferred
async def test_contacts_come_as_vcards_in_one_statement(app: Application, asked: list[str]) -> None:
    own = await _alice_with_contacts(app)
    await own.get("/contacts/vcard")
    asked.clear()
    reply = await own.get("/contacts/vcard")
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/vcard; charset=utf-8")
    assert asked == ["contacts of an account"]
    bob = (
        f"BEGIN:VCARD\r\nVERSION:4.0\r\nKIND:individual\r\nIMPP:sip:bob@{TENANT}\r\nFN:Bob\\; the 🚪\r\n"
        "X-LINPHONE-ACCOUNT-DTMF-PROTOCOL:sipinfo\r\nX-LINPHONE-ACCOUNT-ACTION:open;12\r\nEND:VCARD\r\n"
    )
    carol = (
        f"BEGIN:VCARD\r\nVERSION:4.0\r\nKIND:individual\r\nIMPP:sip:carol@{TENANT}\r\n"
        f"FN:carol@{TENANT}\r\nEND:VCARD\r\n"
    )
    assert reply.text == bob + carol
    for name in (f"bob@{TENANT}", f"sip:bob@{TENANT}"):
        assert (await own.get(f"/contacts/vcard/{name}")).text == bob
    for name in (f"alice@{TENANT}", "nonsense"):
        assert (await own.get(f"/contacts/vcard/{name}")).status == 404
    assert (await app.nobody.get("/contacts/vcard")).status == 401


@ensureDeferred
async def test_somebody_without_contacts_or_vcards_gets_an_empty_list(app: Application) -> None:
    own = app.user(await app.has_account("alice"))
    for path in ("/contacts/vcard", "/vcards-storage"):
        reply = await own.get(path)
        assert (reply.status, reply.body, reply.headers["Content-Type"]) == (200, b"", "text/vcard; charset=utf-8")


@ensureDeferred
async def test_stored_vcards_come_as_text(app: Application) -> None:
    own, other = [app.user(await app.has_account(name)) for name in ("alice", "bob")]
    for uid in UIDS:
        await own.post("/api/accounts/me/vcards-storage", {"vcard": _card(uid).replace("\r\n", "\n")})
    reply = await own.get("/vcards-storage")
    assert (reply.text, reply.headers["Content-Type"]) == (
        _card(UIDS[0]) + "\r\n" + _card(UIDS[1]),
        "text/vcard; charset=utf-8",
    )
    assert (await own.get(f"/vcards-storage/{UIDS[1]}")).text == _card(UIDS[1])
    assert (await own.get("/vcards-storage/urn:uuid:3")).status == 404
    assert (await other.get("/vcards-storage")).body == b""
    assert (await other.get(f"/vcards-storage/{UIDS[1]}")).status == 404
    assert (await app.nobody.get("/vcards-storage")).status == 401


@ensureDeferred
async def test_what_a_client_has_already_is_not_sent_again(app: Application) -> None:
    own = await _alice_with_contacts(app)
    await own.post("/api/accounts/me/vcards-storage", {"vcard": _card(UIDS[0])})
    for path in ("/contacts/vcard", f"/contacts/vcard/bob@{TENANT}", "/vcards-storage", f"/vcards-storage/{UIDS[0]}"):
        tag = (await own.get(path)).headers["ETag"]
        for known in (tag, f'"other", W/{tag}', "*"):
            unchanged = await own.get(path, if_none_match=known)
            assert (unchanged.status, unchanged.body, unchanged.headers["ETag"]) == (304, b"", tag)
            assert "Content-Length" not in unchanged.headers
        for known in ('"other"', tag.strip('"'), ""):
            assert (await own.get(path, if_none_match=known)).status == 200
    tag = (await own.get("/contacts/vcard")).headers["ETag"]
    await app.admin.delete(f"/api/accounts/{app.sql('SELECT id FROM accounts WHERE username = %s', 'carol')[0]['id']}")
    changed = await own.get("/contacts/vcard", if_none_match=tag)
    assert changed.status == 200
    assert changed.headers["ETag"] != tag
