from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred
from support.application import TENANT, Application
from support.portal import Visitor
from support.reactor import reactor
from support.web import Reply
from twisted.internet.task import deferLater

from flexid.domain.account_imports import COLUMNS
from flexid.services.import_process import ImportRun

HEADER = ",".join(COLUMNS.values())
ALICE = "alice,alice_password,admin,active,,alice@example.org,,,,,,,"
BOB = "bob,bob_password,user,inactive,,,bob2,provider.example,x,,,,TCP"
PATH = "/admin/accounts/import"
SCRIPT = '"><script>alert(1)</script>'


async def upload(visitor: Visitor, *lines: str, name: str = "file", token: str | None = None, **fields: str) -> Reply:
    await visitor.open(PATH)
    sent = {"csrf_token": visitor.csrf_token if token is None else token, **fields}
    parts = [f'Content-Disposition: form-data; name="{key}"\r\n\r\n{value}' for key, value in sent.items()]
    content = "\r\n".join(lines)
    parts.append(f'Content-Disposition: form-data; name="{name}"; filename="a.csv"\r\n\r\n{content}')
    body = "".join(f"--x\r\n{part}\r\n" for part in parts).encode() + b"--x--\r\n"
    headers = {"Accept": "text/html", "Content-Type": "multipart/form-data; boundary=x", **visitor._cookie()}
    return visitor._remember(await visitor.browser.ask("POST", PATH, body, **headers))


async def settled(visitor: Visitor) -> Reply:
    """Return the page once it has come to rest."""
    while True:
        reply = await visitor.open(PATH)
        if reply.headers["Refresh"] is None:
            return reply
        assert reply.headers["Refresh"] == "2"
        await deferLater(reactor, 0.02, lambda: None)


def usernames(app: Application) -> set[str]:
    return {row["username"] for row in app.sql("SELECT username FROM accounts")} - {"admin", "chief", "boss"}


@ensureDeferred
async def test_a_file_is_checked_first_and_its_accounts_created_when_that_is_confirmed(app: Application) -> None:
    chief = await app.chief()
    assert (await upload(chief, HEADER, ALICE, BOB)).headers["Location"] == PATH
    page = await settled(chief)
    assert "Nothing is wrong with the file" in page.text
    assert "Create 2 accounts" in page.text
    assert usernames(app) == set()
    (waiting,) = app.sql("SELECT id FROM account_imports")
    assert (await chief.submit(f"{PATH}/confirm", {"id": str(waiting["id"])})).status == 303
    page = await settled(chief)
    assert "2 accounts created." in page.text
    assert usernames(app) == {"alice", "bob"}
    assert app.sql("SELECT 1 FROM account_import_rows") == []
    await app.signed_in("alice")
    assert (await chief.submit(f"{PATH}/drop")).status == 303
    assert app.sql("SELECT 1 FROM account_imports") == []


@ensureDeferred
async def test_problems_are_shown_and_nothing_waits(app: Application) -> None:
    chief = await app.chief()
    await upload(chief, HEADER, ALICE, BOB.replace("bob_password", "x"), ALICE)
    page = await settled(chief)
    assert "Nothing was created: the file has 3 problems." in page.text
    assert "The password must have at least 8 characters" in page.text
    assert "The same stands in line 2" in page.text
    assert "Check the file" in page.text
    assert app.sql("SELECT 1 FROM account_import_rows") == []
    assert usernames(app) == set()


@ensureDeferred
async def test_what_stands_in_a_file_cannot_become_a_script(app: Application) -> None:
    chief = await app.chief()
    await upload(chief, HEADER, ",".join([SCRIPT.replace('"', '""').join('""')] * 13), SCRIPT)
    page = await settled(chief)
    assert "problems" in page.text
    assert "<script>alert" not in page.text


@ensureDeferred
async def test_a_form_without_a_file_is_asked_for_again(app: Application) -> None:
    chief = await app.chief()
    reply = await upload(chief, HEADER, name="other")
    assert (reply.status, "The file field is required." in reply.text) == (422, True)


@ensureDeferred
async def test_a_form_of_somebody_else_uploads_nothing(app: Application) -> None:
    chief = await app.chief()
    assert (await upload(chief, HEADER, ALICE, token="0" * 32)).status == 403
    assert app.sql("SELECT 1 FROM account_imports") == []


