from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexid.domain.account_exports import ExportedAccount, heading, written
from flexid.domain.account_imports import COLUMNS, ImportLine, Problem
from flexid.domain.import_files import FORMULA, LineTooLong, escaped, read, unescaped

HEADER = ",".join(COLUMNS.values()) + "\r\n"
ALICE = "alice,secret_password,user,active,,,,,,,,,\r\n"


def csv_of(*lines: str) -> list[ImportLine | Problem]:
    return list(read("csv", [HEADER, *lines]))


def only(lines: Iterable[ImportLine | Problem]) -> ImportLine:
    (line,) = lines
    assert isinstance(line, ImportLine), line
    return line


def problem(lines: Iterable[ImportLine | Problem]) -> tuple[int | None, str]:
    (found,) = lines
    assert isinstance(found, Problem), found
    return found.line, str(found.reason)


def test_a_line_has_the_values_of_its_columns() -> None:
    line = only(csv_of(ALICE))
    assert line.number == 2
    assert (line.values["username"], line.values["password"], line.values["email"]) == ("alice", "secret_password", "")
    assert list(line.values) == list(COLUMNS)


def test_quoted_fields_may_hold_commas_quotes_and_lines() -> None:
    line = only(csv_of('alice,"a, ""b""\r\n', 'c",user,active,,,,,,,,,\r\n'))
    assert line.values["password"] == 'a, "b"\r\nc'


def test_lines_are_counted_as_an_editor_counts_them() -> None:
    lines = csv_of('alice,"a\r\n', 'c",user,active,,,,,,,,,\r\n', "\r\n", ALICE, "bob\r\n")
    assert [line.number if isinstance(line, ImportLine) else line.line for line in lines] == [2, 5, 6]


def test_the_header_may_be_written_in_another_case() -> None:
    assert only(read("csv", [HEADER.lower(), ALICE])).number == 2


@pytest.mark.parametrize("first", ["", "Username,Password\r\n", ALICE, HEADER.replace(",", ";")])
def test_a_file_without_its_header_is_refused(first: str) -> None:
    line, reason = problem(read("csv", [first, ALICE]))
    assert line == 1
    assert "Username,Password,Role" in reason


def test_a_line_with_fewer_or_more_columns_is_refused_and_the_next_one_read() -> None:
    few, many, good = csv_of("bob,x\r\n", ALICE.replace(",active", ",active,"), ALICE)
    assert problem([few]) == (2, "The line has 2 columns instead of 13")
    assert problem([many]) == (3, "The line has 14 columns instead of 13")
    assert only([good]).number == 4


def test_a_quote_that_is_never_closed_is_named_by_its_line() -> None:
    assert problem(csv_of('alice,"secret\r\n', "more\r\n")) == (
        2,
        "The line cannot be read as CSV: look at its quotation marks",
    )


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_line_without_an_end_is_refused(form: str) -> None:
    def lines() -> Iterator[str]:
        yield from [HEADER] if form == "csv" else []
        raise LineTooLong

    line, reason = problem(read("csv" if form == "csv" else "jsonl", lines()))
    assert (line, reason) == (2 if form == "csv" else 1, "The line is too long")


def test_json_lines_have_values_by_name_and_numbers_are_text() -> None:
    line = only(read("jsonl", ['{"username": "alice", "password": 12345678, "phone": null, "more": []}\n', "\n"]))
    assert (line.values["username"], line.values["password"], line.values["phone"]) == ("alice", "12345678", "")


@pytest.mark.parametrize("line", ["[]", "alice", "{", '"x"', "[" * 100_000])
def test_a_line_that_is_no_json_object_is_refused(line: str) -> None:
    assert problem(read("jsonl", [line])) == (1, "The line is no JSON object")


def test_a_json_value_that_is_no_text_is_refused_by_name() -> None:
    (found,) = read("jsonl", ['{"username": ["alice"]}'])
    assert isinstance(found, Problem)
    assert (found.column, str(found.reason)) == ("username", "It must be text")


@given(st.text())
def test_what_was_escaped_is_read_as_it_was(value: str) -> None:
    assert unescaped(escaped(value)) == value


@given(st.sampled_from(FORMULA), st.text())
def test_nothing_that_is_escaped_begins_as_a_formula(sign: str, rest: str) -> None:
    assert not escaped(sign + rest).startswith(FORMULA)


def test_a_password_is_taken_as_it_is() -> None:
    assert only(csv_of(ALICE.replace("secret_password", "'=secret "))).values["password"] == "'=secret "


@given(st.lists(st.lists(st.text(max_size=20), max_size=14), max_size=5))
def test_anything_in_a_file_is_a_line_or_a_problem(rows: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    for form in ("csv", "jsonl"):
        for line in read("csv" if form == "csv" else "jsonl", io.StringIO(HEADER + text.getvalue(), newline="")):
            assert isinstance(line, ImportLine | Problem)


def exported(**values: object) -> ExportedAccount:
    now = datetime(2026, 1, 31, tzinfo=UTC)
    known: dict[str, object] = dict.fromkeys(field.name for field in ExportedAccount.__attrs_attrs__)
    known |= {"id": 7, "username": "alice", "domain": "example.org", "admin": False, "activated": True}
    return ExportedAccount(**{**known, "created_at": now, "updated_at": now, "blocked": False, **values})  # type: ignore[arg-type]


def test_an_export_can_be_read_by_an_import_but_for_its_passwords() -> None:
    account = exported(phone="+33612345678", email="=a@example.org", external_username="@bob", admin=True)
    text = (heading("csv") + written("csv", [account])).decode()
    line = only(read("csv", io.StringIO(text, newline="")))
    assert {name: value for name, value in line.values.items() if value} == {
        "username": "alice",
        "role": "admin",
        "status": "active",
        "phone": "+33612345678",
        "email": "=a@example.org",
        "external_username": "@bob",
    }


def test_no_cell_of_an_export_begins_as_a_formula() -> None:
    account = exported(phone="+33612345678", email="=cmd|' /C calc'!A0", external_realm="\t=1", external_username="-1")
    (cells,) = csv.reader(io.StringIO(written("csv", [account]).decode(), newline=""))
    assert not [cell for cell in cells if cell.startswith(FORMULA)]
    assert "'+33612345678" in cells


def test_exported_json_lines_can_be_imported_and_say_more() -> None:
    text = written("jsonl", [exported(display_name="Alice", phone="+33612345678")]).decode()
    line = only(read("jsonl", [text]))
    assert (line.values["phone"], line.values["role"]) == ("+33612345678", "user")
    assert '"display_name": "Alice"' in text
    assert '"created_at": "2026-01-31T00:00:00.000000Z"' in text
