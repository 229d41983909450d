"""Imports and exports on the command line, which take the whole way: a process that checks, hashes and writes."""

from __future__ import annotations

from typing import Any

import pytest
from commands.conftest import Shell
from support.reactor import asynchronous
from twisted.internet.defer import DeferredList, ensureDeferred

from flexid.commands.command import Problem
from flexid.domain.account_imports import COLUMNS
from flexid.domain.errors import Invalid
from flexid.services.import_process import ImportRun

HEADER = ",".join(COLUMNS.values())
ALICE = "alice,alice_password,admin,active,+33612345678,alice@example.org,,,,,,,"
BOB = "bob,bob_password,user,inactive,,,bob2,provider.example,x,,,,TCP"
DOMAIN = "localhost"


async def take(shell: Shell, *lines: str, domain: str = DOMAIN, more: tuple[str, ...] = ()) -> Any:
    shell.sql("UPDATE phone_countries SET activated = true WHERE code = 'FR'")
    file = shell.directory / "accounts.csv"
    file.write_text("\n".join([HEADER, *lines, ""]))
    return await shell.type("accounts", "import", str(file), "--domain", domain, *more)


async def refused(shell: Shell, *lines: str) -> dict[str, list[str]]:
    with pytest.raises(Invalid) as refusal:
        await take(shell, *lines)
    assert shell.sql("SELECT count(*) FROM account_imports") == shell.sql("SELECT count(*) FROM account_import_rows")
    return {place: [str(reason) for reason in reasons] for place, reasons in refusal.value.errors.items()}


@asynchronous
async def test_accounts_of_a_file_get_all_that_their_lines_say(spaced_shell: Shell) -> None:
    assert await take(spaced_shell, ALICE, BOB) == {
        "accounts": 2,
        "admins": 1,
        "active": 1,
        "external_accounts": 1,
        "imported": True,
    }
    assert spaced_shell.sql("SELECT username, domain, email, phone, activated, admin, user_agent FROM accounts") == [
        ("alice", DOMAIN, "alice@example.org", "+33612345678", True, True, "flexid"),
        ("bob", DOMAIN, None, None, False, False, "flexid"),
    ]
    assert spaced_shell.sql(
        "SELECT username, algorithm FROM passwords p JOIN accounts a ON a.id = p.account_id"
        " WHERE password = encode(sha256((username || ':localhost:' || username || '_password')::bytea), 'hex')"
    ) == [("alice", "SHA-256"), ("bob", "SHA-256")]
    assert spaced_shell.sql(
        "SELECT username, domain, protocol, password = md5('bob2:provider.example:x') FROM external_accounts"
    ) == [("bob2", "provider.example", "TCP", True)]
    assert spaced_shell.sql("SELECT count(*) FROM provisioning_tokens WHERE token ~ '^[A-Za-z0-9]{13}$'") == [(2,)]
    assert spaced_shell.sql("SELECT sum(accounts) FROM account_counts WHERE domain <> ''") == [(2,)]
    assert spaced_shell.sql("SELECT count(*) FROM outbox WHERE channel = 'b2bua'") == [(1,)]
    assert spaced_shell.sql("SELECT count(*) FROM account_import_rows") == [(0,)]


@asynchronous
async def test_a_dry_run_tells_the_same_and_writes_nothing(spaced_shell: Shell) -> None:
    assert (await take(spaced_shell, ALICE, BOB, more=("--dry-run",)))["imported"] is False
    assert spaced_shell.sql("SELECT count(*) FROM accounts") == [(0,)]


@asynchronous
async def test_one_wrong_line_lets_nothing_be_written(spaced_shell: Shell) -> None:
    assert await refused(spaced_shell, ALICE, BOB.replace("bob_password", "short"), "x") == {
        "line 3 Password": ["The password must have at least 8 characters"],
        "line 4": ["The line has 1 columns instead of 13"],
    }
    assert spaced_shell.sql("SELECT count(*) FROM accounts") == [(0,)]


@asynchronous
async def test_what_comes_twice_in_a_file_is_named_with_the_line_where_it_came_first(spaced_shell: Shell) -> None:
    twin = BOB.replace("inactive,,", "inactive,+33612345678,ALICE@example.org").replace("bob,", "alice,", 1)
    assert await refused(spaced_shell, ALICE, twin, BOB) == {
        "line 3 Email": ["The same stands in line 2"],
        "line 3 Phone": ["The same stands in line 2"],
        "line 3 Username": ["The same stands in line 2"],
        "line 4 External Username": ["The same stands in line 3"],
    }


@asynchronous
async def test_what_somebody_has_or_had_is_refused(spaced_shell: Shell) -> None:
    await take(spaced_shell, ALICE, BOB)
    spaced_shell.sql(
        "INSERT INTO account_names (domain, name, kind) VALUES ('localhost', 'carol', 'tombstone');"
        "UPDATE accounts SET username = 'other' WHERE username = 'alice'"
    )
    carol = BOB.replace("bob,", "carol,", 1).replace("inactive,,", "inactive,+33612345678,alice@example.org")
    assert await refused(spaced_shell, carol) == {
        "line 2 Email": ["The email has already been taken."],
        "line 2 External Username": ["Another account has this external account"],
        "line 2 Phone": ["The phone has already been taken."],
        "line 2 Username": ["The username has already been taken."],
    }


