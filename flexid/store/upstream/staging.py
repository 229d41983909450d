"""Rows as they come, in temporary tables of ours: there they are compared, and from there they are moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from typing import Any

from attrs import Factory, define

from flexid.store import copying
from flexid.store.upstream.findings import Fate, Findings
from flexid.store.upstream.source import Source
from flexid.store.upstream.tables import NEEDLESS, TABLES, Kind, Table

TYPES = {"text": "text", "number": "bigint", "flag": "boolean", "moment": "timestamptz"}
NO_TIME = "0000-00-00"
EVERY = 1000
"""Rows between two words of how far it is."""
TRUE = {True, "1", "t", "true", b"\x01"}
HASHES = "passwords"


# What is looked for row by row.
INDEXES = (
    "CREATE UNIQUE INDEX ON up_accounts (id)",
    "CREATE INDEX ON up_accounts (username, domain)",
    "CREATE INDEX ON up_accounts (phone, domain)",
    "CREATE INDEX ON up_contacts_lists (id)",
    "CREATE INDEX ON up_account_types (id)",
    "CREATE INDEX ON up_call_forwardings (account_id)",
    "CREATE INDEX ON up_passwords (account_id)",
)


def create(cursor: Any) -> None:
    """Make the tables, for as long as the transaction lasts."""
    for table in TABLES:
        columns = ", ".join(f"{name} {TYPES[kind]}" for name, kind in table.columns.items())
        cursor.execute(f"CREATE TEMPORARY TABLE {table.staging} ({columns}) ON COMMIT DROP")


@define
class Reading:
    """What was read: rows of each table, columns that were there, and a sum over all hashes of passwords."""

    findings: Findings
    present: dict[str, frozenset[str]] = Factory(dict)
    counts: dict[str, int] = Factory(dict)
    unknown: dict[str, int] = Factory(dict)
    """Tables that nobody knows, with how many rows they have."""
    hashes: int = 0

    def read(self, source: Source, cursor: Any, heard: Callable[[int, int], None]) -> None:
        """Read all that is there; `heard` is told how many rows of how many were read."""
        there = source.columns()
        found = [(table, name) for table in TABLES if (name := table.find(there))]
        known = {name for _, name in found} | NEEDLESS
        self.unknown = {name: rows for name in there if name not in known and (rows := source.count(name))}
        self.counts = {table.name: source.count(name) for table, name in found}
        total, done = sum(self.counts.values()), 0
        for table, name in found:
            columns = [column for column in table.columns if column in there[name]]
            self.present[table.name] = frozenset(columns)
            told = _counted(self._tidied(table, columns, source.rows(name, columns)), done, total, heard)
            names = ", ".join(table.columns)
            cursor.copy_expert(f"COPY {table.staging} ({names}) FROM STDIN", copying.Rows(told))
            cursor.execute(f"ANALYZE {table.staging}")
            done += self.counts[table.name]
        for index in INDEXES:
            cursor.execute(index)
        heard(total, total)

    def _tidied(self, table: Table, columns: Sequence[str], rows: Iterator[tuple[Any, ...]]) -> Iterator[bytes]:
        readers = [(column, READERS[table.columns[column]]) for column in columns]
        nothing: dict[str, Any] = dict.fromkeys(table.columns)
        for values in rows:
            row = nothing | {name: read(value) for (name, read), value in zip(readers, values, strict=True)}

            def note(reason: str, fate: Fate, row: dict[str, Any] = row) -> None:
                self.findings.add(table.name, reason, fate, [" ".join(str(row[name]) for name in table.key)])

            if table.tidy is None or table.tidy(row, note):
                if table.name == HASHES:
                    self.hashes += fingerprint(row["account_id"], row["algorithm"], row["password"])
                yield copying.line(row.values())


def _counted(rows: Iterator[bytes], before: int, total: int, heard: Callable[[int, int], None]) -> Iterator[bytes]:
    for number, row in enumerate(rows, 1):
        if number % EVERY == 0:
            heard(before + number, total)
        yield row


def fingerprint(account_id: int, algorithm: str, ha1: str) -> int:
    """Return a number for a stored password; their sum tells whether all of them arrived, in whatever order."""
    return int(sha256(f"{account_id} {algorithm} {ha1}".encode()).hexdigest()[:12], 16)


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return str(value).replace("\0", "")


def _number(value: Any) -> int | None:
    return None if value is None else int(value)


def _flag(value: Any) -> bool | None:
    return None if value is None else value in TRUE


def _moment(value: Any) -> str | None:
    return None if value is None or str(value).startswith(NO_TIME) else str(value)


# The same in SQL.
SUM_OF_HASHES = """
    SELECT coalesce(sum(('x' || left(encode(sha256(convert_to(
        p.account_id || ' ' || p.algorithm || ' ' || p.password, 'UTF8')), 'hex'), 12))::bit(48)::bigint), 0)
    FROM {table} p
"""
READERS: dict[Kind, Callable[[Any], Any]] = {"text": _text, "number": _number, "flag": _flag, "moment": _moment}
