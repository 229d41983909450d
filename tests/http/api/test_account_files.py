"""Accounts from files, and into files, over HTTP."""

from __future__ import annotations

import csv
import io
from typing import Any

import orjson
import pytest
from pytest_twisted import ensureDeferred
from support.application import TENANT, Application
from support.reactor import until
from support.web import Browser, Reply, _head
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from flexid.domain.account_imports import COLUMNS
from flexid.store import account_exports

HEADER = ",".join(COLUMNS.values())
ALICE = "alice,alice_password,admin,active,,alice@example.org,,,,,,,"
BOB = "bob,bob_password,user,inactive,,,bob2,provider.example,x,,,,TCP"
PATH = "/api/accounts/import"


async def send(browser: Browser, *lines: str, path: str = PATH, **headers: str) -> Reply:
    return await browser.post(path, "\n".join(lines).encode(), **{"Content_Type": "text/csv", **headers})


def names(app: Application) -> set[str]:
    return {row["username"] for row in app.sql("SELECT username FROM accounts WHERE username <> 'admin'")}


@ensureDeferred
async def test_a_file_is_imported_and_its_accounts_sign_in(app: Application) -> None:
    reply = await send(app.admin, HEADER, ALICE, BOB, User_Agent="script")
    assert reply.status == 200
    assert reply.json == {
        "accounts": 2,
        "admins": 1,
        "active": 1,
        "external_accounts": 1,
        "imported": True,
        "problems": [],
        "more": 0,
    }
    alice = (await app.admin.get(f"/api/accounts/alice@{TENANT}/search")).json
    assert (alice["email"], alice["admin"], alice["activated"]) == ("alice@example.org", True, True)
    assert (alice["user_agent"], alice["ip_address"], len(alice["provisioning_token"])) == ("script", "127.0.0.1", 13)
    await app.signed_in("alice")
    bob = (await app.admin.get(f"/api/resolve/bob@{TENANT}")).json["payload"]
    external = await app.admin.get(f"/api/accounts/{bob['id']}/external")
    assert (external.json["username"], external.json["protocol"]) == ("bob2", "TCP")


@ensureDeferred
async def test_problems_are_named_by_line_and_column_and_nothing_is_written(app: Application) -> None:
    await app.has_account("alice")
    reply = await send(app.admin, HEADER, ALICE, BOB.replace("TCP", "SCTP"))
    assert reply.status == 422
    assert reply.json["errors"] == {
        "2.Username": ["The username has already been taken."],
        "3.External Protocol": ["It must be one of UDP, TCP, TLS"],
    }
    assert reply.json["problems"] == [
        {"line": 2, "column": "Username", "message": "The username has already been taken."},
        {"line": 3, "column": "External Protocol", "message": "It must be one of UDP, TCP, TLS"},
    ]
    assert (reply.json["imported"], reply.json["more"]) == (False, 0)
    assert names(app) == {"alice"}


@ensureDeferred
async def test_problems_are_told_in_the_callers_language(app: Application) -> None:
    reply = await send(app.admin, HEADER, "x", Accept_Language="fr")
    assert reply.json["problems"][0]["message"] == "La ligne a 1 colonnes au lieu de 13"


@ensureDeferred
async def test_a_dry_run_only_tells(app: Application) -> None:
    reply = await send(app.admin, HEADER, ALICE, path=f"{PATH}?dry_run=1")
    assert (reply.status, reply.json["accounts"], reply.json["imported"]) == (200, 1, False)
    assert (await send(app.admin, HEADER, "x", path=f"{PATH}?dry_run=1")).status == 422
    assert names(app) == set()


@pytest.mark.parametrize("kind", ["application/jsonl", "application/x-ndjson", "application/json"])
@ensureDeferred
async def test_json_lines_are_taken_too(app: Application, kind: str) -> None:
    lines = [
        {"username": name, "password": f"{name}_password", "role": "user", "status": "active"}
        for name in ("alice", "bob")
    ]
    reply = await send(app.admin, *(orjson.dumps(line).decode() for line in lines), Content_Type=kind)
    assert (reply.status, names(app)) == (200, {"alice", "bob"})


@ensureDeferred
async def test_a_form_with_a_file_is_taken_too(app: Application) -> None:
    content = f"{HEADER}\r\n{ALICE}\r\n"
    form = (
        f'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n{content}\r\n--x--\r\n'
    ).encode()
    reply = await app.admin.post(PATH, form, Content_Type="multipart/form-data; boundary=x")
    assert (reply.status, names(app)) == (200, {"alice"})
    empty = b"--x\r\nContent-Disposition: form-data; name=other\r\n\r\n1\r\n--x--\r\n"
    reply = await app.admin.post(PATH, empty, Content_Type="multipart/form-data; boundary=x")
    assert (reply.status, list(reply.json["errors"])) == (422, ["file"])
    assert (await app.admin.post(PATH, b"x", Content_Type="multipart/form-data; boundary=x")).status == 400


