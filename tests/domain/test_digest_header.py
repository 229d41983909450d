"""The header fields of Digest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexid.domain.digest_header import DigestAnswer, challenge_header, parse_authorization

LINPHONE = (
    'Digest realm="sip.test", nonce="nonce123", algorithm="MD5", opaque="op", username="alice", '
    'response="5833", cnonce="mjdJ9oDbaO5NySe9", nc=00000001, qop=auth, uri="/md5-qop?x=1,2&y=%20z"'
)
LINPHONE_ANSWER = DigestAnswer(
    username="alice",
    realm="sip.test",
    nonce="nonce123",
    uri="/md5-qop?x=1,2&y=%20z",
    response="5833",
    algorithm="MD5",
    opaque="op",
    qop="auth",
    nc="00000001",
    cnonce="mjdJ9oDbaO5NySe9",
)
LEAST = 'username="a",realm="r",nonce="n",uri="/",response="0"'


def test_a_challenge_has_the_form_that_linphone_reads() -> None:
    assert challenge_header("sip.example.org", "SHA-256", "abc", "def") == (
        'Digest realm="sip.example.org",qop="auth",algorithm=SHA-256,nonce="abc",opaque="def"'
    )


def test_a_challenge_may_say_that_the_nonce_was_too_old() -> None:
    assert challenge_header("r", "MD5", "abc", "def", stale=True) == (
        'Digest realm="r",qop="auth",algorithm=MD5,nonce="abc",opaque="def",stale=true'
    )


def test_a_realm_cannot_break_out_of_its_quotes() -> None:
    header = challenge_header('a"b\\c\r\nSet-Cookie: x', "MD5", "n", "o")
    assert header.startswith('Digest realm="a\\"b\\\\cSet-Cookie: x",qop=')


def test_the_answer_of_linphone_is_read() -> None:
    assert parse_authorization(LINPHONE) == LINPHONE_ANSWER


def test_parameters_may_be_quoted_or_not() -> None:
    bare = LINPHONE.replace('"/md5-qop?x=1,2&y=%20z"', "'").replace('"', "").replace("'", '"/md5-qop?x=1,2&y=%20z"')
    assert parse_authorization(bare) == LINPHONE_ANSWER
    assert parse_authorization(LINPHONE.replace("nc=00000001", 'nc="00000001"')) == LINPHONE_ANSWER


@pytest.mark.parametrize("scheme", ["digest ", "DIGEST  ", " Digest\t"])
def test_the_scheme_and_blanks_are_free(scheme: str) -> None:
    spread = LINPHONE.replace("Digest ", scheme).replace(", ", " ,\t, ").replace("nc=", "NC = ")
    assert parse_authorization(spread + " , ") == LINPHONE_ANSWER


def test_without_an_algorithm_it_is_md5() -> None:
    answer = parse_authorization(f"Digest {LEAST}")
    assert answer
    assert answer.algorithm == "MD5"


def test_escaped_characters_are_themselves() -> None:
    answer = parse_authorization("Digest " + LEAST.replace('"r"', r'"a\"b\\\c"'))
    assert answer
    assert answer.realm == 'a"b\\c'


def test_the_nonce_count_is_hexadecimal() -> None:
    answer = parse_authorization(LINPHONE.replace("00000001", "0000001F"))
    assert answer
    assert answer.nonce_count == 31


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Digest",
        "Digest ",
        "Basic YTpi",
        f"Bearer {LEAST}",
        f"Digest{LEAST}",
        f'Digest {LEAST},username="b"',
        f'Digest {LEAST},USERNAME="a"',
        f'Digest {LEAST},nc="open',
        f'Digest {LEAST} nc="1"',
        f"Digest {LEAST},nc=",
        f"Digest {LEAST},nc",
        f"Digest {LEAST},=1",
        f"Digest {LEAST};nc=1",
        "Digest " + LEAST.replace('username="a",', ""),
        "Digest " + LEAST.replace('"/"', '""'),
        f'Digest {LEAST},cnonce="a\nb"',
        f'Digest {LEAST},cnonce="a\ud800b"',
        f'Digest {LEAST},cnonce="' + "x" * 10_000 + '"',
        f"Digest {LEAST}" + "".join(f",p{number}=1" for number in range(40)),
    ],
)
def test_what_is_unclear_is_no_answer(header: str) -> None:
    assert parse_authorization(header) is None


NEARLY = st.lists(
    st.sampled_from(
        ["Digest ", LEAST, LINPHONE, ",", "=", '"', "\\", " ", "nc", "username", 'x="y"', "\n", "é", "\ud800"]
    ),
).map("".join)


@given(st.text() | NEARLY | st.text().map("Digest ".__add__))
def test_no_header_makes_it_raise(header: str) -> None:
    answer = parse_authorization(header)
    assert answer is None or (answer.username and answer.nonce and answer.uri and answer.response)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1))
def test_any_quoted_value_is_read_back(value: str) -> None:
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    answer = parse_authorization(f'Digest {LEAST},cnonce="{quoted}"')
    assert answer
    assert answer.cnonce == value
