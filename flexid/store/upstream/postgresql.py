"""Flexisip Account Manager on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import psycopg2
from attrs import frozen

from flexid.store.upstream.source import Value, failure

AT_ONCE = 2000
PATIENCE = 10
"""Seconds for the server to answer a connection."""
COLUMNS = """
    SELECT c.table_name, c.column_name FROM information_schema.columns c
    JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE'
    ORDER BY c.table_name, c.ordinal_position
"""


@frozen
class PostgresSource:
    """Reads by cursors that keep the rows at the server."""

    connection: Any

    @classmethod
    def connect(cls, url: str) -> PostgresSource:
        """Connect.

        :raise UpstreamFailed: the server cannot be reached, or refuses.
        """
        try:
            connection = psycopg2.connect(url, connect_timeout=PATIENCE, client_encoding="UTF8")
            connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
            with connection.cursor() as cursor:
                cursor.execute("SET TIME ZONE 'UTC'; SET DateStyle = 'ISO'")
        except psycopg2.Error as error:
            raise failure(error) from None
        return cls(connection)

    def columns(self) -> Mapping[str, Sequence[str]]:
        """Return the tables that are there, with their columns."""
        found: dict[str, list[str]] = {}
        with self.connection.cursor() as cursor:
            cursor.execute(COLUMNS)
            for table, column in cursor.fetchall():
                found.setdefault(table, []).append(column)
        return found

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        with self.connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {_quoted(table)}")  # names of tables
            return int(cursor.fetchone()[0])

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[tuple[Value, ...]]:
        """Yield the rows of a table, which are fetched as they are asked for."""
        wanted = ", ".join(f"{_quoted(column)}::text" for column in columns)
        try:
            with self.connection.cursor(name="moving") as cursor:
                cursor.itersize = AT_ONCE
                cursor.execute(f"SELECT {wanted} FROM {_quoted(table)}")  # names of tables
                yield from cursor
        except psycopg2.Error as error:
            raise failure(f"{table}: {error}") from None

    def close(self) -> None:
        """Let go of it."""
        self.connection.close()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
