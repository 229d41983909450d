from __future__ import annotations

from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from support.application import Application, at_once
from support.neighbours import has_neighbour

TEAM = {"title": "team", "description": "The team"}


@ensureDeferred
async def test_lists_are_added_listed_changed_and_deleted(app: Application, asked: list[str]) -> None:
    assert (await app.admin.get("/api/contacts_lists")).json == []
    asked.clear()
    reply = await app.admin.post("/api/contacts_lists", TEAM)
    team = reply.json
    assert (reply.status, asked) == (201, ["add a contacts list"])
    space_id = app.sql("SELECT id FROM spaces WHERE host = %s", app.admin.host)[0]["id"]
    assert team == {
        **TEAM,
        "id": team["id"],
        "space_id": space_id,
        "contacts_count": 0,
        "created_at": team["created_at"],
        "updated_at": team["created_at"],
    }
    path = f"/api/contacts_lists/{team['id']}"
    assert (await app.admin.get("/api/contacts_lists")).json == [team]
    assert (await app.admin.get(path)).json == team
    changed = await app.admin.put(path, {"title": "crew", "description": "The crew"})
    assert (changed.status, changed.json["title"], changed.json["description"]) == (200, "crew", "The crew")
    assert (await app.admin.delete(path)).json == 1
    gone = await app.admin.delete(path)
    assert (gone.status, gone.json) == (200, 0)
    assert (await app.admin.get(path)).status == 404
    assert (await app.admin.put(path, TEAM)).status == 404
    assert (await app.admin.put(path, {})).status == 404


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"title", "description"}),
        ({"title": "", "description": None}, {"title", "description"}),
        ({"title": "x" * 256, "description": ["a"]}, {"title", "description"}),
        ({"title": "a"}, {"description"}),
    ],
)
@ensureDeferred
async def test_all_that_is_wrong_with_a_list_is_named(app: Application, body: dict[str, Any], wrong: set[str]) -> None:
    team = (await app.admin.post("/api/contacts_lists", TEAM)).json
    for method, path in (("POST", "/api/contacts_lists"), ("PUT", f"/api/contacts_lists/{team['id']}")):
        reply = await app.admin.ask(method, path, body)
        assert (reply.status, set(reply.json["errors"])) == (422, wrong)
    assert (await app.admin.get("/api/contacts_lists")).json == [team]


@ensureDeferred
async def test_a_title_is_taken_once_in_a_space_also_by_two_at_once(app: Application) -> None:
    neighbour = await has_neighbour(app)
    replies = await at_once(*(app.admin.post("/api/contacts_lists", TEAM) for _ in range(6)))
    assert sorted(reply.status for reply in replies) == [201] + [422] * 5
    assert {tuple(reply.json["errors"]) for reply in replies if reply.status == 422} == {("title",)}
    crew = (await app.admin.post("/api/contacts_lists", {**TEAM, "title": "crew"})).json
    renamed = await app.admin.put(f"/api/contacts_lists/{crew['id']}", TEAM)
    assert (renamed.status, list(renamed.json["errors"])) == (422, ["title"])
    assert (await neighbour.admin.post("/api/contacts_lists", TEAM)).status == 201


@ensureDeferred
async def test_members_come_and_go(app: Application, asked: list[str]) -> None:
    bob = await app.has_account("bob")
    team = (await app.admin.post("/api/contacts_lists", TEAM)).json
    path = f"/api/contacts_lists/{team['id']}/contacts/{bob['id']}"
    asked.clear()
    for _ in range(2):
        added = await app.admin.post(path)
        assert (added.status, added.body) == (200, b"")
    assert asked == ["add a member to a contacts list"] * 2
    assert (await app.admin.get(f"/api/contacts_lists/{team['id']}")).json["contacts_count"] == 1
    assert (await app.admin.delete(path)).json == 1
    gone = await app.admin.delete(path)
    assert (gone.status, gone.json) == (200, 0)
    for method in ("POST", "DELETE"):
        assert (await app.admin.ask(method, f"/api/contacts_lists/{team['id']}/contacts/999999")).status == 404
        assert (await app.admin.ask(method, f"/api/contacts_lists/999999/contacts/{bob['id']}")).status == 404


@ensureDeferred
async def test_an_account_has_a_list_once(app: Application) -> None:
    alice = await app.has_account("alice")
    team = (await app.admin.post("/api/contacts_lists", TEAM)).json
    path = f"/api/accounts/{alice['id']}/contacts_lists/{team['id']}"
    assert (await app.admin.delete(path)).status == 403
    replies = await at_once(*(app.admin.post(path) for _ in range(6)))
    assert sorted((reply.status, reply.body == b"") for reply in replies) == [(200, True)] + [(403, False)] * 5
    assert (await app.admin.delete(path)).json == 1
    assert (await app.admin.delete(path)).status == 403
    for method in ("POST", "DELETE"):
        assert (await app.admin.ask(method, f"/api/accounts/{alice['id']}/contacts_lists/999999")).status == 404
        assert (await app.admin.ask(method, f"/api/accounts/999999/contacts_lists/{team['id']}")).status == 404


@ensureDeferred
async def test_a_deleted_list_takes_its_contacts_along_but_no_account(app: Application) -> None:
    alice, bob = await app.has_account("alice"), await app.has_account("bob")
    team = (await app.admin.post("/api/contacts_lists", TEAM)).json
    await app.admin.post(f"/api/contacts_lists/{team['id']}/contacts/{bob['id']}")
    await app.admin.post(f"/api/accounts/{alice['id']}/contacts_lists/{team['id']}")
    own = app.user(alice)
    assert len((await own.get("/api/accounts/me/contacts")).json) == 1
    await app.admin.delete(f"/api/contacts_lists/{team['id']}")
    assert (await own.get("/api/accounts/me/contacts")).json == []
    assert (await app.admin.get(f"/api/accounts/{bob['id']}")).status == 200


@ensureDeferred
async def test_lists_of_another_space_look_absent_and_stay(app: Application) -> None:
    neighbour = await has_neighbour(app)
    bob = await app.has_account("bob")
    team = (await app.admin.post("/api/contacts_lists", TEAM)).json
    await app.admin.post(f"/api/contacts_lists/{team['id']}/contacts/{bob['id']}")
    before = (await app.admin.get(f"/api/contacts_lists/{team['id']}")).json
    theirs = (await neighbour.admin.post("/api/contacts_lists", TEAM)).json
    path = f"/api/contacts_lists/{team['id']}"
    assert (await neighbour.admin.get("/api/contacts_lists")).json == [theirs]
    assert (await neighbour.admin.get(path)).status == 404
    assert (await neighbour.admin.put(path, {"title": "a", "description": "b"})).status == 404
    deleted = await neighbour.admin.delete(path)
    assert (deleted.status, deleted.json) == (200, 0)
    for method in ("POST", "DELETE"):
        for address in (
            f"{path}/contacts/{neighbour.user['id']}",
            f"{path}/contacts/{bob['id']}",
            f"/api/contacts_lists/{theirs['id']}/contacts/{bob['id']}",
            f"/api/accounts/{neighbour.user['id']}/contacts_lists/{team['id']}",
            f"/api/accounts/{bob['id']}/contacts_lists/{theirs['id']}",
        ):
            assert (await neighbour.admin.ask(method, address)).status == 404, (method, address)
    assert (await app.admin.get(path)).json == before
    assert (await app.super_admin.get(path)).json == before
    assert (await app.super_admin.get("/api/contacts_lists")).json == []
