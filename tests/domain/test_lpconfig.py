"""Linphone's configuration as XML."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexid.domain import lpconfig
from flexid.domain.lpconfig import Section

ANY_TEXT = st.text(
    alphabet=st.sampled_from("a\"'&<>]\\\r\n\t\0\x1f\x7f\x85\u2028\ud800\udfff\ufffe\uffff☎😀é")
) | st.text(
    alphabet=st.characters(exclude_categories=()),
)


def read_back(document: str) -> list[tuple[str | None, list[tuple[str | None, str]]]]:
    root = ET.fromstring(document.encode())  # noqa: S314  # our own document
    return [(section.get("name"), [(entry.get("name"), entry.text or "") for entry in section]) for section in root]


def test_a_section_is_written_as_linphone_reads_it() -> None:
    assert lpconfig.write(Section("app", (("foo", "bar"), ("none", ""))), overwrite=False) == (
        '<section name="app">\n  <entry name="foo">bar</entry>\n  <entry name="none"></entry>\n</section>\n'
    )


def test_overwriting_marks_every_entry() -> None:
    assert lpconfig.write(Section("app", (("foo", "bar"), ("x", "1"))), overwrite=True) == (
        '<section name="app">\n'
        '  <entry name="foo" overwrite="true">bar</entry>\n'
        '  <entry name="x" overwrite="true">1</entry>\n'
        "</section>\n"
    )


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain 'and' \"quoted\"", "plain 'and' \"quoted\""),
        ("<a> & b", "&lt;a&gt; &amp; b"),
        ("]]>", "]]&gt;"),
        ("a\nb", "a b"),
        ("a\r\nb\rc\td", "a b c d"),
        ("a\x0bb\x0cc\x85d\u2028e\u2029f", "a b c d e f"),
        ("a\0b\x1bc\x7fd\x9fe", "abcde"),
        ("a\ud83db\ufffec\uffffd", "abcd"),
        ("Zoë 😀", "Zoë 😀"),
    ],
)
def test_a_value_is_one_well_formed_line(value: str, written: str) -> None:
    assert lpconfig.escape(value) == written


@given(st.lists(st.tuples(ANY_TEXT, ANY_TEXT), max_size=4), ANY_TEXT, st.booleans())
def test_no_value_or_name_breaks_out(entries: list[tuple[str, str]], name: str, overwrite: bool) -> None:  # noqa: FBT001  # drawn
    written = lpconfig.write(Section(name, tuple(entries)), overwrite=overwrite)
    ((_, read),) = read_back(lpconfig.HEAD + written + lpconfig.TAIL)
    assert len(read) == len(entries)
    assert len(written.splitlines()) == len(entries) + 2
    for (_, value), (_, value_read) in zip(entries, read, strict=True):
        assert visible(value_read) == visible(value)


def visible(text: str) -> str:
    return "".join(character for character in text if character.isprintable() and character != " ")
