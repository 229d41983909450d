"""The `Idempotency-Key` header: what a request does is done once, and answered as it was the first time."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from support.application import Application, at_once
from support.web import Browser, Reply
from twisted.internet import reactor as installed  # a pause within a request
from twisted.internet.task import deferLater

from flexid.domain.kept_answers import LARGEST
from flexid.services.accounts import Accounts
from flexid.store.ambient import apart
from flexid.store.query import Query

ALICE = {"username": "alice", "password": "alice_password"}
SET_NAME = Query("name an account", "UPDATE accounts SET display_name = 'named' WHERE username = 'admin'")


async def create(browser: Browser, key: str = "k", **fields: Any) -> Reply:
    return await browser.post("/api/accounts", {**ALICE, **fields}, Idempotency_Key=key)


def count(app: Application) -> int:
    return int(app.sql("SELECT count(*) AS n FROM accounts WHERE username LIKE 'alice%%'")[0]["n"])


@ensureDeferred
async def test_a_request_that_comes_again_does_nothing_and_is_answered_as_before(app: Application) -> None:
    first = await create(app.admin)
    again = await create(app.admin)
    assert (first.status, again.status) == (200, 200)
    assert again.body == first.body
    assert again.headers["Content-Type"] == "application/json"
    assert (first.headers["Idempotency-Replayed"], again.headers["Idempotency-Replayed"]) == (None, "true")
    assert count(app) == 1


@ensureDeferred
async def test_what_is_kept_can_be_read_by_nobody_else(app: Application) -> None:
    token = (await create(app.admin)).json["provisioning_token"]
    (row,) = app.sql("SELECT answer FROM idempotency_keys")
    assert len(row["answer"]) > 200
    assert token.encode() not in bytes(row["answer"])
    assert b"alice" not in bytes(row["answer"])


@ensureDeferred
async def test_another_body_is_refused_and_does_nothing(app: Application) -> None:
    await create(app.admin)
    other = await create(app.admin, username="alice2")
    assert (other.status, list(other.json["errors"])) == (422, ["Idempotency-Key"])
    assert count(app) == 1


@ensureDeferred
async def test_keys_are_those_of_a_caller_and_a_route(app: Application) -> None:
    alice = (await create(app.admin)).json
    for path in (f"/api/accounts/{alice['id']}/block", f"/api/accounts/{alice['id']}/unblock"):
        reply = await app.admin.post(path, Idempotency_Key="k")
        assert reply.json["blocked"] == path.endswith("/block")
    assert (await create(app.super_admin)).json["domain"] == "localhost"
    assert count(app) == 2


@ensureDeferred
async def test_a_refusal_is_kept_too(app: Application) -> None:
    alice = await app.has_account("alice")
    refused = await create(app.admin)
    assert refused.status == 422
    app.sql("DELETE FROM accounts WHERE id = %s", alice["id"])
    again = await create(app.admin)
    assert (again.status, again.body) == (422, refused.body)
    assert (await create(app.admin, key="another")).status == 200


@ensureDeferred
async def test_of_many_at_once_one_does_it_and_the_others_are_told_so(app: Application) -> None:
    replies = await at_once(*(create(app.admin) for _ in range(12)))
    assert count(app) == 1
    done = [reply for reply in replies if reply.status == 200]
    assert {reply.status for reply in replies} <= {200, 409}
    assert len({reply.body for reply in done}) == 1
    assert all("still running" in reply.json["message"] for reply in replies if reply.status == 409)


@ensureDeferred
async def test_while_the_first_one_runs_others_conflict(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    create_account = Accounts.create

    async def slowly(*arguments: Any, **named: Any) -> Any:
        await deferLater(installed, 0.2, lambda: None)
        return await create_account(*arguments, **named)

    monkeypatch.setattr(Accounts, "create", slowly)
    replies = await at_once(create(app.admin), create(app.admin))
    assert sorted(reply.status for reply in replies) == [200, 409]


@ensureDeferred
async def test_a_request_that_breaks_off_leaves_nothing_and_may_come_again(
    app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_account = Accounts.create

    async def then_die(*arguments: Any, **named: Any) -> Any:
        await create_account(*arguments, **named)
        # As the server sees it when our process dies.
        app.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'")
        return await app.database.run(SET_NAME)

    monkeypatch.setattr(Accounts, "create", then_die)
    assert (await create(app.admin)).status == 503
    assert count(app) == 0
    monkeypatch.setattr(Accounts, "create", create_account)
    assert (await create(app.admin)).status == 200
    assert count(app) == 1


@ensureDeferred
async def test_our_mistakes_are_not_kept_nor_what_they_did(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    create_account = Accounts.create

    async def badly(*arguments: Any, **named: Any) -> Any:
        await create_account(*arguments, **named)
        raise RuntimeError

    monkeypatch.setattr(Accounts, "create", badly)
    assert (await create(app.admin)).status == 500
    monkeypatch.setattr(Accounts, "create", create_account)
    assert (await create(app.admin)).status == 200
    assert count(app) == 1


@ensureDeferred
async def test_what_nothing_undoes_is_not_done_twice_after_its_request_broke_off(
    app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = []

    async def apart_and_die(*_: Any, **__: Any) -> Any:
        with apart():
            await app.database.run(SET_NAME)
        assert app.sql("SELECT 1 FROM accounts WHERE display_name = 'named'")
        done.append(1)
        raise RuntimeError

    monkeypatch.setattr(Accounts, "create", apart_and_die)
    assert (await create(app.admin)).status == 500
    again = await create(app.admin)
    assert (again.status, "broke off" in again.json["message"]) == (409, True)
    assert done == [1]
    app.sql("UPDATE idempotency_marks SET created_at = created_at - interval '25 hours'")
    assert await app.services.housekeeping.clear_kept_answers() == 1
    assert (await create(app.admin)).status == 500


@ensureDeferred
async def test_what_was_done_apart_is_answered_again_as_well(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    create_account = Accounts.create

    async def apart_first(*arguments: Any, **named: Any) -> Any:
        with apart():
            async with app.database.transaction() as transaction:
                await transaction.run(SET_NAME)
        return await create_account(*arguments, **named)

    monkeypatch.setattr(Accounts, "create", apart_first)
    first = await create(app.admin)
    assert first.status == 200
    assert app.sql("SELECT 1 FROM idempotency_marks") == []
    assert (await create(app.admin)).body == first.body


@ensureDeferred
async def test_a_day_later_a_key_is_new(app: Application) -> None:
    await create(app.admin)
    app.sql("UPDATE idempotency_keys SET created_at = created_at - interval '25 hours'")
    assert (await create(app.admin, username="alice2")).status == 200
    assert (await create(app.admin, username="alice2")).headers["Idempotency-Replayed"] == "true"
    assert await app.services.housekeeping.clear_kept_answers() == 0
    app.sql("UPDATE idempotency_keys SET created_at = created_at - interval '25 hours'")
    assert await app.services.housekeeping.clear_kept_answers() == 1
    assert app.sql("SELECT 1 FROM idempotency_keys") == []


@ensureDeferred
async def test_who_is_not_signed_in_is_known_by_address_and_program(app: Application) -> None:
    path = "/api/accounts/auth_token"
    first = await app.nobody.post(path, Idempotency_Key="k")
    assert (await app.nobody.post(path, Idempotency_Key="k")).body == first.body
    assert (await app.nobody.from_("192.0.2.9").post(path, Idempotency_Key="k")).body != first.body
    assert (await app.nobody.post(path, Idempotency_Key="k", User_Agent="other")).body != first.body


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "é"])
@ensureDeferred
async def test_what_can_be_no_key_is_malformed(app: Application, key: str) -> None:
    reply = await create(app.admin, key=key)
    assert (reply.status, "Idempotency-Key" in reply.json["message"]) == (400, True)
    assert count(app) == 0


@ensureDeferred
async def test_an_answer_that_is_too_large_is_not_given_again_but_neither_is_its_request_done(
    app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flexid.services.idempotency.LARGEST", 100)
    assert LARGEST > 100_000
    assert (await create(app.admin)).status == 200
    again = await create(app.admin)
    assert (again.status, "too large" in again.json["message"]) == (409, True)
    assert count(app) == 1


@ensureDeferred
async def test_other_methods_have_no_keys(app: Application) -> None:
    alice = await app.has_account("alice")
    path = f"/api/accounts/{alice['id']}"
    for name in ("One", "Two"):
        reply = await app.admin.put(path, {"username": "alice", "display_name": name}, Idempotency_Key="k")
        assert reply.json["display_name"] == name
    assert app.sql("SELECT 1 FROM idempotency_keys") == []


@ensureDeferred
async def test_without_a_key_nothing_more_is_asked_of_the_database(app: Application, asked: list[str]) -> None:
    assert (await app.admin.post("/api/accounts", {**ALICE, "username": "first"})).status == 200
    asked.clear()
    assert (await app.admin.post("/api/accounts", ALICE)).status == 200
    assert asked == ["create an account"]


@ensureDeferred
async def test_every_post_but_uploads_is_described_with_the_header(app: Application) -> None:
    described = (await app.nobody.get("/api/openapi.json")).json
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            names = {parameter["name"] for parameter in operation["parameters"]}
            takes_one = method == "post" and path != "/api/files/{uuid}"
            assert ("Idempotency-Key" in names) == takes_one, (method, path)
            assert not takes_one or {"409", "422", "400"} <= operation["responses"].keys()