@ensureDeferred
async def test_only_super_administrators_choose_another_space(app: Application) -> None:
    path = f"{PATH}?domain={TENANT}"
    assert (await send(app.super_admin, HEADER, ALICE, path=path)).status == 200
    assert app.sql("SELECT domain FROM accounts WHERE username = 'alice'") == [{"domain": TENANT}]
    assert (await send(app.super_admin, HEADER, BOB, path=f"{PATH}?domain=nowhere.org")).status == 403
    assert (await send(app.admin, HEADER, BOB, path=f"{PATH}?domain=localhost")).status == 200
    assert app.sql("SELECT domain FROM accounts WHERE username = 'bob'") == [{"domain": TENANT}]


@ensureDeferred
async def test_an_import_that_is_sent_again_is_answered_as_before(app: Application) -> None:
    first = await send(app.admin, HEADER, ALICE, Idempotency_Key="k")
    again = await send(app.admin, HEADER, ALICE, Idempotency_Key="k")
    assert (first.status, again.status, again.body == first.body) == (200, 200, True)
    assert (await send(app.admin, HEADER, BOB, Idempotency_Key="k")).status == 422
    assert app.sql("SELECT 1 FROM idempotency_marks") == []


@pytest.mark.parametrize("settings", [{"limits": {"max_body_size": 4096, "max_import_size": 300_000}}])
@ensureDeferred
async def test_a_file_may_be_larger_than_other_bodies_up_to_a_bound(app: Application) -> None:
    filler = [f"user{n},some_password,user,active,,,,,,,,," for n in range(4000)]
    large = await send(app.admin, HEADER, *filler, path=f"{PATH}?dry_run=1")
    assert (large.status, large.json["accounts"]) == (200, 4000)
    assert (await send(app.admin, HEADER, *filler, *filler)).status == 413
    assert (await send(app.admin, HEADER, *filler, path="/api/accounts")).status == 413


