"""Whom messages go to and what is in them: never two commands, never somebody else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexid.daemon_bridge.commands import MOST_BYTES_OF_COMMAND, message, version
from flexid.domain.message import LINE_SEPARATOR, MOST_BYTES, Unsendable, readable, recipient
from flexid.domain.sip_address import SipAddress

BOB = SipAddress("bob", "sip.example.org")


@pytest.mark.parametrize(
    "text",
    [
        "bob@sip.example.org",
        "sip:bob@sip.example.org",
        "SIP:bob@SIP.Example.org",
        "sips:bob@sip.example.org",
        "sip:b%6Fb@sip.example.org",
    ],
)
def test_an_address_is_a_user_and_a_host_with_one_scheme_at_most(text: str) -> None:
    assert recipient(text) == BOB


@pytest.mark.parametrize(
    "text",
    [
        *("", "bob", "+badid", "@sip.example.org", "bob@", "sip:", "sips:", "sip:bob", "sip:@sip.example.org"),
        *("sip:sip:bob@h.org", "sips:sip:bob@h.org", "sip:sips:bob@h.org", "sips:sips:bob@h.org"),
        *("sip%3Asip:bob@h.org", "tel:+33612345678", "tel:bob@h.org", "http://bob@h.org", "mailto:bob@h.org"),
        *("bob @h.org", " bob@h.org", "bob@h.org ", "bob@h.org\n", "bob\n@h.org", "bob@h\r\n.org", "bob@h.org\t"),
        *("b\0ob@h.org", "bob%0A@h.org", "bob@h.org%0Aquit", "bob@h.org%20x", "b%00ob@h.org", "bob\u2028@h.org"),
        *("bob@h.org:5070", "bob@h.org;transport=tcp", "bob@h.org?Subject=x", '"Bob" <sip:bob@h.org>'),
        *("<sip:bob@h.org>", "bob@a@h.org", "bob@-h.org", "bob@h..org", "b\u00f6b@h.org", "bob@h\u00f6.org"),
        *("bob:secret@h.org", "b" * 65 + "@h.org", "bob@" + "h" * 3000),
    ],
)
def test_anything_else_is_nobody(text: str) -> None:
    assert recipient(text) is None


@given(st.text())
def test_whatever_is_an_address_is_one_word_of_ascii(text: str) -> None:
    if (found := recipient(text)) is not None:
        assert str(found).isascii()
        assert len(f"x {found} x".split()) == 3
        assert message(found, "x").line == f"message sip:{found} x"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_ends_of_lines_become_what_the_wire_can_carry(end: str) -> None:
    assert readable(f"a{end}b\tc{end}{end}d", "line-separator") == "a\u2028b\tc\u2028\u2028d"
    with pytest.raises(Unsendable, match="single line"):
        readable(f"a{end}b", "refuse")


@pytest.mark.parametrize("letter", ["\0", "\x01", "\x0b", "\x0c", "\x1b", "\x7f", "\x85", "\x9b", "\ud800"])
@pytest.mark.parametrize("newlines", ["line-separator", "refuse"])
def test_control_characters_and_half_characters_are_refused(letter: str, newlines: str) -> None:
    with pytest.raises(Unsendable, match="not allowed"):
        readable(f"a{letter}b", newlines)  # type: ignore[arg-type]  # one of the two


def test_a_text_is_counted_in_bytes_as_it_is_sent() -> None:
    assert len(readable("\u00e9" * 7500, "refuse").encode()) == MOST_BYTES
    for text in ("\u00e9" * 7501, "x" * 15_001, "\n" * 5001):
        with pytest.raises(Unsendable, match="15000 bytes"):
            readable(text, "line-separator")
    with pytest.raises(Unsendable, match="10 bytes"):
        readable("x" * 11, "refuse", 10)


@given(st.text(st.characters(), min_size=1))
def test_whatever_may_be_sent_is_one_command(text: str) -> None:
    try:
        line = readable(text, "line-separator")
    except Unsendable:
        return
    wire = message(BOB, line).wire().decode()
    assert wire.endswith(f"@{BOB.domain} {line}\n")
    assert wire.count("\n") == 1
    assert not {"\r", "\0"} & set(wire)
    assert line.replace(LINE_SEPARATOR, "") == text.replace("\r", "").replace("\n", "").replace(LINE_SEPARATOR, "")


@pytest.mark.parametrize(
    ("to", "text"),
    [
        (BOB, ""),
        (BOB, "x" * 15_001),
        (SipAddress("bob\nquit", "h.org"), "x"),
        (SipAddress("bob x", "h.org"), "x"),
        (SipAddress("sip:bob", "h.org"), "x"),
        (SipAddress("bob", ""), "x"),
    ],
)
def test_a_message_that_would_harm_the_daemon_cannot_even_be_made(to: SipAddress, text: str) -> None:
    with pytest.raises(ValueError, match="no message"):
        message(to, text)


@pytest.mark.parametrize("text", ["a\nquit", "a\rb", "a\0b", "\ud800"])
def test_a_command_is_one_line(text: str) -> None:
    with pytest.raises((ValueError, UnicodeEncodeError)):
        message(BOB, text).wire()
    assert len(message(BOB, "x" * 15_000).wire()) < MOST_BYTES_OF_COMMAND
    assert version().wire() == b"version\n"
