"""Nonces without storage."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from flexid.domain.nonces import Holder, age, issue

KEY = b"k" * 32
NOW = 1_800_000_000.25
ALICE = Holder(opaque="0f" * 32, client_address="192.0.2.1", username="alice", realm="sip.example.org")


def test_a_nonce_is_64_hex_digits_that_know_their_age() -> None:
    nonce = issue(KEY, NOW, ALICE)
    assert len(nonce) == 64
    assert int(nonce, 16)
    assert age(KEY, NOW + 90, nonce, ALICE) == 90


@pytest.mark.parametrize("change", ["opaque", "client_address", "username", "realm"])
def test_a_nonce_is_no_one_else_s(change: str) -> None:
    nonce = issue(KEY, NOW, ALICE)
    assert age(KEY, NOW, nonce, evolve(ALICE, **{change: "another"})) is None


def test_neighbouring_fields_do_not_run_into_each_other() -> None:
    nonce = issue(KEY, NOW, evolve(ALICE, username="ab", realm="c"))
    assert age(KEY, NOW, nonce, evolve(ALICE, username="a", realm="bc")) is None


def test_a_nonce_of_another_key_is_none_of_ours() -> None:
    assert age(b"l" * 32, NOW, issue(KEY, NOW, ALICE), ALICE) is None


def test_the_time_in_a_nonce_cannot_be_changed() -> None:
    nonce = issue(KEY, NOW, ALICE)
    later = issue(KEY, NOW + 3600, ALICE)
    assert age(KEY, NOW, later[:16] + nonce[16:], ALICE) is None


@given(st.text() | st.text(alphabet="0123456789abcdef", min_size=64, max_size=64))
def test_what_was_not_issued_has_no_age(nonce: str) -> None:
    assert age(KEY, NOW, nonce, ALICE) is None
