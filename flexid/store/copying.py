"""Rows on their way into a table by COPY, of which psycopg2 reads a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_UNTYPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class Rows:
    """Rows as a file that COPY reads, in its text format; none is kept longer than it takes."""

    def __init__(self, rows: Iterator[bytes]) -> None:
        self._rows = rows
        self._rest = b""

    def read(self, size: int) -> bytes:
        """Return the next bytes, none at the end."""
        parts = [self._rest]
        length = len(self._rest)
        while length < size and (row := next(self._rows, b"")):
            parts.append(row)
            length += len(row)
        read = b"".join(parts)
        self._rest = read[size:]
        return read[:size]


def line(values: Iterable[object]) -> bytes:
    """Return a row as COPY's text format has it."""
    return ("\t".join(map(_copied, values)) + "\n").encode()


def _copied(value: object) -> str:
    match value:
        case None:
            return "\\N"
        case bool():
            return "t" if value else "f"
    return str(value).translate(_UNTYPED)
