from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred
from support.application import Application, at_once


@ensureDeferred
async def test_setting_a_key_again_replaces_its_value(app: Application) -> None:
    alice = await app.has_account("alice", dictionary={"ringtone": "harp"})
    path = f"/api/accounts/{alice['id']}/dictionary"
    assert (await app.admin.post(f"{path}/lang", {"value": "fr"})).status == 201
    answer = await app.admin.post(f"{path}/lang", {"value": "en"})
    assert (answer.status, answer.json) == (201, {"value": "en"})
    assert (await app.admin.get(path)).json == {"ringtone": "harp", "lang": "en"}
    assert (await app.admin.get(f"{path}/lang")).json == {"value": "en"}


@ensureDeferred
async def test_a_number_becomes_text_and_anything_else_is_refused(app: Application) -> None:
    alice = await app.has_account("alice")
    path = f"/api/accounts/{alice['id']}/dictionary/volume"
    assert (await app.admin.post(path, {"value": 7})).json == {"value": "7"}
    for body in ({}, {"value": ""}, {"value": ["a"]}, {"value": "x" * 256}, {"value": "a\0"}):
        answer = await app.admin.post(path, body)
        assert (answer.status, list(answer.json["errors"])) == (422, ["value"]), body
    assert (await app.admin.get(path)).json == {"value": "7"}


@ensureDeferred
async def test_a_key_may_hold_whatever_a_path_can_but_no_more_than_255_characters(app: Application) -> None:
    alice = await app.has_account("alice")
    path = f"/api/accounts/{alice['id']}/dictionary"
    for written, key in (("%22%3E%3Cb%3E", '"><b>'), ("cl%C3%A9", "clé"), ("x" * 255, "x" * 255)):
        assert (await app.admin.post(f"{path}/{written}", {"value": "v"})).status == 201
        assert key in (await app.admin.get(path)).json
    answer = await app.admin.post(f"{path}/{'x' * 256}", {"value": "v"})
    assert (answer.status, list(answer.json["errors"])) == (422, ["key"])


@ensureDeferred
async def test_deleting_says_how_many_entries_there_were(app: Application) -> None:
    alice = await app.has_account("alice", dictionary={"a": "1", "b": "2", "c": "3"})
    path = f"/api/accounts/{alice['id']}/dictionary"
    assert (await app.admin.delete(f"{path}/a")).json == 1
    assert (await app.admin.delete(f"{path}/a")).json == 0
    assert (await app.admin.get(f"{path}/a")).status == 404
    assert (await app.admin.delete(path)).json == 2
    assert (await app.admin.delete(path)).json == 0
    assert (await app.admin.get(path)).json == {}


@pytest.mark.parametrize(("method", "below"), [("GET", ""), ("DELETE", ""), ("POST", "/a"), ("DELETE", "/a")])
@ensureDeferred
async def test_an_account_that_is_not_there_has_no_dictionary(app: Application, method: str, below: str) -> None:
    answer = await app.admin.ask(method, f"/api/accounts/999999/dictionary{below}", {"value": "v"})
    assert answer.status == 404


@ensureDeferred
async def test_entries_of_another_account_stay_as_they_are(app: Application) -> None:
    alice = await app.has_account("alice", dictionary={"a": "1"})
    bob = await app.has_account("bob", dictionary={"a": "2"})
    await app.admin.post(f"/api/accounts/{alice['id']}/dictionary/a", {"value": "3"})
    await app.admin.delete(f"/api/accounts/{alice['id']}/dictionary")
    assert (await app.admin.get(f"/api/accounts/{bob['id']}/dictionary")).json == {"a": "2"}


@ensureDeferred
async def test_two_who_set_one_key_at_once_leave_one_entry(app: Application) -> None:
    alice = await app.has_account("alice")
    path = f"/api/accounts/{alice['id']}/dictionary/lang"
    answers = await at_once(*(app.admin.post(path, {"value": str(number)}) for number in range(6)))
    assert {answer.status for answer in answers} == {201}
    rows = app.sql("SELECT value FROM account_dictionary_entries WHERE account_id = %s", alice["id"])
    assert [row["value"] in set("012345") for row in rows] == [True]
