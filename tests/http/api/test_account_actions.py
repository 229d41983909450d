from __future__ import annotations

from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from support.application import Application
from support.neighbours import has_neighbour


@ensureDeferred
async def test_actions_are_added_listed_changed_and_deleted(app: Application, asked: list[str]) -> None:
    alice = await app.has_account("alice", dtmf_protocol="sipinfo")
    path = f"/api/accounts/{alice['id']}/actions"
    assert (await app.admin.get(path)).json == []
    asked.clear()
    reply = await app.admin.post(path, {"key": "open", "code": "12a"})
    first = reply.json
    assert (reply.status, first) == (201, {"id": first["id"], "key": "open", "code": "12a"})
    assert asked == ["add an action"]
    second = (await app.admin.post(path, {"key": "open", "code": 99})).json
    assert second["code"] == "99"
    assert (await app.admin.get(path)).json == [first, second]
    assert (await app.admin.get(f"{path}/{first['id']}")).json == first
    changed = await app.admin.put(f"{path}/{first['id']}", {"key": "close", "code": "34"})
    assert (changed.status, changed.json) == (200, {"id": first["id"], "key": "close", "code": "34"})
    assert (await app.admin.get(f"/api/accounts/{alice['id']}")).json["actions"] == [changed.json, second]
    assert (await app.admin.delete(f"{path}/{first['id']}")).json == 1
    gone = await app.admin.delete(f"{path}/{first['id']}")
    assert (gone.status, gone.json) == (200, 0)
    assert (await app.admin.get(f"{path}/{first['id']}")).status == 404
    assert (await app.admin.put(f"{path}/{first['id']}", {"key": "close", "code": "34"})).status == 404


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"key", "code"}),
        ({"key": "Open", "code": "12A"}, {"key", "code"}),
        ({"key": "open", "code": "1-2"}, {"code"}),
        ({"key": "o p", "code": "12"}, {"key"}),
        ({"key": ["open"], "code": {"a": "b"}}, {"key", "code"}),
        ({"key": "x" * 256, "code": "1" * 256}, {"key", "code"}),
    ],
)
@ensureDeferred
async def test_all_that_is_wrong_with_an_action_is_named(
    app: Application, body: dict[str, Any], wrong: set[str]
) -> None:
    alice = await app.has_account("alice", dtmf_protocol="rfc2833")
    path = f"/api/accounts/{alice['id']}/actions"
    action = (await app.admin.post(path, {"key": "open", "code": "1"})).json
    for method, address in (("POST", path), ("PUT", f"{path}/{action['id']}")):
        reply = await app.admin.ask(method, address, body)
        assert (reply.status, set(reply.json["errors"])) == (422, wrong)
    assert (await app.admin.get(path)).json == [action]


@ensureDeferred
async def test_without_a_dtmf_protocol_actions_are_closed_and_kept(app: Application) -> None:
    alice = await app.has_account("alice", dtmf_protocol="sipinfo")
    path = f"/api/accounts/{alice['id']}/actions"
    action = (await app.admin.post(path, {"key": "open", "code": "1"})).json
    app.sql("UPDATE accounts SET dtmf_protocol = NULL WHERE id = %s", alice["id"])
    one = f"{path}/{action['id']}"
    for method, address in (("GET", path), ("POST", path), ("GET", one), ("PUT", one), ("DELETE", one)):
        for body in ({"key": "a", "code": "2"}, {}):
            assert (await app.admin.ask(method, address, body)).status == 403, (method, address, body)
    assert (await app.admin.get(f"/api/accounts/{alice['id']}")).json["actions"] == []
    app.sql("UPDATE accounts SET dtmf_protocol = 'sipinfo' WHERE id = %s", alice["id"])
    assert (await app.admin.get(path)).json == [action]


@ensureDeferred
async def test_actions_of_another_account_or_space_look_absent_and_stay(app: Application) -> None:
    neighbour = await has_neighbour(app)
    alice = await app.has_account("alice", dtmf_protocol="sipinfo")
    bob = await app.has_account("bob", dtmf_protocol="sipinfo")
    path = f"/api/accounts/{alice['id']}/actions"
    action = (await app.admin.post(path, {"key": "open", "code": "1"})).json
    through_bob = f"/api/accounts/{bob['id']}/actions/{action['id']}"
    assert (await app.admin.get(through_bob)).status == 404
    assert (await app.admin.put(through_bob, {"key": "a", "code": "2"})).status == 404
    assert (await app.admin.delete(through_bob)).json == 0
    for method, address in (("GET", path), ("POST", path), ("PUT", f"{path}/{action['id']}")):
        for body in ({"key": "a", "code": "2"}, {}):
            assert (await neighbour.admin.ask(method, address, body)).status == 404
    assert (await neighbour.admin.delete(f"{path}/{action['id']}")).status == 404
    assert (await app.admin.get(path)).json == [action]
