from __future__ import annotations

from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from support.application import Application, at_once
from support.neighbours import has_neighbour

OWN = "/api/accounts/me/vcards-storage"


def _card(uid: str, name: str = "Jean Dupont") -> str:
    return f"BEGIN:VCARD\r\nVERSION:4.0\r\nFN:{name}\r\nTEL;TYPE=cell:+33 6\r\nUID:{uid}\r\nEND:VCARD\r\n"


FIRST, SECOND = ("urn:uuid:5976d443-97e9-43bc-a284-3cd0605dbadb", "urn:uuid:b8b81592-3fd4-4473-9b81-7337b3a001b8")


@ensureDeferred
async def test_vcards_are_stored_listed_replaced_and_deleted(app: Application, asked: list[str]) -> None:
    alice = await app.has_account("alice")
    own = app.user(alice)
    empty = await own.get(OWN)
    assert (empty.status, empty.body) == (200, b"{}")
    asked.clear()
    reply = await own.post(OWN, {"vcard": _card(FIRST)})
    first = reply.json
    assert (reply.status, asked) == (201, ["store a vCard"])
    assert first == {
        "vcard": _card(FIRST).replace("\r\n", "\n"),
        "created_at": first["created_at"],
        "updated_at": first["created_at"],
    }
    by_admin = f"/api/accounts/{alice['id']}/vcards-storage"
    second = (await app.admin.post(by_admin, {"vcard": _card(SECOND)})).json
    asked.clear()
    assert (await own.get(OWN)).json == {FIRST: first, SECOND: second}
    assert (await own.get(f"{OWN}/{FIRST}")).json == first
    assert asked == ["read stored vCards"] * 2
    changed = await own.put(f"{OWN}/{FIRST}", {"vcard": _card(FIRST, "Jean Dupond")})
    assert (changed.status, changed.json["created_at"]) == (200, first["created_at"])
    assert "FN:Jean Dupond\n" in changed.json["vcard"]
    assert (await app.admin.get(f"{by_admin}/{FIRST}")).json == changed.json
    deleted = await own.delete(f"{OWN}/{FIRST}")
    assert (deleted.status, deleted.json) == (200, 1)
    for method in ("GET", "PUT", "DELETE"):
        assert (await own.ask(method, f"{OWN}/{FIRST}", {"vcard": _card(FIRST)})).status == 404
    assert list((await own.get(OWN)).json) == [SECOND]


@ensureDeferred
async def test_a_uid_is_stored_once_for_an_account_also_by_many_at_once(app: Application) -> None:
    own, other = [app.user(await app.has_account(name)) for name in ("alice", "bob")]
    replies = await at_once(*(own.post(OWN, {"vcard": _card(FIRST)}) for _ in range(6)))
    assert sorted(reply.status for reply in replies) == [201] + [409] * 5
    assert (await other.post(OWN, {"vcard": _card(FIRST)})).status == 201


@pytest.mark.parametrize(
    "vcard", [None, "", 5, ["a"], "nonsense", "BEGIN:VCARD\nEND:VCARD", _card("a b"), _card(FIRST, "x" * 65_536), "\0"]
)
@ensureDeferred
async def test_what_is_no_vcard_is_refused(app: Application, vcard: Any) -> None:
    own = app.user(await app.has_account("alice"))
    stored = (await own.post(OWN, {"vcard": _card(FIRST)})).json
    for method, path, status in (("POST", OWN, 422), ("PUT", f"{OWN}/{FIRST}", 422), ("PUT", f"{OWN}/{SECOND}", 404)):
        reply = await own.ask(method, path, {"vcard": vcard})
        assert reply.status == status
        assert status == 404 or list(reply.json["errors"]) == ["vcard"]
    assert (await own.get(OWN)).json == {FIRST: stored}


@ensureDeferred
async def test_a_vcard_is_replaced_by_one_of_the_same_uid_only(app: Application) -> None:
    own = app.user(await app.has_account("alice"))
    stored = (await own.post(OWN, {"vcard": _card(FIRST)})).json
    reply = await own.put(f"{OWN}/{FIRST}", {"vcard": _card(SECOND)})
    assert (reply.status, list(reply.json["errors"])) == (422, ["vcard"])
    assert (await own.put(f"{OWN}/{SECOND}", {"vcard": _card(FIRST)})).status == 404
    assert (await own.get(OWN)).json == {FIRST: stored}


@ensureDeferred
async def test_vcards_of_others_look_absent_and_stay(app: Application) -> None:
    neighbour = await has_neighbour(app)
    alice = await app.has_account("alice")
    own, other = app.user(alice), app.user(await app.has_account("bob"))
    stored = (await own.post(OWN, {"vcard": _card(FIRST)})).json
    path = f"/api/accounts/{alice['id']}/vcards-storage"
    for browser, address in ((other, f"{OWN}/{FIRST}"), (neighbour.admin, f"{path}/{FIRST}")):
        for method in ("GET", "PUT", "DELETE"):
            for body in ({"vcard": _card(FIRST, "Eve")}, {"vcard": _card(SECOND)}, {}):
                assert (await browser.ask(method, address, body)).status == 404
    for method in ("GET", "POST"):
        for body in ({"vcard": _card(SECOND)}, {}):
            assert (await neighbour.admin.ask(method, path, body)).status == 404
    assert (await other.get(OWN)).json == {}
    assert (await own.get(OWN)).json == {FIRST: stored}