@asynchronous
async def test_an_email_may_come_twice_where_the_space_allows_it(spaced_shell: Shell) -> None:
    spaced_shell.sql("UPDATE spaces SET unique_email = false")
    twin = "carol,carol_password,user,active,,alice@example.org,,,,,,,"
    assert (await take(spaced_shell, ALICE, twin))["accounts"] == 2


@asynchronous
async def test_a_space_takes_no_more_than_it_may_have(spaced_shell: Shell) -> None:
    spaced_shell.sql("UPDATE spaces SET max_accounts = 1")
    assert await refused(spaced_shell, ALICE, BOB) == {"file": ["There is room for 1 further accounts only"]}
    assert (await take(spaced_shell, ALICE))["accounts"] == 1


@asynchronous
async def test_problems_are_counted_beyond_those_that_are_named(spaced_shell: Shell) -> None:
    problems = await refused(spaced_shell, *[f"user{n},x,user,active,,,,,,,,," for n in range(150)])
    assert len(problems) == 101
    assert problems["line 101 Password"]
    assert problems["and"] == ["50 more problems"]


@asynchronous
async def test_a_file_without_accounts_is_refused(spaced_shell: Shell) -> None:
    assert await refused(spaced_shell) == {"file": ["The file holds no accounts"]}


@asynchronous
async def test_a_byte_order_mark_and_line_ends_of_windows_do_no_harm(spaced_shell: Shell) -> None:
    file = spaced_shell.directory / "windows.csv"
    file.write_bytes(f"\ufeff{HEADER}\r\nzoé,x\r\n".encode().replace("zoé,x".encode(), BOB.encode()))
    assert (await spaced_shell.type("accounts", "import", str(file), "--domain", DOMAIN))["accounts"] == 1


@asynchronous
async def test_of_two_imports_of_the_same_names_one_is_refused(spaced_shell: Shell) -> None:
    lines = [f"user{n},some_password,user,active,,,,,,,,," for n in range(500)]
    files = [spaced_shell.directory / name for name in ("one.csv", "two.csv")]
    files[0].write_text("\n".join([HEADER, *lines]))
    files[1].write_text("\n".join([HEADER, *reversed(lines)]))
    typed = [spaced_shell.type("accounts", "import", str(file), "--domain", DOMAIN) for file in files]
    outcomes = await DeferredList([ensureDeferred(each) for each in typed], consumeErrors=True)
    assert sorted(went_well for went_well, _ in outcomes) == [False, True]
    assert spaced_shell.sql("SELECT count(*) FROM accounts") == [(500,)]


@asynchronous
async def test_a_process_that_dies_leaves_nothing(spaced_shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    connection_made = ImportRun.connectionMade

    def kill(self: ImportRun) -> None:
        connection_made(self)
        self.transport.signalProcess("KILL")

    monkeypatch.setattr(ImportRun, "connectionMade", kill)
    with pytest.raises(Exception, match="broke off"):
        await take(spaced_shell, ALICE)
    assert spaced_shell.sql("SELECT count(*) FROM accounts") == [(0,)]
    assert spaced_shell.sql("SELECT count(*) FROM account_imports") == [(0,)]


@asynchronous
async def test_an_export_can_be_imported_once_passwords_are_filled_in(spaced_shell: Shell) -> None:
    await take(spaced_shell, ALICE, BOB)
    file = spaced_shell.directory / "export.csv"
    await spaced_shell.type("accounts", "export", "--output", str(file), "--json")
    text = file.read_bytes().decode()
    assert text.splitlines()[1:] == [
        "alice,,admin,active,'+33612345678,alice@example.org,,,,,,,",
        "bob,,user,inactive,,,bob2,provider.example,,,,,TCP",
    ]
    await spaced_shell.type("spaces", "create-update", "other.localhost", "other.localhost")
    spaced_shell.sql("DELETE FROM external_accounts")
    file.write_text(
        text.replace(",,admin", ",a_password,admin")
        .replace(",,user", ",a_password,user")
        .replace("example,,", "example,x,")
    )
    again = await spaced_shell.type("accounts", "import", str(file), "--domain", "other.localhost")
    assert (again["accounts"], again["external_accounts"]) == (2, 1)


@asynchronous
async def test_an_export_goes_to_standard_output_where_no_file_is_named(
    spaced_shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    await take(spaced_shell, ALICE)
    capsys.readouterr()
    outcome = await spaced_shell.outcome("accounts", "export", "--format", "jsonl", "--domain", DOMAIN)
    printed = capsys.readouterr().out + outcome.text + "\n"
    assert printed.count("\n") == 1
    assert '"username": "alice"' in printed


@asynchronous
async def test_what_is_not_there_is_named(spaced_shell: Shell) -> None:
    with pytest.raises(Problem, match="No such file"):
        await spaced_shell.type("accounts", "import", "nothing.csv", "--domain", DOMAIN)
    with pytest.raises(Problem, match="no Space has the domain"):
        await take(spaced_shell, ALICE, domain="nowhere.org")
    with pytest.raises(Problem, match="No such file"):
        await spaced_shell.type("accounts", "export", "--output", "/nonexistent/file")
    with pytest.raises(Problem, match="--output"):
        await spaced_shell.type("accounts", "export", "--json")
