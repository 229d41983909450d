from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexid.domain.contact_cards import card_of
from flexid.domain.contacts import Contact
from flexid.domain.vcard import NotAVCard, escape, read, write

CARD = (
    "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Jean Dupont\r\nTEL;TYPE=cell:+33 6 11 22 33 44\r\nUID:urn:uuid:1\r\nEND:VCARD\r\n"
)


def _understood(card: str) -> list[tuple[str, str]]:
    """Read what was written, apart from flexid's own reader: unfold, split, unescape."""
    lines = re.sub(r"\r\n[ \t]", "", card).removesuffix("\r\n").split("\r\n")
    pairs = (line.partition(":")[::2] for line in lines)
    return [(name, re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], value)) for name, value in pairs]


def test_a_vcard_is_kept_with_line_feeds_and_its_uid() -> None:
    card = read(CARD)
    assert (card.uid, card.text) == ("urn:uuid:1", CARD.replace("\r\n", "\n"))
    assert read(card.text) == card
    assert read(CARD.removesuffix("\r\n")) == card
    assert read(CARD.replace("\r\n", "\r") + "\r\n\r\n") == card


@pytest.mark.parametrize(
    "line",
    [
        "item1.TEL:+33",
        'ADR;LABEL="a;b,c:d";TYPE=home,work:;;1 rue\\, x;;;;',
        "NOTE:",
        "note;language=fr:été\té",
        "TEL;CELL:1",
        "X-A;B=:c",
        "PHOTO:data:image/png;base64,AAAA\r\n BBBB\r\n\tCCCC",
    ],
)
def test_lines_of_every_form_are_read(line: str) -> None:
    assert read(CARD.replace("FN:", f"{line}\r\nFN:")).uid == "urn:uuid:1"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "BEGIN:VCARD",
        "BEGIN:VCARD\nEND:VCARD",
        CARD.replace("END:VCARD", ""),
        CARD.replace("BEGIN:VCARD", ""),
        CARD + CARD,
        CARD.replace("FN:", "BEGIN:VCARD\r\nFN:"),
        CARD.replace("FN:", "END:VCARD\r\nFN:"),
        CARD.replace("VERSION:4.0", "VERSION:2.1"),
        CARD.replace("VERSION:4.0\r\n", ""),
        CARD.replace("VERSION:4.0\r\n", "").replace("UID", "VERSION:4.0\r\nUID"),
        CARD.replace("FN:", "VERSION:4.0\r\nFN:"),
        CARD.replace("FN:Jean Dupont", "FN:"),
        CARD.replace("FN:Jean Dupont\r\n", ""),
        CARD.replace("UID:urn:uuid:1\r\n", ""),
        CARD.replace("UID:urn:uuid:1", "UID: "),
        CARD.replace("UID:urn:uuid:1", "UID:a\r\nUID:b"),
        CARD.replace("UID:urn:uuid:1", "UID:" + "a" * 256),
        CARD.replace("UID:urn:uuid:1", "UID:a/b"),
        CARD.replace("UID:urn:uuid:1", "UID:a b"),
        CARD.replace("FN:", "nonsense\r\nFN:"),
        CARD.replace("FN:", ":empty name\r\nFN:"),
        CARD.replace("FN:", "\r\nFN:"),
        CARD.replace("FN:", 'TEL;TYPE="cell:1\r\nFN:'),
        CARD.replace("FN:", "NOTE:bell\x07\r\nFN:"),
        " " + CARD,
    ],
)
def test_what_is_no_single_vcard_with_name_and_uid_is_refused(text: str) -> None:
    with pytest.raises(NotAVCard):
        read(text)


def test_version_3_says_so_wherever_it_likes() -> None:
    card = "BEGIN:VCARD\nFN:Jean\nN:;Jean;;;\nUID:1\nVERSION:3.0\nEND:VCARD\n"
    assert read(card).uid == "1"


@pytest.mark.parametrize(
    "filling", ["TEL;TYPE=" + "a," * 30_000, "TEL" + ";a=b" * 16_000, 'X;A="' + '","' * 20_000, "A." * 30_000]
)
def test_no_line_keeps_the_reader_busy(filling: str) -> None:
    started = time.perf_counter()
    with pytest.raises(NotAVCard):
        read(CARD.replace("FN:", f"{filling}\r\nFN:"))
    assert time.perf_counter() - started < 1


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    for candidate in (text, CARD.replace("Jean Dupont", text), CARD.replace("TEL", text)):
        try:
            card = read(candidate)
        except NotAVCard:
            continue
        assert read(card.text) == card


@given(st.text())
def test_text_comes_back_from_a_vcard_as_it_was_but_for_control_characters(text: str) -> None:
    card = write([("FN", escape(text)), ("NOTE", "x")])
    lines = card.split("\r\n")
    assert all(len(line.encode("utf-8", "surrogatepass")) <= 75 for line in lines)
    expected = re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", text.replace("\r\n", "\n").replace("\r", "\n"))
    assert _understood(card)[2:4] == [("FN", expected), ("NOTE", "x")]


def test_a_contact_says_what_linphone_can_do_with_it() -> None:
    door = Contact(
        1,
        "door",
        "sip.example.org",
        "Front, door; \\ 🚪\r\nleft",
        activated=True,
        dtmf_protocol="sipinfo",
        dictionary={},
        types=({"id": 1, "key": "door"}, {"id": 2, "key": "gate"}),
        actions=({"id": 1, "key": "open", "code": "12a"},),
    )
    assert card_of(door) == (
        "BEGIN:VCARD\r\nVERSION:4.0\r\nKIND:individual\r\nIMPP:sip:door@sip.example.org\r\n"
        "FN:Front\\, door\\; \\\\ 🚪\\nleft\r\nX-LINPHONE-ACCOUNT-DTMF-PROTOCOL:sipinfo\r\n"
        "X-LINPHONE-ACCOUNT-TYPE:door\r\nX-LINPHONE-ACCOUNT-TYPE:gate\r\nX-LINPHONE-ACCOUNT-ACTION:open;12a\r\n"
        "END:VCARD\r\n"
    )


def test_a_contact_without_a_name_is_called_by_its_address() -> None:
    plain = Contact(1, "bob", "sip.example.org", None, True, None, {}, (), ())  # noqa: FBT003  # as the table has it
    assert card_of(plain).split("\r\n")[2:-2] == [
        "KIND:individual",
        "IMPP:sip:bob@sip.example.org",
        "FN:bob@sip.example.org",
    ]
