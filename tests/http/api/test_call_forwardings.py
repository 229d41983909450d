from __future__ import annotations

from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from support.application import TENANT, Application, at_once
from support.neighbours import has_neighbour
from support.web import Browser

OWN = "/api/accounts/me/call_forwardings"
VOICEMAIL = {"forward_to": "voicemail", "enabled": True}
ALWAYS = {"type": "always", "forward_to": "sip_uri", "sip_uri": "sip:x@sip.example.com", "enabled": True}


async def _alice(app: Application) -> tuple[dict[str, Any], Browser]:
    alice = await app.has_account("alice")
    return alice, app.user(alice)


@ensureDeferred
async def test_call_forwardings_are_added_and_listed_the_newest_first(app: Application, asked: list[str]) -> None:
    alice, own = await _alice(app)
    bob = await app.has_account("bob")
    await app.admin.post(f"/api/accounts/{alice['id']}/contacts/{bob['id']}")
    assert (await own.get(OWN)).json == []
    asked.clear()
    reply = await own.post(OWN, ALWAYS)
    always = reply.json
    assert (reply.status, asked) == (201, ["add a call forwarding"])
    assert always == {
        **ALWAYS,
        "id": always["id"],
        "contact_id": None,
        "contact_sip_uri": None,
        "created_at": always["created_at"],
        "updated_at": always["created_at"],
    }
    busy = (await own.post(OWN, {"type": "busy", "forward_to": "voicemail", "sip_uri": "sip:unused@example.org"})).json
    assert (busy["enabled"], busy["sip_uri"], busy["contact_id"]) == (False, None, None)
    to_bob = {"type": "no_answer", "forward_to": "contact", "contact_id": bob["id"], "enabled": False}
    by_admin = f"/api/accounts/{alice['id']}/call_forwardings"
    no_answer = (await app.admin.post(by_admin, to_bob)).json
    assert (no_answer["contact_id"], no_answer["contact_sip_uri"]) == (bob["id"], f"sip:bob@{TENANT}")
    asked.clear()
    assert (await own.get(OWN)).json == [no_answer, busy, always]
    assert asked == ["list call forwardings"]
    assert (await app.admin.get(by_admin)).json == [no_answer, busy, always]
    assert (await own.get(f"{OWN}/{busy['id']}")).json == busy
    resolved = (await app.admin.get(f"/api/accounts/alice@{TENANT}/search")).json["call_forwardings"]
    assert resolved == [{**no_answer, "type": "away"}, busy, always]


@ensureDeferred
async def test_a_call_forwarding_is_replaced_and_deleted(app: Application, asked: list[str]) -> None:
    _, own = await _alice(app)
    first = (await own.post(OWN, ALWAYS)).json
    asked.clear()
    changed = await own.put(f"{OWN}/{first['id']}", {"type": "busy", "forward_to": "voicemail", "enabled": "1"})
    assert (changed.status, asked) == (200, ["change a call forwarding"])
    shown = changed.json
    assert (shown["id"], shown["type"], shown["enabled"], shown["sip_uri"]) == (first["id"], "busy", True, None)
    again = await own.put(f"{OWN}/{first['id']}", {"type": "busy", "forward_to": "voicemail", "enabled": "1"})
    assert again.status == 200
    assert (await own.delete(f"{OWN}/{first['id']}")).json == 1
    gone = await own.delete(f"{OWN}/{first['id']}")
    assert (gone.status, gone.json) == (200, 0)
    for body in (ALWAYS, {}):
        assert (await own.put(f"{OWN}/{first['id']}", body)).status == 404
    assert (await own.get(f"{OWN}/{first['id']}")).status == 404


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"type", "forward_to"}),
        ({"type": "away", "forward_to": "mars", "enabled": "perhaps"}, {"type", "forward_to", "enabled"}),
        ({"type": "busy", "forward_to": "sip_uri"}, {"sip_uri"}),
        ({"type": "busy", "forward_to": "contact", "sip_uri": "sip:a@example.org"}, {"contact_id"}),
        ({"type": "busy", "forward_to": "contact", "contact_id": "bob"}, {"contact_id"}),
        ({"type": "busy", "forward_to": "contact", "contact_id": 999999}, {"contact_id"}),
        ({"type": "always", "forward_to": "sip_uri", "sip_uri": "nowhere"}, {"type", "sip_uri"}),
        ({"type": "busy", "forward_to": "sip_uri", "sip_uri": "tel:+33612345678"}, {"sip_uri"}),
        ({"type": "busy", "forward_to": "sip_uri", "sip_uri": "sip:a@b.example>\r\nX: y"}, {"sip_uri"}),
        ({"type": "always", "forward_to": "voicemail"}, {"type"}),
        ({"type": "busy", "forward_to": "voicemail", "enabled": True}, {"enabled"}),
        ({"type": "no_answer", "forward_to": "contact", "contact_id": 999999, "enabled": 1}, {"contact_id", "enabled"}),
    ],
)
@ensureDeferred
async def test_all_that_is_wrong_is_named_and_nothing_changes(
    app: Application, body: dict[str, Any], wrong: set[str]
) -> None:
    alice, own = await _alice(app)
    known = [(await own.post(OWN, ALWAYS)).json]
    for browser, path in ((own, OWN), (app.admin, f"/api/accounts/{alice['id']}/call_forwardings")):
        reply = await browser.post(path, body)
        assert (reply.status, set(reply.json["errors"])) == (422, wrong)
    assert (await own.get(OWN)).json == known


