from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexid.domain.dotenv import NotADotenv, flag, parse


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("KEY=plain", "plain"),
        ("export KEY=plain", "plain"),
        ("  KEY = spaced words  # a remark", "spaced words"),
        ("KEY=with#hash", "with#hash"),
        ('KEY="quoted # kept" # a remark', "quoted # kept"),
        (r'KEY="a \"b\"\n"', 'a "b"\n'),
        ("KEY='as $it \\n is'", "as $it \\n is"),
        ("KEY=", ""),
        ("KEY=# nothing", ""),
    ],
)
def test_a_line_is_a_key_and_a_value(line: str, value: str) -> None:
    assert parse(f"# remark\n\n{line}\n") == {"KEY": value}


def test_a_value_may_name_another_one() -> None:
    assert parse('A=one\nB="${A} two"\nC=${NOBODY}') == {"A": "one", "B": "one two", "C": "${NOBODY}"}


def test_a_line_that_cannot_be_read_is_named() -> None:
    with pytest.raises(NotADotenv, match="line 2"):
        parse("A=1\nnonsense\n")


@given(st.text())
def test_no_text_takes_it_by_surprise(text: str) -> None:
    with suppress(NotADotenv):
        assert all(key.isidentifier() or "." in key for key in parse(text))


def test_switches_are_written_in_many_ways() -> None:
    assert [flag(word) for word in ("true", "On", "0", "", "maybe")] == [True, True, False, False, None]
