"""Operators' own functions that hear of accounts."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from pytest_twisted import ensureDeferred
from support.application import Application, start
from support.postgres import Postgres

from flexid.store.connector import with_hooks

NOTING = """
import json

def note(name, request, account):
    by = request and [request.ip, request.by]
    with open({path!r}, "a") as heard:
        heard.write(json.dumps([name, account.username, account.display_name, account.dictionary, by]) + "\\n")

def account_created(request, account):
    note("created", request, account)

async def account_edited(request, account):
    note("edited", request, account)

def account_deleted(request, account):
    note("deleted", request, account)
"""


def write(file: Path, code: str) -> None:
    file.write_text(code)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "hooks.py"
    file.write_text(NOTING.format(path=str(tmp_path / "heard")))
    return file


@pytest_twisted.async_yield_fixture
async def app(postgres: Postgres, filled_database: str, file: Path) -> AsyncIterator[Application]:
    dsn = postgres.create_database(filled_database)
    application = await start(with_hooks(dsn), hooks={"accounts": file})
    yield application
    await application.database.stop()
    postgres.drop_database(dsn)


async def heard(app: Application, file: Path) -> list[list[Any]]:
    await app.services.account_hooks.call()
    path = file.with_name("heard")
    lines = path.read_text().splitlines() if path.exists() else []
    path.write_text("")
    return [json.loads(line) for line in lines]


@ensureDeferred
async def test_functions_hear_of_each_change_and_who_asked_for_it(app: Application, file: Path) -> None:
    alice = await app.has_account("alice", dictionary={"language": "fr"})
    path = f"/api/accounts/{alice['id']}"
    boss = ["127.0.0.1", "admin@tenant.example.org"]
    assert await heard(app, file) == [["created", "alice", None, {"language": "fr"}, boss]]
    await app.admin.ask("PATCH", path, {"display_name": "Alice"})
    await app.admin.post(f"{path}/block")
    assert await heard(app, file) == [["edited", "alice", "Alice", {"language": "fr"}, boss]] * 2
    await app.admin.delete(path)
    assert await heard(app, file) == [["deleted", "alice", "Alice", {}, boss]]
    assert await heard(app, file) == []


@ensureDeferred
async def test_what_is_refused_is_not_heard_of(app: Application, file: Path) -> None:
    await app.has_account("alice")
    await heard(app, file)
    assert (await app.admin.post("/api/accounts", {"username": "alice", "password": "alice_password"})).status == 422
    assert await heard(app, file) == []


@ensureDeferred
async def test_a_function_that_fails_is_counted_and_troubles_nobody(app: Application, file: Path) -> None:
    hooks = app.services.account_hooks
    assert hooks.file is not None
    write(file, "def account_created(request, account):\n    raise OSError('the billing system is away')\n")
    hooks.file.reload()
    await app.has_account("alice")
    await app.has_account("bob")
    assert await hooks.call() == 2
    assert hooks.file.outcomes == {("account_created", "failed"): 2}
    assert await hooks.call() == 0


@ensureDeferred
async def test_what_was_heard_of_is_forgotten(app: Application, file: Path) -> None:
    await app.has_account("alice")
    await heard(app, file)
    await app.services.account_hooks.clear()
    assert app.sql("SELECT id FROM outbox WHERE channel = 'hook'") == []


@ensureDeferred
async def test_where_there_are_no_functions_nothing_is_noted(postgres: Postgres, filled_database: str) -> None:
    dsn = postgres.create_database(filled_database)
    without = await start(dsn)
    await without.has_account("alice")
    assert without.sql("SELECT id FROM outbox WHERE channel = 'hook'") == []
    await without.database.stop()
    postgres.drop_database(dsn)