@pytest.mark.parametrize("settings", [{"limits": {"max_body_size": 4096}}])
@ensureDeferred
async def test_too_many_large_files_at_once_have_to_wait(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    filler = [f"user{n},some_password,user,active,,,,,,,,," for n in range(200)]
    path = f"{PATH}?dry_run=1"
    # In memory the next one begins while the one before is being put away.
    monkeypatch.setattr("flexid.http.request.LARGE_AT_ONCE", 2)
    for _ in range(4):
        assert (await send(app.admin, HEADER, *filler, path=path)).status == 200
    monkeypatch.setattr("flexid.http.request.LARGE_AT_ONCE", 0)
    crowded = await send(app.admin, HEADER, *filler, path=path)
    assert (crowded.status, crowded.headers["Retry-After"]) == (503, "1")
    assert (await send(app.admin, HEADER, ALICE, path=path)).status == 200


@ensureDeferred
async def test_a_format_that_there_is_not_is_refused(app: Application) -> None:
    imported = await send(app.admin, HEADER, path=f"{PATH}?format=xml")
    for reply in (imported, await app.admin.get("/api/accounts/export?format=xml")):
        assert (reply.status, list(reply.json["errors"])) == (422, ["format"])
    assert list((await send(app.admin, HEADER, path=f"{PATH}?dry_run=maybe")).json["errors"]) == ["dry_run"]


async def cells(browser: Browser, query: str = "") -> list[list[str]]:
    reply = await browser.get(f"/api/accounts/export{query}")
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    return list(csv.reader(io.StringIO(reply.text, newline="")))


@ensureDeferred
async def test_an_export_holds_every_account_once_in_slices(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_exports, "SLICE", 7)
    app.sql("INSERT INTO accounts (username, domain) SELECT 'user' || n, %s FROM generate_series(1, 50) n", TENANT)
    app.sql("DELETE FROM accounts WHERE username LIKE 'user1%%'")
    header, *rows = await cells(app.admin)
    assert header == list(COLUMNS.values())
    assert len(rows) == 40
    assert len({row[0] for row in rows}) == 40


@ensureDeferred
async def test_an_export_has_no_secret_and_no_formula(app: Application) -> None:
    await send(app.admin, HEADER, BOB)
    app.sql("UPDATE accounts SET email = '=HYPERLINK(1)', phone = '+33612345678' WHERE username = 'bob'")
    (row,) = [row for row in await cells(app.admin) if row[0] == "bob"]
    assert row == [
        *("bob", "", "user", "inactive", "'+33612345678", "'=HYPERLINK(1)"),
        *("bob2", "provider.example", "", "", "", "", "TCP"),
    ]
    lines = (await app.admin.get("/api/accounts/export?format=jsonl")).text
    hashes = app.sql("SELECT password FROM passwords UNION SELECT password FROM external_accounts")
    tokens = app.sql("SELECT token FROM provisioning_tokens")
    for secret in (row for found in (hashes, tokens) for row in found):
        assert not any(value in lines for value in secret.values())


@ensureDeferred
async def test_an_export_has_the_filters_of_the_list(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_exports, "SLICE", 2)
    for n in range(6):
        await app.has_account(f"user{n}", activated=n % 2 == 0, display_name="Zoé" if n > 3 else "Bob")
    assert [row[0] for row in (await cells(app.admin, "?search=zo%C3%A9"))[1:]] == ["user4", "user5"]
    assert [row[0] for row in (await cells(app.admin, "?activated=0"))[1:]] == ["user1", "user3", "user5"]
    assert [row[0] for row in (await cells(app.admin, "?search=bob&activated=1"))[1:]] == ["user0", "user2"]
    assert (await cells(app.admin, "?search=nobody"))[1:] == []
    assert len(await cells(app.super_admin, f"?domain={TENANT}")) == 8
    assert (await app.admin.get("/api/accounts/export?domain=localhost")).status == 404
    assert (await app.admin.get("/api/accounts/export?activated=maybe")).status == 422


def start(app: Application) -> tuple[Any, Any]:
    """Ask for an export, and return its connection."""
    transport, protocol = app.admin.connect()
    protocol.dataReceived(_head("GET", "/api/accounts/export", {"Host": app.admin.host, **app.admin.headers}))
    return transport, protocol


@ensureDeferred
async def test_an_export_that_nobody_reads_asks_for_nothing_more(
    app: Application, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account_exports, "SLICE", 10)
    app.sql("INSERT INTO accounts (username, domain) SELECT 'user' || n, %s FROM generate_series(1, 200) n", TENANT)
    transport, protocol = start(app)
    channel = protocol.channel
    await until(lambda: "slice of accounts" in asked)
    channel.pauseProducing()
    before = asked.count("slice of accounts")
    for _ in range(5):
        await app.admin.get("/api/accounts")
    assert asked.count("slice of accounts") <= before + 1
    assert app.database.busy == 0
    channel.resumeProducing()
    await until(lambda: b"user200" in transport.value() and transport.value().endswith(b"\r\n0\r\n\r\n"))
    assert transport.value().count(b",user,") == 200
    protocol.connectionLost(Failure(ConnectionDone()))


@ensureDeferred
async def test_a_client_that_hangs_up_ends_its_export(
    app: Application, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account_exports, "SLICE", 10)
    app.sql("INSERT INTO accounts (username, domain) SELECT 'user' || n, %s FROM generate_series(1, 2000) n", TENANT)
    _, protocol = start(app)
    await until(lambda: asked.count("slice of accounts") > 3)
    protocol.connectionLost(Failure(ConnectionDone()))
    await until(lambda: app.database.busy == 0)
    for _ in range(20):
        await app.admin.get("/api/accounts/me")
    assert asked.count("slice of accounts") < 30


@ensureDeferred
async def test_an_export_that_breaks_off_does_not_look_whole(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_exports, "SLICE", 10)
    app.sql("INSERT INTO accounts (username, domain) SELECT 'user' || n, %s FROM generate_series(1, 100) n", TENANT)
    read: Any = account_exports.read
    slices = []

    async def failing(*arguments: Any) -> Any:
        slices.append(1)
        if len(slices) > 3:
            app.sql("ALTER TABLE accounts RENAME TO gone")
        return await read(*arguments)

    monkeypatch.setattr(account_exports, "read", failing)
    transport, protocol = start(app)
    await transport.closed
    assert not transport.value().endswith(b"0\r\n\r\n")
    protocol.connectionLost(Failure(ConnectionDone()))


@ensureDeferred
async def test_the_head_of_an_export_tells_its_type(app: Application) -> None:
    reply = await app.admin.ask("HEAD", "/api/accounts/export?format=jsonl")
    assert (reply.status, reply.headers["Content-Type"], reply.body) == (200, "application/jsonl", b"")
    assert reply.headers["Content-Disposition"] == 'attachment; filename="accounts.jsonl"'
