from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from pytest_twisted import ensureDeferred
from support.application import TENANT, Application, at_once

STARTED = "2026-01-02T03:04:05Z"
DEVICE = '"<urn:uuid:0d1e2f3a-0000-4000-8000-000000000001>"'


def _call(call_id: str, caller: str = "alice", callee: str = "bob", at: str = STARTED) -> dict[str, Any]:
    return {"id": call_id, "from": f"{caller}@{TENANT}", "to": f"{callee}@{TENANT}", "initiated_at": at}


@ensureDeferred
async def test_a_call_is_noted_once(app: Application) -> None:
    reply = await app.admin.post("/api/statistics/calls", _call("c1"))
    assert (reply.status, reply.json) == (200, 1)
    assert (await app.admin.post("/api/statistics/calls", _call("c1"))).status == 400
    both = await at_once(*(app.admin.post("/api/statistics/calls", _call("c2")) for _ in range(10)))
    assert sorted(reply.status for reply in both) == [200] + [400] * 9


@ensureDeferred
async def test_flexisips_own_body_is_taken_with_its_nulls(app: Application) -> None:
    body = {**_call("c1"), "sip_call_id": "x", "devices": {DEVICE: None}, "ended_at": None, "conference_id": None}
    assert (await app.admin.post("/api/statistics/calls", body)).status == 200
    message = {
        "id": "m1",
        "from": f"alice@{TENANT}",
        "to": {f"bob@{TENANT}": {}},
        "sent_at": STARTED,
        "encrypted": False,
    }
    assert (await app.admin.post("/api/statistics/messages", {**message, "conference_id": None})).json == 1


@ensureDeferred
async def test_a_call_ends_and_is_shown_whole(app: Application) -> None:
    await app.admin.post("/api/statistics/calls", _call("c1"))
    reply = await app.admin.ask("PATCH", "/api/statistics/calls/c1", {"ended_at": "2026-01-02T05:09:05+02:00"})
    assert reply.status == 200
    shown = reply.json
    assert (shown["initiated_at"], shown["ended_at"]) == ("2026-01-02T03:04:05.000000Z", "2026-01-02T03:09:05.000000Z")
    assert (shown["from_username"], shown["from_domain"], shown["devices"]) == ("alice", TENANT, [])
    unknown = await app.admin.ask("PATCH", "/api/statistics/calls/nothing", {"ended_at": STARTED})
    assert unknown.status == 404


@pytest.mark.parametrize("path", [DEVICE, quote(DEVICE, safe="")])
@ensureDeferred
async def test_what_a_device_says_later_erases_nothing(app: Application, path: str) -> None:
    await app.admin.post("/api/statistics/calls", _call("c1"))
    address = f"/api/statistics/calls/c1/devices/{path}"
    first = await app.admin.ask("PATCH", address, {"rang_at": "2026-01-02T03:04:07Z"})
    assert (first.status, first.json["device_id"]) == (201, DEVICE)
    ended = {"at": "2026-01-02T03:04:09Z", "state": "declined"}
    second = await app.admin.ask("PATCH", address, {"rang_at": None, "invite_terminated": ended})
    assert second.status == 200
    assert second.json["rang_at"] == "2026-01-02T03:04:07.000000Z"
    assert second.json["invite_terminated_state"] == "declined"
    unknown = await app.admin.ask("PATCH", f"/api/statistics/calls/c9/devices/{path}", {"rang_at": STARTED})
    assert unknown.status == 400


@ensureDeferred
async def test_what_becomes_of_a_message_is_noted_for_each_device(app: Application) -> None:
    message = {"id": "m1", "from": "alice@sip.example.com", "sent_at": STARTED, "encrypted": True}
    assert (await app.admin.post("/api/statistics/messages", message)).json == 1
    assert (await app.admin.post("/api/statistics/messages", message)).status == 400
    address = "/api/statistics/messages/m1/to/bob@sip.example.com/devices/dev1"
    first = await app.admin.ask("PATCH", address, {"last_status": 200, "received_at": "2026-01-02T03:04:06Z"})
    assert (first.status, first.json["to_username"], first.json["last_status"]) == (201, "bob", 200)
    second = await app.admin.ask("PATCH", address, {"last_status": "408"})
    assert (second.status, second.json["last_status"]) == (200, 408)
    assert second.json["received_at"] == "2026-01-02T03:04:06.000000Z"
    assert (await app.admin.ask("PATCH", address.replace("m1", "m9"), {"last_status": 200})).status == 400


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"id", "from", "to", "initiated_at"}),
        ({**_call("x" * 65), "from": "alice"}, {"id", "from"}),
        (
            {**_call("c1"), "initiated_at": "yesterday", "ended_at": "2026-13-01T00:00:00Z"},
            {"initiated_at", "ended_at"},
        ),
        ({**_call("c1"), "to": "a" * 300 + f"@{TENANT}"}, {"to"}),
        ({**_call("c1"), "from": 5, "to": None}, {"from", "to"}),
    ],
)
@ensureDeferred
async def test_all_that_is_wrong_with_a_call_is_named(app: Application, body: dict[str, Any], wrong: set[str]) -> None:
    reply = await app.admin.post("/api/statistics/calls", body)
    assert (reply.status, set(reply.json["errors"])) == (422, wrong)


@ensureDeferred
async def test_nested_fields_are_named_with_dots(app: Application) -> None:
    await app.admin.post("/api/statistics/calls", _call("c1"))
    body = {"invite_terminated": {"at": STARTED, "state": "asleep"}}
    reply = await app.admin.ask("PATCH", "/api/statistics/calls/c1/devices/d", body)
    assert (reply.status, set(reply.json["errors"])) == (422, {"invite_terminated.state"})
    reply = await app.admin.ask(
        "PATCH", "/api/statistics/calls/c1/devices/d", {"invite_terminated": {"state": "error"}}
    )
    assert set(reply.json["errors"]) == {"invite_terminated.at"}


@ensureDeferred
async def test_the_calls_of_an_account_come_in_pages_the_latest_first(app: Application) -> None:
    alice = await app.has_account("alice")
    for number in range(32):
        caller, callee = ("alice", "bob") if number % 2 else ("bob", "alice")
        at = f"2026-01-02T03:{number:02}:00Z"
        await app.admin.post("/api/statistics/calls", _call(f"c{number:02}", caller, callee, at))
    await app.admin.post("/api/statistics/calls", _call("own", "alice", "alice", "2026-01-01T00:00:00Z"))
    await app.admin.post("/api/statistics/calls", _call("others", "carol", "bob"))
    own = app.user(alice)
    reply = await app.admin.get(f"/api/accounts/{alice['id']}/statistics/calls")
    first = reply.json
    assert (first["total"], first["per_page"], first["last_page"]) == (33, 30, 2)
    assert [call["id"] for call in first["data"]] == [f"c{number:02}" for number in range(31, 1, -1)]
    second = (await own.get("/api/accounts/me/statistics/calls?page=2")).json
    assert [call["id"] for call in second["data"]] == ["c01", "c00", "own"]
    assert second["path"].endswith("/api/accounts/me/statistics/calls")
    beyond = (await own.get("/api/accounts/me/statistics/calls?page=3")).json
    assert (beyond["total"], beyond["data"], beyond["from"]) == (33, [], None)
