"""Whom the claims of a token name, and when they count."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexid.domain.bearer import Claimed, InvalidToken, Issuer
from flexid.domain.sip_address import SipAddress

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ISSUER = Issuer("https://sso.example.org/", "twin", "sip_identity", None, None)
CLAIMS = {"iss": "https://sso.example.org/realms/twin", "exp": NOW.timestamp() + 1}
ALICE = SipAddress("alice", "example.org")


def read(issuer: Issuer = ISSUER, **claims: Any) -> Claimed:
    return issuer.read({**CLAIMS, **claims}, NOW)


def refusal(issuer: Issuer = ISSUER, **claims: Any) -> str:
    with pytest.raises(InvalidToken) as refused:
        read(issuer, **claims)
    return str(refused.value)


def test_the_challenge_names_server_and_realm() -> None:
    assert ISSUER.challenge() == 'Bearer authz_server="https://sso.example.org/realms/twin",realm="twin"'


def test_the_refusal_of_a_token_says_why() -> None:
    assert ISSUER.refusal(InvalidToken("Expired JWT token")) == (
        'Bearer authz_server="https://sso.example.org/realms/twin",realm="twin", error="invalid_token", '
        'error_description="Expired JWT token"'
    )


def test_a_realm_cannot_leave_its_quotes() -> None:
    issuer = Issuer("https://sso.example.org/", 'a",b="c', "sip_identity", None, None)
    assert issuer.challenge().endswith(r'realm="a\",b=\"c"')


@pytest.mark.parametrize("uri", ["sip:alice@example.org", "SIP:alice@Example.org:5060;transport=tls?subject=x"])
def test_a_sip_identity_names_an_address(uri: str) -> None:
    assert read(sip_identity=uri, email="alice@mail.example.org") == Claimed(address=ALICE)


def test_the_claim_of_the_address_has_the_name_that_was_configured() -> None:
    issuer = Issuer("https://sso.example.org/", "twin", "sip", None, None)
    assert read(issuer, sip="sip:alice@example.org", sip_identity="sip:bob@example.org") == Claimed(address=ALICE)


@pytest.mark.parametrize("identity", ["", "alice@example.org", "sip:alice", "sips:a@b.c", "sip:a b@c.d", 5, [], {}])
def test_a_malformed_sip_identity_is_refused_even_beside_an_email(identity: object) -> None:
    assert "SIP" in refusal(sip_identity=identity, email="alice@mail.example.org")


@pytest.mark.parametrize("verified", [{}, {"email_verified": True}, {"email_verified": None}])
def test_an_email_that_is_not_called_unverified_names_somebody(verified: dict[str, Any]) -> None:
    assert read(email="a@mail.example.org", **verified) == Claimed(email="a@mail.example.org")


@pytest.mark.parametrize("verified", [False, "false", "False"])
def test_an_unverified_email_names_nobody(verified: object) -> None:
    assert read(email="a@mail.example.org", email_verified=verified).email is None


@pytest.mark.parametrize("email", ["a\0@mail.example.org", "\ud800@mail.example.org", 5, ["a@b.c"], None])
def test_what_is_no_email_names_nobody(email: object) -> None:
    assert read(email=email) == Claimed()


@pytest.mark.parametrize("ended", [0, -1, float("nan")])
def test_an_expired_token_is_refused(ended: float) -> None:
    assert refusal(exp=NOW.timestamp() + ended) == "Expired JWT token"


@pytest.mark.parametrize("moment", [None, "1795454896", True, [], {}])
def test_a_token_without_a_readable_end_is_refused(moment: object) -> None:
    assert "exp" in refusal(exp=moment)


def test_a_token_counts_from_its_first_moment_on() -> None:
    assert refusal(nbf=NOW.timestamp() + 1) == "JWT token is not valid yet"
    assert "nbf" in refusal(nbf="soon")
    assert read(nbf=NOW.timestamp()) == Claimed()


@pytest.mark.parametrize("issuer", [None, ["x"], "https://sso.example.org/realms/other", f"{CLAIMS['iss']}/"])
def test_a_token_of_another_issuer_is_refused(issuer: object) -> None:
    assert refusal(iss=issuer) == "JWT token of another issuer"


@pytest.mark.parametrize(
    "names", [{"aud": "other"}, {"aud": ["other"], "azp": "third"}, {"azp": "other"}, {"aud": [{}]}]
)
def test_a_token_for_another_audience_is_refused_where_a_client_is_configured(names: dict[str, Any]) -> None:
    issuer = Issuer("https://sso.example.org/", "twin", "sip_identity", "flexid", None)
    assert "audience" in refusal(issuer, **names)
    assert read(**names) == Claimed()


@pytest.mark.parametrize(
    "names", [{}, {"aud": "flexid"}, {"aud": ["account", "flexid"]}, {"aud": "a", "azp": "flexid"}]
)
def test_a_token_for_or_by_the_configured_client_counts(names: dict[str, Any]) -> None:
    issuer = Issuer("https://sso.example.org/", "twin", "sip_identity", "flexid", None)
    assert read(issuer, **names) == Claimed()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(["exp", "nbf", "iss", "aud", "azp", "email", "email_verified", "sip_identity"])


@given(claims=st.dictionaries(NAMES, JSON))
def test_no_claims_cause_anything_but_an_answer_or_a_refusal(claims: dict[str, Any]) -> None:
    issuer = Issuer("https://sso.example.org/", "twin", "sip_identity", "flexid", None)
    with suppress(InvalidToken):
        issuer.read({**CLAIMS, **claims}, NOW)
