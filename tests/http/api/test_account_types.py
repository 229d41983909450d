from __future__ import annotations

from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from support.application import Application, at_once
from support.neighbours import has_neighbour


async def _has_type(app: Application, key: str = "phone") -> int:
    return int((await app.admin.post("/api/account_types", {"key": key})).json["id"])


@ensureDeferred
async def test_types_are_added_listed_changed_and_deleted(app: Application) -> None:
    assert (await app.admin.get("/api/account_types")).json == []
    reply = await app.admin.post("/api/account_types", {"key": "phone"})
    phone = reply.json
    assert (reply.status, phone) == (201, {"id": phone["id"], "key": "phone"})
    door = (await app.admin.post("/api/account_types", {"key": "door_1-a"})).json
    assert (await app.admin.get("/api/account_types")).json == [phone, door]
    assert (await app.admin.get(f"/api/account_types/{door['id']}")).json == door
    changed = await app.admin.put(f"/api/account_types/{door['id']}", {"key": "gate"})
    assert (changed.status, changed.json) == (200, {"id": door["id"], "key": "gate"})
    assert (await app.admin.delete(f"/api/account_types/{door['id']}")).json == 1
    gone = await app.admin.delete(f"/api/account_types/{door['id']}")
    assert (gone.status, gone.json) == (200, 0)
    assert (await app.admin.get(f"/api/account_types/{door['id']}")).status == 404
    assert (await app.admin.put(f"/api/account_types/{door['id']}", {"key": "gate"})).status == 404


@pytest.mark.parametrize("key", [None, "", "Phone", "a b", "é", "phone\n", "x" * 65, ["phone"]])
@ensureDeferred
async def test_a_key_is_made_of_few_characters(app: Application, key: Any) -> None:
    type_id = await _has_type(app)
    for method, path in (("POST", "/api/account_types"), ("PUT", f"/api/account_types/{type_id}")):
        reply = await app.admin.ask(method, path, {"key": key})
        assert (reply.status, list(reply.json["errors"])) == (422, ["key"])


@ensureDeferred
async def test_a_key_is_taken_once_in_a_space_also_by_two_at_once(app: Application) -> None:
    neighbour = await has_neighbour(app)
    replies = await at_once(*(app.admin.post("/api/account_types", {"key": "phone"}) for _ in range(6)))
    assert sorted(reply.status for reply in replies) == [201] + [422] * 5
    assert {tuple(reply.json["errors"]) for reply in replies if reply.status == 422} == {("key",)}
    door = await _has_type(app, "door")
    renamed = await app.admin.put(f"/api/account_types/{door}", {"key": "phone"})
    assert (renamed.status, list(renamed.json["errors"])) == (422, ["key"])
    assert (await neighbour.admin.post("/api/account_types", {"key": "phone"})).status == 201


@ensureDeferred
async def test_an_account_has_a_type_once(app: Application, asked: list[str]) -> None:
    alice = await app.has_account("alice")
    phone = await _has_type(app)
    path = f"/api/accounts/{alice['id']}/types/{phone}"
    asked.clear()
    attached = await app.admin.post(path)
    assert (attached.status, attached.body, asked) == (200, b"", ["attach a type to an account"])
    assert (await app.admin.get(f"/api/accounts/{alice['id']}")).json["types"] == [{"id": phone, "key": "phone"}]
    assert (await app.admin.post(path)).status == 403
    asked.clear()
    detached = await app.admin.delete(path)
    assert (detached.status, detached.json, asked) == (200, 1, ["detach a type from an account"])
    assert (await app.admin.delete(path)).status == 403
    assert (await app.admin.get(f"/api/accounts/{alice['id']}")).json["types"] == []
    replies = await at_once(*(app.admin.post(path) for _ in range(6)))
    assert sorted(reply.status for reply in replies) == [200] + [403] * 5


@ensureDeferred
async def test_a_deleted_type_is_taken_from_its_accounts(app: Application) -> None:
    alice = await app.has_account("alice")
    phone = await _has_type(app)
    await app.admin.post(f"/api/accounts/{alice['id']}/types/{phone}")
    assert (await app.admin.delete(f"/api/account_types/{phone}")).json == 1
    assert (await app.admin.get(f"/api/accounts/{alice['id']}")).json["types"] == []


@ensureDeferred
async def test_types_of_another_space_look_absent_and_stay(app: Application) -> None:
    neighbour = await has_neighbour(app)
    alice = await app.has_account("alice")
    phone = await _has_type(app)
    await app.admin.post(f"/api/accounts/{alice['id']}/types/{phone}")
    path = f"/api/account_types/{phone}"
    assert (await neighbour.admin.get("/api/account_types")).json == []
    assert (await neighbour.admin.get(path)).status == 404
    assert (await neighbour.admin.put(path, {"key": "mine"})).status == 404
    deleted = await neighbour.admin.delete(path)
    assert (deleted.status, deleted.json) == (200, 0)
    for account in (alice, neighbour.user):
        for method in ("POST", "DELETE"):
            reply = await neighbour.admin.ask(method, f"/api/accounts/{account['id']}/types/{phone}")
            assert reply.status == 404
    assert (await app.admin.get(path)).json == {"id": phone, "key": "phone"}
    assert (await app.admin.get(f"/api/accounts/{alice['id']}")).json["types"] == [{"id": phone, "key": "phone"}]


@ensureDeferred
async def test_super_administrators_reach_types_by_id_and_list_those_of_the_host(app: Application) -> None:
    neighbour = await has_neighbour(app)
    phone = await _has_type(app)
    assert (await app.super_admin.get("/api/account_types")).json == []
    assert (await app.super_admin.at(app.admin.host).get("/api/account_types")).json == [{"id": phone, "key": "phone"}]
    assert (await app.super_admin.put(f"/api/account_types/{phone}", {"key": "desk"})).json["key"] == "desk"
    crossed = await app.super_admin.post(f"/api/accounts/{neighbour.user['id']}/types/{phone}")
    assert crossed.status == 404
