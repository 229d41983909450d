"""SIP addresses."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexid.domain.sip_address import SipAddress, parse, parse_from

ALICE = SipAddress("alice", "sip.example.org")


@pytest.mark.parametrize(
    "text",
    [
        "alice@sip.example.org",
        "sip:alice@sip.example.org",
        "SIP:alice@SIP.Example.org",
        "sip%3Aalice%40sip.example.org",
        "alice%40sip%2Eexample.org",
    ],
)
def test_an_address_is_read_with_and_without_scheme_and_escapes(text: str) -> None:
    assert parse(text) == ALICE


@pytest.mark.parametrize("text", ["+33612345678@a", "a.b_c-d@127.0.0.1", "Alice@a-b.c", "a" * 64 + "@a", "user?x=1@a"])
def test_usernames_stay_as_they_are(text: str) -> None:
    assert str(parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "alice",
        "@sip.example.org",
        "alice@",
        "sip:",
        "sip:sip:alice@a",
        "sips:alice@a",
        "alice@a@b",
        "al ice@a",
        "alice:secret@a",
        "alice@a b",
        "alice@a:5060",
        "alice@a;transport=tls",
        "alice@-a",
        "alice@a-.b",
        "alice@a..b",
        "alice@.a",
        "alice@a.",
        "alice@a\n",
        "alice@\u212aelvin",
        "alicé@a",
        "alice%0a@a",
        "alice%ff@a",
        "a" * 65 + "@a",
        "alice@" + "a" * 64,
        "alice@" + "a." * 127 + "a",
        "a%40b" * 1000,
    ],
)
def test_anything_else_is_no_address(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize("rest", [":5061", ";transport=tls", ":5061;a=b@c?d=e", "?subject=x"])
def test_what_follows_an_address_is_left_out_where_asked(rest: str) -> None:
    assert parse(f"sip:alice@sip.example.org{rest}", parameters=True) == ALICE
    assert parse(f"sip:alice@sip.example.org{rest}") is None


def test_an_address_has_a_uri() -> None:
    assert ALICE.uri == "sip:alice@sip.example.org"


FROM_HEADERS = [
    "sip:alice@sip.example.org",
    " sip:alice@sip.example.org;tag=x ",
    "<sip:alice@sip.example.org>",
    "<sip:alice@sip.example.org;transport=tls>;tag=x",
    '"Alice" <sip:alice@sip.example.org>',
    '"Al \\"<b@c>\\"" <sip:alice@sip.example.org>;tag=x',
    "Alice in W. <sip:alice@sip.example.org>",
    "Zoë <sip:alice@sip.example.org:5060>",
]


@pytest.mark.parametrize("header", FROM_HEADERS)
def test_a_from_header_names_an_address(header: str) -> None:
    assert parse_from(header) == ALICE


@pytest.mark.parametrize("header", FROM_HEADERS)
def test_a_from_header_may_be_url_encoded(header: str) -> None:
    assert parse_from(quote(header, safe="")) == ALICE
    assert parse_from(quote(header, safe=";@:=")) == ALICE


@pytest.mark.parametrize(
    "header",
    [
        "",
        "alice@sip.example.org",
        "Alice <alice@sip.example.org>",
        "<sip:alice@sip.example.org",
        "sip:alice@sip.example.org>",
        '"Alice <sip:alice@sip.example.org>',
        "<sip:alice@sip.example.org> x",
        "<sip:alice@a>, <sip:bob@a>",
        "sip:alice@a, sip:bob@a",
        "sip:alice",
        "tel:+33612345678",
        "<<sip:alice@a>>",
        "x" * 5000 + "<sip:alice@a>",
    ],
)
def test_any_other_from_header_names_nobody(header: str) -> None:
    assert parse_from(header) is None


NEARLY = st.lists(
    st.sampled_from(
        ["sip:", "alice", "@", "a.org", "<", ">", '"', "\\", ";", "?", ":", "%", "%40", " ", ".", "-", "\ud800"]
    ),
).map("".join)


@given(st.text() | NEARLY, st.booleans())
def test_whatever_is_read_is_read_again(text: str, parameters: bool) -> None:  # noqa: FBT001  # drawn
    for address in (parse(text, parameters=parameters), parse_from(text)):
        if address is not None:
            assert parse(str(address)) == address
            assert parse_from(address.uri) == address


@given(
    st.text(alphabet="abz019+_.-", min_size=1, max_size=64),
    st.lists(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True), min_size=1, max_size=5),
)
def test_any_account_has_an_address(username: str, labels: list[str]) -> None:
    address = SipAddress(username, ".".join(labels))
    assert parse(str(address)) == address
    assert parse(quote(address.uri, safe="")) == address
