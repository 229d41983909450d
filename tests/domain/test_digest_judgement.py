"""Digest answers, from the hashes to the verdict."""

from __future__ import annotations

import pytest
from attrs import evolve

from flexid.domain.digest import Expected, Verdict, expected_response, ha1, is_same_target, judge
from flexid.domain.digest_header import DigestAnswer, parse_authorization

RFC_RESPONSES = {
    "MD5": "8ca523f5e9506fed4657c9700eebdbec",
    "SHA-256": "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
}
LIFETIME = 3600.0


def rfc_answer(algorithm: str) -> DigestAnswer:
    """Return the answer of RFC 7616 section 3.9.1."""
    answer = parse_authorization(
        'Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", '
        f"algorithm={algorithm}, "
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, '
        'cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, '
        f'response="{RFC_RESPONSES[algorithm]}", '
        'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
    )
    assert answer
    return answer


def mufasa(*algorithms: str) -> Expected:
    return Expected(
        method="GET",
        target="/dir/index.html",
        username="Mufasa",
        realm="http-auth@example.org",
        ha1s={name: ha1(name, "Mufasa", "http-auth@example.org", "Circle of Life") for name in algorithms},
    )


def verdict(answer: DigestAnswer, expected: Expected | None = None, unused_for: float | None = 1.0) -> Verdict:
    return judge(answer, expected or mufasa("MD5", "SHA-256"), unused_for, LIFETIME)


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_the_response_is_that_of_the_rfc(algorithm: str) -> None:
    secret = ha1(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life")
    assert expected_response(rfc_answer(algorithm), "GET", secret) == RFC_RESPONSES[algorithm]


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_an_answer_that_knows_the_password_is_right(algorithm: str) -> None:
    assert verdict(rfc_answer(algorithm)) is Verdict.RIGHT
    assert verdict(rfc_answer(algorithm), mufasa(algorithm)) is Verdict.RIGHT


@pytest.mark.parametrize(("asked", "stored"), [("MD5", "SHA-256"), ("SHA-256", "MD5")])
def test_an_algorithm_that_the_account_does_not_store_is_wrong(asked: str, stored: str) -> None:
    assert verdict(rfc_answer(asked), mufasa(stored)) is Verdict.WRONG


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_an_account_without_passwords_lets_nobody_in(algorithm: str) -> None:
    answer = rfc_answer(algorithm)
    answer = evolve(answer, response=expected_response(answer, "GET", ""))
    assert verdict(answer, mufasa()) is Verdict.WRONG


@pytest.mark.parametrize(
    "change",
    [
        {"response": "0" * 64},
        {"response": "é"},
        {"response": RFC_RESPONSES["SHA-256"][:-1]},
        {"nonce": "another"},
        {"nc": "00000002"},
        {"cnonce": "another"},
    ],
)
def test_a_response_over_anything_else_is_wrong(change: dict[str, str]) -> None:
    assert verdict(evolve(rfc_answer("SHA-256"), **change)) is Verdict.WRONG


def test_the_method_is_bound() -> None:
    assert verdict(rfc_answer("MD5"), evolve(mufasa("MD5"), method="DELETE")) is Verdict.WRONG


@pytest.mark.parametrize(
    "change",
    [
        {"qop": "auth-int"},
        {"qop": ""},
        {"nc": "00000000"},
        {"nc": "1"},
        {"nc": "0000000g"},
        {"nc": "000000001"},
        {"nc": ""},
        {"cnonce": ""},
        {"algorithm": "SHA-256-SESS"},
        {"algorithm": "MD5-SESS"},
        {"algorithm": "SHA-512-256"},
        {"realm": "another"},
        {"username": "mufasa"},
        {"uri": "/dir"},
    ],
)
def test_an_answer_that_is_not_to_our_challenge_is_malformed(change: dict[str, str]) -> None:
    assert verdict(evolve(rfc_answer("SHA-256"), **change)) is Verdict.MALFORMED


def test_a_nonce_that_is_none_of_ours_tells_nothing_of_the_password() -> None:
    assert verdict(rfc_answer("MD5"), unused_for=None) is Verdict.FOREIGN
    assert verdict(evolve(rfc_answer("MD5"), response="0" * 32), unused_for=None) is Verdict.FOREIGN


@pytest.mark.parametrize("unused_for", [LIFETIME + 1, -61.0])
def test_an_old_nonce_or_one_from_the_future_is_stale_if_the_answer_is_right(unused_for: float) -> None:
    assert verdict(rfc_answer("MD5"), unused_for=unused_for) is Verdict.STALE
    assert verdict(evolve(rfc_answer("MD5"), response="0" * 32), unused_for=unused_for) is Verdict.WRONG


@pytest.mark.parametrize("unused_for", [LIFETIME, 0.0, -59.0])
def test_a_nonce_lives_its_lifetime_and_clocks_may_differ_a_little(unused_for: float) -> None:
    assert verdict(rfc_answer("MD5"), unused_for=unused_for) is Verdict.RIGHT


def test_without_a_lifetime_no_nonce_is_stale() -> None:
    assert judge(rfc_answer("MD5"), mufasa("MD5"), 1e9, 0) is Verdict.RIGHT


@pytest.mark.parametrize(
    ("uri", "target"),
    [
        ("/api/accounts/me", "/api/accounts/me"),
        ("/api/accounts/me", "/api/accounts/me?x=1"),
        ("/md5-qop?x=1&y=%20z", "/md5-qop?x=1&y=%20z"),
        ("/api/accounts/alice@sip.test/info", "/api/accounts/alice%40sip.test/info"),
        ("/api/accounts/alice%40sip%2etest/info", "/api/accounts/alice@sip.test/info"),
        ("/a%c3%a9", "/a%C3%A9"),
        ("/aé", "/a%C3%A9"),
        ('/devices/"<urn:uuid:1>"', "/devices/%22%3Curn:uuid:1%3E%22"),
    ],
)
def test_a_uri_is_the_path_with_or_without_its_query_however_escaped(uri: str, target: str) -> None:
    assert is_same_target(uri, target)


@pytest.mark.parametrize(
    ("uri", "target"),
    [
        ("/api/accounts/me?x=2", "/api/accounts/me?x=1"),
        ("/api/accounts/me?x=1", "/api/accounts/me"),
        ("/api/accounts/me?", "/api/accounts/me"),
        ("/api/accounts", "/api/accounts/me"),
        ("/a%2Fb", "/a/b"),
        ("/a%3Fb", "/a?b"),
        ("/?a=b%26c", "/?a=b&c"),
        ("/a%252Fb", "/a%2Fb"),
        ("/%", "/%25"),
        ("*", "/"),
        ("http://host/api", "/api"),
    ],
)
def test_a_uri_of_another_meaning_is_another(uri: str, target: str) -> None:
    assert not is_same_target(uri, target)


def test_no_hash_is_in_a_repr() -> None:
    expected = mufasa("MD5")
    assert expected.ha1s["MD5"] not in repr(expected)
