"""Accounts changed in part: JSON Merge Patch (RFC 7396)."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from support.application import Application, at_once
from support.cases import named
from support.web import Reply

WHOLE = {
    "email": "alice@example.org",
    "phone": "+33612320692",
    "display_name": "Alice",
    "dtmf_protocol": "sipinfo",
    "dictionary": {"lang": "fr", "zone": "3"},
}


async def _alice(app: Application) -> dict[str, Any]:
    app.sql("UPDATE phone_countries SET activated = true WHERE code = 'FR'")
    return await app.has_account("alice", **WHOLE)


async def _patched(app: Application, account: dict[str, Any], body: Any, **headers: str) -> Reply:
    return await app.admin.ask("PATCH", f"/api/accounts/{account['id']}", body, **headers)


def _but_time(account: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in account.items() if name != "updated_at"}


@pytest.mark.parametrize("content_type", ["application/json", "application/merge-patch+json"])
@pytest.mark.parametrize(
    "change",
    [
        {"email": None},
        {"phone": None},
        {"display_name": None},
        {"dtmf_protocol": None},
        {"display_name": "Alice Liddell"},
        {"email": "other@example.org"},
        {"activated": False},
        {"admin": True, "blocked": True},
        {"username": "alice"},
        {},
    ],
    ids=named,
)
@ensureDeferred
async def test_only_what_is_given_changes(app: Application, change: dict[str, Any], content_type: str) -> None:
    before = await _alice(app)
    reply = await _patched(app, before, change, Content_Type=content_type)
    assert reply.status == 200, reply.text
    # Actions are shown only where there is a protocol for them.
    assert _but_time(reply.json) | {"actions": []} == _but_time({**before, **change}) | {"actions": []}
    assert (await app.admin.get(f"/api/accounts/{before['id']}")).json == reply.json


@ensureDeferred
async def test_empty_text_takes_away_like_null(app: Application) -> None:
    reply = await _patched(app, await _alice(app), {"display_name": "", "email": ""})
    assert (reply.json["display_name"], reply.json["email"]) == (None, None)


@pytest.mark.parametrize(
    ("patch", "dictionary"),
    [
        ({"lang": "en"}, {"lang": "en", "zone": "3"}),
        ({"lang": None}, {"zone": "3"}),
        ({"lang": None, "new": "x"}, {"zone": "3", "new": "x"}),
        ({"unknown": None}, {"lang": "fr", "zone": "3"}),
        ({}, {"lang": "fr", "zone": "3"}),
        ([], {"lang": "fr", "zone": "3"}),
        ({"lang": None, "zone": None}, {}),
    ],
    ids=named,
)
@ensureDeferred
async def test_a_dictionary_is_merged(app: Application, patch: Any, dictionary: dict[str, str]) -> None:
    reply = await _patched(app, await _alice(app), {"dictionary": patch})
    assert reply.json["dictionary"] == dictionary


@ensureDeferred
async def test_entries_merged_at_once_are_all_kept(app: Application) -> None:
    account = await _alice(app)
    replies = await at_once(*(_patched(app, account, {"dictionary": {f"k{n}": "v"}}) for n in range(20)))
    assert [reply.status for reply in replies] == [200] * 20
    kept = (await app.admin.get(f"/api/accounts/{account['id']}/dictionary")).json
    assert kept == {**WHOLE["dictionary"], **{f"k{n}": "v" for n in range(20)}}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"username": None}, {"username"}),
        ({"username": ""}, {"username"}),
        ({"password": None}, {"password"}),
        ({"activated": None, "admin": None, "blocked": None}, {"activated", "admin", "blocked"}),
        ({"dictionary": None}, {"dictionary"}),
        ({"dictionary": "a"}, {"dictionary"}),
        ({"dictionary": {"a": 1}}, {"dictionary"}),
        ({"dictionary": {"a": "x" * 256}}, {"dictionary"}),
        ({"username": "taken"}, {"username", "password"}),
        ({"username": "renamed"}, {"password"}),
        ({"username": "taken", "password": "some_password"}, {"username"}),
        ({"username": "taken", "activated": None}, {"username", "activated"}),
        ({"email": "taken@example.org"}, {"email"}),
        ({"email": "nonsense"}, {"email"}),
        ({"phone": "+491701234567"}, {"phone"}),
        ({"dtmf_protocol": "pigeon"}, {"dtmf_protocol"}),
        ({"password": "short"}, {"password"}),
        ({"activated": "maybe", "display_name": "x" * 256}, {"activated", "display_name"}),
    ],
    ids=named,
)
@ensureDeferred
async def test_every_wrong_field_is_named_and_nothing_changes(
    app: Application, change: dict[str, Any], wrong: set[str]
) -> None:
    account = await _alice(app)
    await app.has_account("taken", email="taken@example.org")
    reply = await _patched(app, account, {"display_name": "Other", **change})
    assert reply.status == 422, reply.text
    assert reply.json["errors"].keys() == wrong
    assert (await app.admin.get(f"/api/accounts/{account['id']}")).json == account


@ensureDeferred
async def test_a_renamed_account_signs_in_with_its_new_password(app: Application) -> None:
    account = await _alice(app)
    reply = await _patched(app, account, {"username": "carol", "password": "carol_password"})
    assert (reply.json["username"], reply.json["email"]) == ("carol", WHOLE["email"])
    stored = app.sql("SELECT password FROM passwords WHERE account_id = %s", account["id"])
    other = await app.has_account("dave")
    again = await _patched(app, other, {"password": "dave_other_password"})
    assert again.status == 200
    assert len(stored) == 1
    assert app.sql("SELECT password FROM passwords WHERE account_id = %s", other["id"]) != stored


@ensureDeferred
async def test_what_is_no_field_of_ours_is_ignored(app: Application) -> None:
    account = await _alice(app)
    reply = await _patched(app, account, {"id": 1, "domain": None, "sip_uri": None, "provisioning_token": None})
    assert _but_time(reply.json) == _but_time(account)


@ensureDeferred
async def test_an_account_that_is_not_there_cannot_be_patched(app: Application) -> None:
    for body in ({"display_name": "x"}, {"activated": None}):
        assert (await app.admin.ask("PATCH", "/api/accounts/999999", body)).status == 404


@ensureDeferred
async def test_a_refusal_is_told_in_the_language_of_the_caller(app: Application) -> None:
    reply = await _patched(app, await _alice(app), {"activated": None}, Accept_Language="fr")
    assert reply.json["errors"]["activated"] == ["Ce champ ne peut pas valoir null"]