@ensureDeferred
async def test_a_file_is_its_sessions_alone_and_goes_with_it(app: Application) -> None:
    chief = await app.chief()
    await upload(chief, HEADER, ALICE)
    await settled(chief)
    (waiting,) = app.sql("SELECT id FROM account_imports")
    other = await app.signed_in("chief")
    assert "Check the file" in (await other.open(PATH)).text
    reply = await other.submit(f"{PATH}/confirm", {"id": str(waiting["id"])})
    assert "This file waits no longer" in (await other.follow(reply)).text
    assert usernames(app) == set()
    app.sql("DELETE FROM sessions")
    assert app.sql("SELECT 1 FROM account_imports UNION SELECT 1 FROM account_import_rows") == []


@ensureDeferred
async def test_another_file_replaces_the_one_before(app: Application) -> None:
    chief = await app.chief()
    for line in (ALICE, BOB):
        await upload(chief, HEADER, line)
        await settled(chief)
    assert app.sql("SELECT username FROM account_import_rows") == [{"username": "bob"}]


@ensureDeferred
async def test_what_is_taken_between_check_and_confirmation_is_told(app: Application) -> None:
    chief = await app.chief()
    await upload(chief, HEADER, ALICE, BOB)
    await settled(chief)
    await app.has_account("bob")
    (waiting,) = app.sql("SELECT id FROM account_imports")
    await chief.submit(f"{PATH}/confirm", {"id": str(waiting["id"])})
    page = await settled(chief)
    assert "the file has 1 problem." in page.text
    assert "The username has already been taken." in page.text
    assert usernames(app) == {"bob"}


@ensureDeferred
async def test_passwords_hashed_for_another_realm_are_not_written(app: Application) -> None:
    chief = await app.chief()
    await upload(chief, HEADER, ALICE)
    await settled(chief)
    await app.change("UPDATE space_digest_authentication_configurations SET realm = 'other'")
    (waiting,) = app.sql("SELECT id FROM account_imports")
    await chief.submit(f"{PATH}/confirm", {"id": str(waiting["id"])})
    assert "How the Space stores passwords has changed meanwhile" in (await settled(chief)).text
    assert usernames(app) == set()


@ensureDeferred
async def test_an_import_whose_process_died_says_so(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    chief = await app.chief()
    made = ImportRun.connectionMade

    def kill(self: ImportRun) -> None:
        made(self)
        self.transport.signalProcess("KILL")

    monkeypatch.setattr(ImportRun, "connectionMade", kill)
    await upload(chief, HEADER, ALICE)
    page = await settled(chief)
    assert "The import broke off." in page.text
    # So does one whose whole flexid died, once nobody has been heard of for a while.
    app.sql("UPDATE account_imports SET state = 'writing', alive_at = now() - interval '1 minute'")
    assert "The import broke off." in (await chief.open(PATH)).text


@ensureDeferred
async def test_a_file_that_nobody_comes_back_for_is_cleared(app: Application) -> None:
    chief = await app.chief()
    await upload(chief, HEADER, ALICE)
    await settled(chief)
    assert await app.services.housekeeping.clear_account_imports() == 0
    app.sql("UPDATE account_imports SET created_at = created_at - interval '61 minutes'")
    assert await app.services.housekeeping.clear_account_imports() == 1
    assert app.sql("SELECT 1 FROM account_import_rows") == []


@ensureDeferred
async def test_a_super_administrator_chooses_the_space(app: Application) -> None:
    boss = await app.boss("localhost")
    assert f'<option value="{TENANT}"' in (await boss.open(PATH)).text
    await upload(boss, HEADER, ALICE, domain=TENANT)
    await settled(boss)
    assert app.sql("SELECT domain FROM account_imports") == [{"domain": TENANT}]
    chief = await app.chief()
    await upload(chief, HEADER, ALICE, domain="localhost")
    assert app.sql("SELECT domain FROM account_imports ORDER BY id") == [{"domain": TENANT}] * 2


@ensureDeferred
async def test_the_list_offers_what_it_shows_as_a_file(app: Application) -> None:
    chief = await app.chief()
    await app.has_account("alice")
    page = await chief.open("/admin/accounts?q=alice")
    assert 'href="/admin/accounts/export?q=alice&amp;sort=username"' in page.text
    exported = await chief.open("/admin/accounts/export?q=alice&sort=username")
    assert exported.headers["Content-Disposition"] == f'attachment; filename="accounts-{TENANT}.csv"'
    assert exported.headers["X-Content-Type-Options"] == "nosniff"
    assert [line.split(",")[0] for line in exported.text.splitlines()] == ["Username", "alice"]
    assert (await chief.open("/admin/accounts/export?domain=localhost")).status == 404
