from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from support.application import TENANT, Application
from support.neighbours import has_neighbour
from support.sounds import upload, wav

EVIL = 'sip:"><script>alert(1)</script>@x.org'


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, object]:
    return {"data_dir": tmp_path}


async def _alice(app: Application) -> dict[str, Any]:
    return await app.has_account("alice", email="alice@example.org")


async def _left(app: Application, account: dict[str, Any], caller: str | None = "sip:bob@sip.example.com") -> Any:
    """Return a voicemail that was left for an account."""
    fields = {"content_type": "audio/wav", "sip_from": caller}
    slot = (await app.admin.post(f"/api/accounts/{account['id']}/voicemails", fields)).json
    return (await upload(app.admin, slot, wav())).json


@ensureDeferred
async def test_voicemails_are_heard_on_the_dashboard_and_the_page_of_telephony(
    app: Application, asked: list[str]
) -> None:
    alice = await _alice(app)
    own = await app.signed_in("alice")
    assert "When somebody leaves a message" in (await own.open("/dashboard")).text
    await app.admin.post(f"/api/accounts/{alice['id']}/voicemails", {"content_type": "audio/wav"})
    voicemails = [await _left(app, alice) for _ in range(4)]
    players = [f'src="/f/{voicemail["id"]}/hello.wav"' for voicemail in voicemails]
    page = (await own.open("/telephony")).text
    assert [player in page for player in players] == [True] * 4
    assert page.count('<audio controls preload="none"') == 4
    assert "bob@sip.example.com" in page
    asked.clear()
    dashboard = await own.open("/dashboard")
    assert [player in dashboard.text for player in players] == [False, True, True, True]
    assert "media-src 'self'" in dashboard.headers["Content-Security-Policy"]
    assert asked.count("glance at voicemails and call forwardings") == 1
    assert (await own.open(f"/f/{voicemails[0]['id']}/hello.wav")).body == wav()


@ensureDeferred
async def test_a_voicemail_is_deleted_on_a_second_page(app: Application) -> None:
    alice = await _alice(app)
    voicemail = await _left(app, alice)
    own = await app.signed_in("alice")
    path = f"/telephony/voicemails/{voicemail['id']}"
    page = (await own.open(f"{path}/delete")).text
    assert "Delete this voicemail?" in page
    assert "bob@sip.example.com, " in page
    deleted = await own.submit(path, {"_method": "DELETE"})
    assert "The voicemail is deleted." in (await own.follow(deleted)).text
    assert (await own.open(f"{path}/delete")).status == 404
    again = await own.submit(path, {"_method": "DELETE"})
    assert "This voicemail was gone already." in (await own.follow(again)).text


@ensureDeferred
async def test_a_call_forwarding_is_set_changed_and_removed(app: Application) -> None:
    alice, bob = await _alice(app), await app.has_account("bob", display_name="Bob")
    await app.admin.post(f"/api/accounts/{alice['id']}/contacts/{bob['id']}")
    own = await app.signed_in("alice")
    path = "/telephony/forwardings/busy"
    assert f"Bob · bob@{TENANT}" in (await own.open(path)).text
    typed = {"type": "busy", "forward_to": "contact", "contact_id": str(bob["id"]), "enabled": "1"}
    saved = await own.follow(await own.submit(path, typed))
    assert "Call forwarding saved." in saved.text
    assert f"to sip:bob@{TENANT}" in saved.text
    await own.open(path)
    await own.submit(path, {"type": "busy", "forward_to": "voicemail"})
    (known,) = (await app.admin.get(f"/api/accounts/{alice['id']}/call_forwardings")).json
    assert (known["type"], known["forward_to"], known["enabled"]) == ("busy", "voicemail", False)
    assert "to voicemail" in (await own.open("/dashboard")).text
    await own.open(path)
    removed = await own.follow(await own.submit(path, {"_method": "DELETE"}))
    assert "Call forwarding removed." in removed.text
    assert (await app.admin.get(f"/api/accounts/{alice['id']}/call_forwardings")).json == []


@ensureDeferred
async def test_what_is_wrong_is_named_and_what_was_typed_stays(app: Application) -> None:
    alice = await _alice(app)
    own = await app.signed_in("alice")
    await app.admin.post(
        f"/api/accounts/{alice['id']}/call_forwardings", {"type": "always", "forward_to": "voicemail", "enabled": True}
    )
    path = "/telephony/forwardings/busy"
    await own.open(path)
    refused = await own.submit(path, {"type": "busy", "forward_to": "sip_uri", "sip_uri": EVIL, "enabled": "1"})
    assert (refused.status, "<script>alert" in refused.text) == (422, False)
    assert "&lt;script&gt;" in refused.text
    refused = await own.submit(path, {"type": "busy", "forward_to": "voicemail", "enabled": "1"})
    assert (refused.status, "no other call forwarding can be enabled" in refused.text) == (422, True)
    for kind, typed in (("busy", "always"), ("never", "never")):
        wrong = f"/telephony/forwardings/{kind}"
        assert (await own.submit(wrong, {"type": typed, "forward_to": "voicemail"})).status in {404, 422}


@ensureDeferred
async def test_administrators_see_to_the_telephony_of_accounts_within_reach(app: Application) -> None:
    alice = await _alice(app)
    voicemail = await _left(app, alice, None)
    chief = await app.chief()
    path = f"/admin/accounts/{alice['id']}/telephony"
    assert f'href="{path}"' in (await chief.open(f"/admin/accounts/{alice['id']}")).text
    page = (await chief.open(path)).text
    assert "Unknown caller" in page
    assert f'src="/f/{voicemail["id"]}/hello.wav"' in page
    await chief.open(f"{path}/forwardings/always")
    typed = {"type": "always", "forward_to": "sip_uri", "sip_uri": "sip:x@sip.example.com", "enabled": "1"}
    saved = await chief.submit(f"{path}/forwardings/always", typed)
    assert saved.headers["Location"] == path
    assert "to sip:x@sip.example.com" in (await chief.follow(saved)).text
    await chief.open(f"{path}/voicemails/{voicemail['id']}/delete")
    assert (await chief.submit(f"{path}/voicemails/{voicemail['id']}", {"_method": "DELETE"})).status == 303
    assert app.sql("SELECT id FROM account_files WHERE account_id IS NOT NULL") == []
    eve = (await has_neighbour(app)).user
    for below in ("", "/forwardings/always", f"/voicemails/{voicemail['id']}/delete"):
        assert (await chief.open(f"/admin/accounts/{eve['id']}/telephony{below}")).status == 404


@ensureDeferred
async def test_nobody_reaches_the_voicemail_of_another_by_its_own_page(app: Application) -> None:
    voicemail = await _left(app, await _alice(app))
    await app.has_account("bob")
    bob = await app.signed_in("bob")
    path = f"/telephony/voicemails/{voicemail['id']}"
    assert (await bob.open(f"{path}/delete")).status == 404
    await bob.open("/telephony")
    await bob.submit(path, {"_method": "DELETE"})
    assert len(app.sql("SELECT id FROM account_files WHERE account_id IS NOT NULL")) == 1
