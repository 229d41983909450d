"""Files of accounts, line by line: CSV (RFC 4180) and JSON lines."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator

from flexid.base.text import Text
from flexid.domain.account_imports import COLUMNS, Format, ImportLine, Problem

LONGEST_LINE = 1 << 17
"""In characters; neither a line nor a field may have more."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""With what a spreadsheet would begin to calculate, or to run something."""
QUOTE = "'"
_AS_THEY_ARE = {"password", "external_password"}
"""Exports hold none: what stands in these columns was typed by somebody."""
_TOO_LONG = Text("The line is too long")
_NO_CSV = Text("The line cannot be read as CSV: look at its quotation marks")


class LineTooLong(Exception):  # noqa: N818  # it becomes a problem
    """A line has no end within the bound."""


def read(form: Format, lines: Iterable[str]) -> Iterator[ImportLine | Problem]:
    """Yield what stands in each line, and what cannot be read; `lines` raises `LineTooLong`."""
    return _csv(lines) if form == "csv" else _json_lines(lines)


def escaped(value: str) -> str:
    """Return a value so that no spreadsheet takes it for a formula; `read` takes the quote away again."""
    return QUOTE + value if value.startswith((*FORMULA, QUOTE)) else value


def unescaped(value: str) -> str:
    """Return what `escaped` was given."""
    return value[1:] if value[:1] == QUOTE and value[1:].startswith((*FORMULA, QUOTE)) else value


def _csv(lines: Iterable[str]) -> Iterator[ImportLine | Problem]:
    reader = csv.reader(lines, strict=True)
    names = list(COLUMNS)
    header = list(COLUMNS.values())
    number = 1
    try:
        first = next(reader, [])
        if [name.strip().lower() for name in first] != [name.lower() for name in header]:
            yield Problem(1, None, Text("The first line must be the header: {header}", header=",".join(header)))
            return
        number = reader.line_num + 1
        for fields in reader:
            if len(fields) == len(header):
                yield ImportLine(number, {name: _cell(name, text) for name, text in zip(names, fields, strict=True)})
            elif fields:
                reason = Text(
                    "The line has {count} columns instead of {expected}", count=len(fields), expected=len(header)
                )
                yield Problem(number, None, reason)
            number = reader.line_num + 1
    except csv.Error:
        yield Problem(number, None, _NO_CSV)
    except LineTooLong:
        yield Problem(number, None, _TOO_LONG)


def _cell(name: str, text: str) -> str:
    return text if name in _AS_THEY_ARE else unescaped(text.strip(" "))


def _json_lines(lines: Iterable[str]) -> Iterator[ImportLine | Problem]:
    number = 0
    try:
        for number, line in enumerate(lines, 1):  # the number is told afterwards, too
            if line.strip():
                yield _json_line(number, line)
    except LineTooLong:
        yield Problem(number + 1, None, _TOO_LONG)


def _json_line(number: int, line: str) -> ImportLine | Problem:
    try:
        read = json.loads(line)
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        return Problem(number, None, Text("The line is no JSON object"))
    values = {}
    for name in COLUMNS:
        value = read.get(name)
        if isinstance(value, bool | dict | list):
            return Problem(number, name, Text("It must be text"))
        values[name] = "" if value is None else str(value)
    return ImportLine(number, values)
