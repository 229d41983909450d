"""Passwords of names that nobody has."""

from __future__ import annotations

from collections import Counter

import pytest

from flexid.domain.decoys import Proportions, decoy_passwords
from flexid.domain.passwords import ALGORITHMS, hash_password

KEY = b"k" * 32
MIXED: Proportions = {("SHA-256",): 7, ("MD5",): 2, ("MD5", "SHA-256"): 1}


def kind(username: str, proportions: Proportions = MIXED, key: bytes = KEY) -> tuple[str, ...]:
    return tuple(password.algorithm for password in decoy_passwords(key, username, "r", proportions))


def test_a_name_has_the_same_decoy_whenever_it_is_asked_for() -> None:
    backwards = dict(reversed(list(MIXED.items())))
    assert decoy_passwords(KEY, "nobody", "r", MIXED) == decoy_passwords(KEY, "nobody", "r", backwards)


def test_decoys_come_in_the_proportions_of_the_real_ones() -> None:
    drawn = Counter(kind(f"user{number}") for number in range(4_000))
    assert {algorithms: round(times / 400) for algorithms, times in drawn.items()} == MIXED


def test_what_no_account_has_is_never_drawn() -> None:
    assert {kind(f"user{number}", {("MD5",): 1, ("SHA-256",): 0}) for number in range(200)} == {("MD5",)}


def test_nobody_can_foresee_a_decoy_without_the_key() -> None:
    others = [kind(f"user{number}", key=b"l" * 32) for number in range(200)]
    assert others != [kind(f"user{number}") for number in range(200)]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_decoy_looks_like_a_hash_and_belongs_to_name_and_realm(algorithm: str) -> None:
    (decoy,) = decoy_passwords(KEY, "nobody", "r", {(algorithm,): 1})
    (namesake,) = decoy_passwords(KEY, "nobody", "s", {(algorithm,): 1})
    assert len(decoy.ha1) == len(hash_password(algorithm, "a", "r", "p").ha1)
    assert decoy.ha1 != namesake.ha1
