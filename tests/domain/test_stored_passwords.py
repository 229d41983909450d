"""Passwords as they are stored."""

from __future__ import annotations

import pytest

from flexid.domain.passwords import ALGORITHMS, StoredPassword, hash_password, matches


def test_the_hash_is_the_ha1_of_sip() -> None:
    # printf 'alice:sip.test:secret' | md5sum, sha256sum
    assert hash_password("MD5", "alice", "sip.test", "secret") == StoredPassword(
        "MD5", "5d7c3e6a72bc001abe5e0ebb4efc8d4b"
    )
    assert hash_password("SHA-256", "alice", "sip.test", "secret") == StoredPassword(
        "SHA-256", "15549e745f50c993109724e9821d7a7d45a7dc5cf299340edd95daf3a58b7bad"
    )


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("password", ["secret", "pässwörd ☎", "p:q", "\ud800"])
def test_only_the_password_itself_matches(algorithm: str, password: str) -> None:
    stored = hash_password(algorithm, "alice", "sip.test", password)
    assert matches(stored, "alice", "sip.test", password)
    assert not matches(stored, "alice", "sip.test", password + " ")
    assert not matches(stored, "bob", "sip.test", password)
    assert not matches(stored, "alice", "another.test", password)


def test_no_hash_is_in_a_repr() -> None:
    stored = hash_password("MD5", "alice", "sip.test", "secret")
    assert stored.ha1 not in repr(stored)
