from __future__ import annotations

import hashlib

import pytest
from commands.conftest import Shell
from support.reactor import asynchronous

from flexid.commands.command import Problem
from flexid.domain.errors import Forbidden, Invalid, NotFound

ACCOUNT = "SELECT username, domain, admin, activated FROM accounts WHERE id = {id}"


def ha1(username: str, realm: str, password: str) -> str:
    return hashlib.sha256(f"{username}:{realm}:{password}".encode()).hexdigest()


@asynchronous
async def test_without_options_it_is_admin_of_the_first_space_with_a_random_password(spaced_shell: Shell) -> None:
    await spaced_shell.type("spaces", "create-update", "later.org", "later.localhost")
    made = await spaced_shell.type("accounts", "create-admin")
    assert set(made) == {"id", "username", "domain", "password", "api_key"}
    assert spaced_shell.sql(ACCOUNT.format(**made)) == [("admin", "localhost", True, True)]
    assert spaced_shell.sql("SELECT password FROM passwords") == [(ha1("admin", "localhost", made["password"]),)]
    assert len(made["password"]) >= 16


@asynchronous
async def test_the_key_works_from_anywhere_for_ever_unless_an_address_is_named(spaced_shell: Shell) -> None:
    anywhere = await spaced_shell.type("accounts", "create-admin")
    bound = await spaced_shell.type("accounts:create-admin-account", "-u", "bob", "-k", "2001:DB8::0001")
    rows = spaced_shell.sql("SELECT kind, ip, expires_after_last_used_minutes, key_hash FROM api_keys ORDER BY id")
    assert [row[:3] for row in rows] == [("admin", None, 0), ("admin", "2001:db8::1", 0)]
    hashes = [hashlib.sha256(made["api_key"].encode()).digest() for made in (anywhere, bound)]
    assert [bytes(row[3]) for row in rows] == hashes


@asynchronous
async def test_it_gets_a_provisioning_token_as_every_account_does(spaced_shell: Shell) -> None:
    made = await spaced_shell.type("accounts", "create-admin")
    assert spaced_shell.sql("SELECT account_id FROM provisioning_tokens WHERE used_at IS NULL") == [(made["id"],)]


@asynchronous
async def test_an_existing_account_is_left_alone(spaced_shell: Shell) -> None:
    await spaced_shell.type("accounts", "create-admin", "-p", "first password")
    with pytest.raises(Problem, match="--overwrite"):
        await spaced_shell.type("accounts", "create-admin", "-p", "second password")
    assert spaced_shell.sql("SELECT password FROM passwords") == [(ha1("admin", "localhost", "first password"),)]
    assert spaced_shell.sql("SELECT count(*) FROM api_keys") == [(1,)]


@asynchronous
async def test_overwriting_keeps_the_id_and_replaces_the_password(spaced_shell: Shell) -> None:
    first = await spaced_shell.type("accounts", "create-admin", "-p", "first password")
    spaced_shell.sql("UPDATE accounts SET admin = false, activated = false, email = 'a@b.org'")
    second = await spaced_shell.type("accounts", "create-admin", "-p", "second password", "--overwrite")
    assert second["id"] == first["id"]
    assert spaced_shell.sql(ACCOUNT.format(**first)) == [("admin", "localhost", True, True)]
    assert spaced_shell.sql("SELECT email FROM accounts") == [("a@b.org",)]
    assert spaced_shell.sql("SELECT password FROM passwords") == [(ha1("admin", "localhost", "second password"),)]


@asynchronous
async def test_what_the_rules_forbid_is_refused(spaced_shell: Shell) -> None:
    with pytest.raises(Invalid):
        await spaced_shell.type("accounts", "create-admin", "-p", "short")
    with pytest.raises(Invalid):
        await spaced_shell.type("accounts", "create-admin", "-u", "Not Lower")
    with pytest.raises(NotFound, match="domain nowhere"):
        await spaced_shell.type("accounts", "create-admin", "-d", "nowhere.org")
    assert spaced_shell.sql("SELECT count(*) FROM accounts") == [(0,)]


@asynchronous
async def test_a_full_space_takes_none(spaced_shell: Shell) -> None:
    spaced_shell.sql("UPDATE spaces SET max_accounts = 1")
    await spaced_shell.type("accounts", "create-admin")
    with pytest.raises(Forbidden, match="localhost is full"):
        await spaced_shell.type("accounts", "create-admin", "-u", "bob")


@asynchronous
async def test_a_name_that_a_deleted_account_left_is_taken(spaced_shell: Shell) -> None:
    spaced_shell.sql("INSERT INTO account_names (domain, name, kind) VALUES ('localhost', 'gone', 'tombstone')")
    with pytest.raises(Invalid, match="deleted account"):
        await spaced_shell.type("accounts", "create-admin", "-u", "gone")


@asynchronous
async def test_a_space_without_digest_stores_no_password(spaced_shell: Shell) -> None:
    spaced_shell.sql("DELETE FROM space_digest_authentication_configurations")
    made = await spaced_shell.type("accounts", "create-admin", "-p", "whatever it is")
    assert made["password"] is None
    assert spaced_shell.sql("SELECT count(*) FROM passwords") == [(0,)]


@asynchronous
async def test_without_any_space_the_command_to_make_one_is_named(shell: Shell) -> None:
    with pytest.raises(NotFound, match="spaces create-update"):
        await shell.type("accounts", "create-admin")


@asynchronous
async def test_an_account_becomes_an_administrator(spaced_shell: Shell) -> None:
    made = await spaced_shell.type("accounts", "create-admin")
    spaced_shell.sql("UPDATE accounts SET admin = false")
    await spaced_shell.type("accounts", "set-admin", str(made["id"]))
    assert spaced_shell.sql("SELECT admin FROM accounts") == [(True,)]
    with pytest.raises(NotFound, match="99"):
        await spaced_shell.type("accounts:set-admin", "99")
