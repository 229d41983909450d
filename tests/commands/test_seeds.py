from __future__ import annotations

import json
from typing import Any

import pytest
from commands.conftest import Shell
from support.reactor import asynchronous

from flexid.commands.command import Problem
from flexid.domain.errors import Conflict, Invalid

ALICE = {"type": "account", "id": 7, "username": "alice", "domain": "seeds.org"}
RANGE = {
    "type": "range",
    "id": "%id%",
    "username": "user_%usernamePostfix%",
    "domain": "seeds.org",
    "iteration": 3,
    "idStart": 100,
    "usernameStart": 9,
}


async def seed(shell: Shell, *entries: Any) -> Any:
    file = shell.directory / "seeds.json"
    file.write_text(json.dumps(entries))
    return await shell.type("accounts", "seed", str(file))


@asynchronous
async def test_an_account_gets_all_that_its_entry_says(shell: Shell) -> None:
    passwords = [{"hash": "abc", "algorithm": "MD5"}, {"hash": "def", "algorithm": "SHA-256"}]
    entry = {**ALICE, "phone": "+33612345678", "activated": False, "passwords": passwords}
    assert await seed(shell, entry) == {"accounts": 1, "spaces": ("seeds.org",)}
    assert shell.sql("SELECT id, username, domain, email, phone, activated, admin FROM accounts") == [
        (7, "alice", "seeds.org", "alice@seeds.org", "+33612345678", False, False)
    ]
    assert shell.sql("SELECT algorithm, password FROM passwords WHERE account_id = 7 ORDER BY 1") == [
        ("MD5", "abc"),
        ("SHA-256", "def"),
    ]
    assert shell.sql("SELECT account_id FROM provisioning_tokens WHERE token ~ '^[A-Za-z0-9]{13}$'") == [(7,)]


@asynchronous
async def test_a_missing_space_is_made_of_its_domain(shell: Shell) -> None:
    await seed(shell, ALICE)
    assert shell.sql("SELECT domain, host, name, super FROM spaces") == [("seeds.org", "seeds.org", "seeds.org", False)]
    assert shell.sql("SELECT realm FROM space_digest_authentication_configurations") == [("seeds.org",)]


@asynchronous
async def test_a_range_counts_ids_and_usernames_without_padding(shell: Shell) -> None:
    await seed(shell, {**RANGE, "passwords": [{"hash": "abc", "algorithm": "SHA-256"}]})
    assert shell.sql("SELECT id, username, email, activated FROM accounts ORDER BY id") == [
        (100, "user_9", "user_9@seeds.org", True),
        (101, "user_10", "user_10@seeds.org", True),
        (102, "user_11", "user_11@seeds.org", True),
    ]
    assert shell.sql("SELECT account_id, password FROM passwords ORDER BY 1") == [
        (100, "abc"),
        (101, "abc"),
        (102, "abc"),
    ]
    assert shell.sql("SELECT count(DISTINCT token) FROM provisioning_tokens") == [(3,)]
    assert shell.sql("SELECT sum(accounts) FROM account_counts WHERE domain <> ''") == [(3,)]


@asynchronous
async def test_the_email_has_the_username_encoded_as_in_a_url(shell: Shell) -> None:
    await seed(shell, {**ALICE, "username": "a+c!ü"})
    assert shell.sql("SELECT email FROM accounts") == [("a%2Bc%21%C3%BC@seeds.org",)]


@asynchronous
async def test_accounts_with_the_same_ids_are_replaced_with_all_that_was_theirs(shell: Shell) -> None:
    await seed(shell, RANGE)
    shell.sql("INSERT INTO account_dictionary_entries (account_id, key, value) VALUES (101, 'k', 'v'), (102, 'k', 'v')")
    await seed(shell, {**RANGE, "idStart": 101, "usernameStart": 10, "iteration": 1, "domain": "other.org"})
    assert shell.sql("SELECT id, username, domain FROM accounts ORDER BY id") == [
        (100, "user_9", "seeds.org"),
        (101, "user_10", "other.org"),
        (102, "user_11", "seeds.org"),
    ]
    assert shell.sql("SELECT account_id FROM account_dictionary_entries") == [(102,)]
    assert shell.sql("SELECT count(*) FROM account_names WHERE kind = 'tombstone'") == [(0,)]


@asynchronous
async def test_new_accounts_get_ids_past_the_highest(shell: Shell) -> None:
    await seed(shell, RANGE, ALICE)
    assert (await shell.type("accounts", "create-admin"))["id"] == 103
    await seed(shell, {**ALICE, "id": 50, "username": "bob"})
    assert (await shell.type("accounts", "create-admin", "-u", "bob2"))["id"] == 104


@asynchronous
async def test_a_name_of_another_account_is_refused_and_nothing_is_written(shell: Shell) -> None:
    await seed(shell, ALICE)
    with pytest.raises(Conflict, match=r"alice in seeds\.org is taken, username of the account 7"):
        await seed(shell, {**RANGE, "domain": "new.org"}, {**ALICE, "id": 8})
    assert shell.sql("SELECT id FROM accounts") == [(7,)]
    assert shell.sql("SELECT domain FROM spaces") == [("seeds.org",)]


@asynchronous
async def test_an_id_or_a_name_that_comes_twice_is_refused(shell: Shell) -> None:
    for twin in ({**ALICE, "username": "bob"}, {**ALICE, "id": 8}):
        with pytest.raises(Conflict, match="twice"):
            await seed(shell, ALICE, twin)
    assert shell.sql("SELECT count(*) FROM accounts") == [(0,)]


@asynchronous
async def test_names_may_be_exchanged(shell: Shell) -> None:
    bob = {**ALICE, "id": 8, "username": "bob"}
    await seed(shell, ALICE, bob)
    await seed(shell, {**ALICE, "id": 8}, {**bob, "id": 7})
    assert shell.sql("SELECT id, username FROM accounts ORDER BY id") == [(7, "bob"), (8, "alice")]


@pytest.mark.parametrize(
    ("entry", "where"),
    [
        ({**ALICE, "domain": "Not A Domain"}, "entry 1: domain"),
        ({**ALICE, "id": 0}, "entry 1: id"),
        ({**ALICE, "passwords": [{"hash": "a", "algorithm": "SHA-512"}]}, "entry 1: passwords.0.algorithm"),
        ({**RANGE, "username": "user"}, "entry 1: username"),
        ({**RANGE, "iteration": -1}, "entry 1: iteration"),
        ({"type": "something"}, "entry 1"),
        ("text", "entry 1"),
    ],
)
@asynchronous
async def test_what_is_wrong_in_a_file_is_named(shell: Shell, entry: Any, where: str) -> None:
    with pytest.raises(Invalid) as refusal:
        await seed(shell, entry)
    assert list(refusal.value.errors) == [where]


@asynchronous
async def test_a_file_that_is_not_there_is_named(shell: Shell) -> None:
    with pytest.raises(Problem, match=r"nothing\.json: No such file"):
        await shell.type("accounts", "seed", "nothing.json")
