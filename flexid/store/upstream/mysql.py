"""Flexisip Account Manager on MySQL or MariaDB."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pymysql
from attrs import frozen
from pymysql.constants import FIELD_TYPE
from pymysql.converters import conversions
from pymysql.cursors import SSCursor

from flexid.store.upstream.source import Address, Value, failure

AT_ONCE = 2000
PATIENCE = 10
"""Seconds for the server to answer a connection."""
# Times stay texts: some are no times at all (0000-00-00), and ours reads them as they are.
_READING: dict[Any, Any] = {
    **conversions,
    **dict.fromkeys((FIELD_TYPE.DATETIME, FIELD_TYPE.TIMESTAMP, FIELD_TYPE.DATE), str),
}
# Whatever character set a table has, the server hands its texts over in utf8mb4. It must not give up while we are busy
# with what we have.
SETTINGS = (
    "SET time_zone = '+00:00', net_write_timeout = 3600, wait_timeout = 28800",
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
)
COLUMNS = """
    SELECT c.table_name, c.column_name FROM information_schema.columns c
    JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
    WHERE c.table_schema = DATABASE() AND t.table_type = 'BASE TABLE'
    ORDER BY c.table_name, c.ordinal_position
"""


@frozen
class MysqlSource:
    """Reads by cursors that keep the rows at the server."""

    connection: Any

    @classmethod
    def connect(cls, address: Address) -> MysqlSource:
        """Connect.

        :raise UpstreamFailed: the server cannot be reached, or refuses.
        """
        place: dict[str, Any] = {"host": address.host or "localhost", "port": address.port or 3306}
        if path := address.options.get("unix_socket"):
            place = {"unix_socket": path}
        if defaults := address.options.get("read_default_file"):
            place["read_default_file"] = defaults
        if authority := address.options.get("ssl_ca"):
            place["ssl_ca"] = authority
        try:
            if path:
                # PyMySQL leaves its own open where nobody listens.
                with socket.socket(socket.AF_UNIX) as probe:
                    probe.connect(path)
            connection = pymysql.connect(
                user=address.user,
                password=address.password or "",
                database=address.database,
                charset="utf8mb4",
                conv=_READING,
                connect_timeout=PATIENCE,
                **place,
            )
            with connection.cursor() as cursor:
                for setting in SETTINGS:
                    cursor.execute(setting)
        except (pymysql.Error, OSError) as error:
            raise failure(error.args[-1]) from None
        return cls(connection)

    def columns(self) -> Mapping[str, Sequence[str]]:
        """Return the tables that are there, with their columns."""
        found: dict[str, list[str]] = {}
        for table, column in self._ask(COLUMNS):
            found.setdefault(table, []).append(column)
        return found

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        return int(self._ask(f"SELECT count(*) FROM {_quoted(table)}")[0][0])

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[tuple[Value, ...]]:
        """Yield the rows of a table, which are fetched as they are asked for."""
        wanted = ", ".join(map(_quoted, columns))
        with self.connection.cursor(SSCursor) as cursor:
            try:
                cursor.execute(f"SELECT {wanted} FROM {_quoted(table)}")  # names of tables
                while batch := cursor.fetchmany(AT_ONCE):
                    yield from batch
            except (pymysql.Error, OSError) as error:
                raise failure(f"{table}: {error.args[-1]}") from None

    def _ask(self, query: str) -> Sequence[tuple[Value, ...]]:
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(query)
                rows: Sequence[tuple[Value, ...]] = cursor.fetchall()
                return rows
        except (pymysql.Error, OSError) as error:
            raise failure(error.args[-1]) from None

    def close(self) -> None:
        """Let go of it."""
        self.connection.close()


def _quoted(name: str) -> str:
    return f"`{name.replace('`', '``')}`"
