"""Usernames that are made of email addresses."""

from __future__ import annotations

from itertools import islice

import pytest

from flexid.base.settings import Accounts
from flexid.domain.names import USERNAME_LENGTH
from flexid.domain.provisioned_names import candidates
from flexid.services.account_rules import AccountRules


def names(email: str, count: int = 2, **settings: object) -> list[str]:
    rules = AccountRules(Accounts.model_validate(settings))
    return [*islice(candidates(email, rules.allow_username), count)]


@pytest.mark.parametrize(
    ("email", "name"),
    [
        ("alice@mail.example.org", "alice"),
        ("Alice.Martin+sip@mail.example.org", "alice.martin+sip"),
        ("o'connor@mail.example.org", "o-connor"),
        ("{a}/b@mail.example.org", "a-b"),
        ("+33612345678@mail.example.org", "33612345678"),
        ("!!!@mail.example.org", "user"),
        ('"a b"@mail.example.org', "a-b"),
    ],
)
def test_a_name_is_the_local_part_made_valid(email: str, name: str) -> None:
    assert names(email) == [name, f"{name}2"]


def test_a_name_that_nobody_gets_is_numbered() -> None:
    assert names("admin@mail.example.org", username_blacklist=["admin"]) == ["admin2", "admin3"]


def test_a_long_name_leaves_room_for_its_number() -> None:
    every = names("a" * 64 + "@mail.example.org", 200)
    assert every[0] == "a" * 64
    assert every[1] == "a" * 63 + "2"
    assert {len(name) for name in every} == {USERNAME_LENGTH}
    assert len({*every}) == len(every) > 100


def test_names_follow_the_operators_own_rule() -> None:
    assert names("a.b-c@mail.example.org", username_regex="^[a-z]+[0-9]*$") == ["abc", "abc2"]
    assert names("alice@mail.example.org", username_regex="^[0-9]+$") == []
