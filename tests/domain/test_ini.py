"""The ini text of a Space."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flexid.domain import ini, lpconfig
from flexid.domain.errors import Invalid
from flexid.domain.lpconfig import Section


def value_of(line: str) -> str:
    (section,) = ini.parse(f"[s]\n{line}")
    ((_, value),) = section.entries
    return value


def reasons(text: str) -> list[str]:
    with pytest.raises(Invalid) as raised:
        ini.parse(text)
    assert list(raised.value.errors) == ["custom_provisioning_entries"]
    return [str(reason) for reason in raised.value.errors["custom_provisioning_entries"]]


def test_sections_and_keys_keep_their_order() -> None:
    assert ini.parse("[b]\ny=1\nx=2\n\n[a]\nz=3\n[empty]") == (
        Section("b", (("y", "1"), ("x", "2"))),
        Section("a", (("z", "3"),)),
        Section("empty"),
    )


@pytest.mark.parametrize("text", ["", "\n \t\r\n", "; only a remark", "\ufeff"])
def test_a_text_without_entries_has_no_sections(text: str) -> None:
    assert ini.parse(text) == ()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_on_any_system(end: str) -> None:
    assert ini.parse(f"[a]{end}b=1{end}") == (Section("a", (("b", "1"),)),)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("k=bar", "bar"),
        ("  k\t= a b \t", "a b"),
        ("k=", ""),
        ("k=600", "600"),
        ("k=007", "007"),
        ("k=a=b", "a=b"),
        ("k=http://a/?b=1&c=(d|e)", "http://a/?b=1&c=(d|e)"),
        ("k=it's", "it's"),
        ("k=${HOME}", "${HOME}"),
        ("k=PHP_VERSION", "PHP_VERSION"),
        ("k=yes sir", "yes sir"),
        ("k=été ☎", "été ☎"),
    ],
)
def test_bare_text_stays_as_it_is(line: str, value: str) -> None:
    assert value_of(line) == value


@pytest.mark.parametrize("word", ["on", "yes", "true", "On", "YES", "True"])
def test_words_for_yes_mean_1(word: str) -> None:
    assert value_of(f"k={word}") == "1"
    assert value_of(f"k = {word} ; a remark") == "1"


@pytest.mark.parametrize("word", ["off", "no", "false", "none", "null", "NULL", "Off"])
def test_words_for_no_mean_nothing(word: str) -> None:
    assert value_of(f"k={word}") == ""
    assert value_of(f"k = {word}; a remark") == ""


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ('k="a b"', "a b"),
        ("k='a b'", "a b"),
        ('k="  a "', "  a "),
        ('k=""', ""),
        ('k="on"', "on"),
        ("k='no'", "no"),
        ('k="a;b" ; remark', "a;b"),
        ("k='a;b';remark", "a;b"),
        (r'k="say \"hi\" \\ c:\new"', 'say "hi" \\ c:\\new'),
        (r"k='a\b'", r"a\b"),
        ('k="a" "b"', "ab"),
        ('k=a "b c" d', "a b cd"),
        ('reg_proxy="<sip:sip.example.org;transport=tls>"', "<sip:sip.example.org;transport=tls>"),
    ],
)
def test_quotes_around_a_value_go(line: str, value: str) -> None:
    assert value_of(line) == value


def test_a_semicolon_starts_a_remark() -> None:
    assert ini.parse("; a=1\n[s] ; the section\n ;b=2\nc=3;4") == (Section("s", (("c", "3"),)),)


def test_a_section_that_comes_again_adds_to_the_first() -> None:
    assert ini.parse("[a]\nx=1\n[b]\n[a]\ny=2") == (Section("a", (("x", "1"), ("y", "2"))), Section("b"))


def test_a_key_that_comes_again_replaces_the_value_in_its_place() -> None:
    assert ini.parse("[a]\nx=1\ny=2\nx=3") == (Section("a", (("x", "3"), ("y", "2"))),)


@pytest.mark.parametrize(
    "line",
    [
        "just words",
        "words ; a=b",
        "=value",
        "#k=1",
        "k[]=1",
        "a(b=1",
        'a"b=1',
        "k" * 256 + "=1",
        'k="open',
        'k=a"open',
        "[open",
        "[]",
        "[ ]",
        "[a]b",
        '["a"]',
        "[a]]",
        f"[{'s' * 256}]",
        "k=a\0b",
        "k=a\x0bb",
        "k=a\x85b",
        "k=a\u2028b",
        "k=a\ud800b",
        "[a\x7fb]",
    ],
)
def test_a_wrong_line_is_refused_with_its_number(line: str) -> None:
    (reason,) = reasons(f"[s]\nx=1\n{line}\ny=2\n")
    assert reason.startswith("Invalid ini format, line 3: ")


def test_every_wrong_line_is_named() -> None:
    assert [reason.partition(":")[0] for reason in reasons('a=1\nb=2\n[s]\nc\n[\nd=1\ne="')] == [
        f"Invalid ini format, line {number}" for number in (1, 2, 4, 5, 7)
    ]


def test_keys_of_the_platform_are_refused() -> None:
    sentence = "The following settings cannot be set, they are already handled by the platform: hide_settings"
    assert reasons("[misc]\nhide_settings=1") == [f"Invalid ini format. {sentence}"]


def test_keys_of_the_platform_are_all_named_once_beside_wrong_lines() -> None:
    first, second = reasons("[ui]\nmax_account=1\nx\n[misc]\nmax_account=2\nHide_Settings=1")
    assert first.startswith("Invalid ini format, line 3: ")
    assert second.endswith(": max_account, Hide_Settings")


def test_what_is_too_long_is_refused_before_it_is_read() -> None:
    assert len(reasons("x\n" * 40_000)) == 1
    assert len(reasons("[a]\nx=" + "y" * 70_000)) == 1


TEXTS = st.text(alphabet=st.sampled_from("ab=[];\"'\\ \t\n\r#&<>éon\0\u2028\ud800")) | st.text()


@given(TEXTS)
@example('[a]\nb="\\\\"\'')
def test_whatever_is_read_gives_entries_that_an_xml_parser_gives_back(text: str) -> None:
    try:
        sections = ini.parse(f"[s]\n{text}")
    except Invalid:
        return
    document = lpconfig.HEAD + "".join(lpconfig.write(section, overwrite=False) for section in sections) + lpconfig.TAIL
    root = ET.fromstring(document)  # noqa: S314  # our own document
    read = [(section.get("name"), [(entry.get("name"), entry.text or "") for entry in section]) for section in root]
    # A tab is a blank for Linphone.
    assert read == [
        (
            section.name.replace("\t", " "),
            [(key.replace("\t", " "), value.replace("\t", " ")) for key, value in section.entries],
        )
        for section in sections
    ]


PLAIN = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp")))


@given(PLAIN)
def test_any_text_of_one_line_can_be_written_in_quotes(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    assert value_of(f'k="{quoted}"') == text