@pytest.mark.parametrize(
    "uri", ["sip:a@b.example:5070;transport=tls", "sips:a@b.example", "SIP:+33612@gw.example;user=phone"]
)
@ensureDeferred
async def test_a_sip_uri_is_kept_as_it_was_written(app: Application, uri: str) -> None:
    _, own = await _alice(app)
    assert (await own.post(OWN, {**ALWAYS, "sip_uri": uri})).json["sip_uri"] == uri


@ensureDeferred
async def test_busy_and_no_answer_go_together_but_not_with_always(app: Application) -> None:
    _, own = await _alice(app)
    busy = (await own.post(OWN, {"type": "busy", **VOICEMAIL})).json
    assert (await own.post(OWN, {"type": "no_answer", **VOICEMAIL})).status == 201
    refused = await own.post(OWN, ALWAYS)
    assert (refused.status, set(refused.json["errors"])) == (422, {"enabled"})
    always = (await own.post(OWN, {**ALWAYS, "enabled": False})).json
    refused = await own.put(f"{OWN}/{always['id']}", ALWAYS)
    assert (refused.status, set(refused.json["errors"])) == (422, {"enabled"})
    refused = await own.put(f"{OWN}/{busy['id']}", {"type": "always", **VOICEMAIL})
    assert (refused.status, set(refused.json["errors"])) == (422, {"type", "enabled"})
    app.sql("UPDATE call_forwardings SET enabled = false")
    assert (await own.put(f"{OWN}/{always['id']}", ALWAYS)).status == 200
    refused = await own.put(f"{OWN}/{busy['id']}", {"type": "busy", **VOICEMAIL})
    assert (refused.status, set(refused.json["errors"])) == (422, {"enabled"})


@ensureDeferred
async def test_of_requests_at_once_none_breaks_the_rules(app: Application) -> None:
    _, own = await _alice(app)
    others = [{"type": kind, **VOICEMAIL} for kind in ("busy", "no_answer")]
    for _ in range(5):
        replies = await at_once(*(own.post(OWN, body) for body in (ALWAYS, *others, *others, ALWAYS)))
        assert {reply.status for reply in replies} == {201, 422}
        enabled = {each["type"] for each in (await own.get(OWN)).json if each["enabled"]}
        assert enabled in ({"always"}, {"busy", "no_answer"})
        assert [reply.status for reply in replies].count(201) == len(enabled)
        app.sql("DELETE FROM call_forwardings")


@ensureDeferred
async def test_of_two_that_are_enabled_at_once_one_is(app: Application) -> None:
    _, own = await _alice(app)
    always = (await own.post(OWN, {**ALWAYS, "enabled": False})).json["id"]
    busy = (await own.post(OWN, {"type": "busy", "forward_to": "voicemail"})).json["id"]
    for _ in range(5):
        replies = await at_once(
            own.put(f"{OWN}/{always}", ALWAYS), own.put(f"{OWN}/{busy}", {"type": "busy", **VOICEMAIL})
        )
        assert sorted(reply.status for reply in replies) == [200, 422]
        app.sql("UPDATE call_forwardings SET enabled = false")


@ensureDeferred
async def test_only_a_contact_direct_or_from_a_list_can_be_forwarded_to(app: Application) -> None:
    alice, own = await _alice(app)
    bob = await app.has_account("bob")
    body = {"type": "always", "forward_to": "contact", "contact_id": bob["id"], "enabled": True}
    refused = await own.post(OWN, body)
    assert (refused.status, set(refused.json["errors"])) == (422, {"contact_id"})
    list_id = (await app.admin.post("/api/contacts_lists", {"title": "t", "description": "d"})).json["id"]
    await app.admin.post(f"/api/contacts_lists/{list_id}/contacts/{bob['id']}")
    await app.admin.post(f"/api/accounts/{alice['id']}/contacts_lists/{list_id}")
    assert (await own.post(OWN, body)).json["contact_sip_uri"] == f"sip:bob@{TENANT}"
    await app.admin.delete(f"/api/accounts/{bob['id']}")
    assert (await own.get(OWN)).json == []


@ensureDeferred
async def test_call_forwardings_of_others_look_absent_and_stay(app: Application) -> None:
    neighbour = await has_neighbour(app)
    alice, own = await _alice(app)
    bob = app.user(await app.has_account("bob"))
    first = (await own.post(OWN, ALWAYS)).json
    assert (await bob.get(OWN)).json == []
    assert (await bob.get(f"{OWN}/{first['id']}")).status == 404
    assert (await bob.put(f"{OWN}/{first['id']}", {**ALWAYS, "enabled": False})).status == 404
    assert (await bob.delete(f"{OWN}/{first['id']}")).json == 0
    path = f"/api/accounts/{alice['id']}/call_forwardings"
    for method, address in (
        ("GET", path),
        ("POST", path),
        *((m, f"{path}/{first['id']}") for m in ("GET", "PUT", "DELETE")),
    ):
        assert (await neighbour.admin.ask(method, address, ALWAYS)).status == 404
    theirs = f"/api/accounts/{neighbour.user['id']}/call_forwardings/{first['id']}"
    assert (await neighbour.admin.delete(theirs)).json == 0
    assert (await app.admin.get("/api/accounts/-1/call_forwardings")).status == 404
    assert (await own.get(OWN)).json == [first]
