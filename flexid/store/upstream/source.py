"""A database of Flexisip Account Manager, as all that reads it sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from attrs import field, frozen

from flexid.base.text import Text
from flexid.domain.errors import DomainError

Table = str
Value = Any
"""A number or a text; times and, from PostgreSQL, all other values are texts."""


class UpstreamFailed(DomainError):  # noqa: N818  # a reason, as the domain's errors are
    """The database cannot be read, or is none of Flexisip Account Manager."""


def failure(reason: object) -> UpstreamFailed:
    """Return an error with a reason that somebody else put into words."""
    return UpstreamFailed(Text("{reason}", reason=str(reason).strip().replace("\n", " ")))


class Source(Protocol):
    """Reads within one transaction, so that all tables are of the same moment."""

    def columns(self) -> Mapping[Table, Sequence[str]]:
        """Return the tables that are there, with their columns."""

    def count(self, table: Table) -> int:
        """Return how many rows a table has."""

    def rows(self, table: Table, columns: Sequence[str]) -> Iterator[tuple[Value, ...]]:
        """Yield the rows of a table, which are fetched as they are asked for."""

    def close(self) -> None:
        """Let go of it."""


@frozen
class Address:
    """Where a database is."""

    scheme: str
    host: str | None
    port: int | None
    user: str | None
    password: str | None = field(repr=False)
    database: str
    options: Mapping[str, str]


def read_address(url: str) -> Address:
    """Return what a URL such as `mysql://user:password@host/database` says; `?unix_socket=` names a socket.

    :raise UpstreamFailed: it is none.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise failure(f"the address of the database cannot be read: {error}") from None
    schemes = {"mysql": "mysql", "mariadb": "mysql", "postgresql": "postgresql", "postgres": "postgresql"}
    database = unquote(parts.path.strip("/"))
    if parts.scheme not in schemes or not database or "/" in database:
        raise failure("the address must be like mysql://user:password@host/database, or postgresql://…")
    pairs = (pair.partition("=") for pair in parts.query.split("&") if pair)
    return Address(
        schemes[parts.scheme],
        unquote(parts.hostname) if parts.hostname else None,
        port,
        unquote(parts.username) if parts.username else None,
        unquote(parts.password) if parts.password else None,
        database,
        {name: unquote(value) for name, _, value in pairs},
    )


def connect(url: str) -> Source:
    """Connect, and begin to read.

    :raise UpstreamFailed: it cannot be reached.
    """
    address = read_address(url)
    if address.scheme == "postgresql":
        from flexid.store.upstream.postgresql import PostgresSource  # noqa: PLC0415  # one of the two is needed

        return PostgresSource.connect(url)
    try:
        from flexid.store.upstream.mysql import MysqlSource  # noqa: PLC0415
    except ModuleNotFoundError:
        raise failure(
            "reading MySQL and MariaDB needs PyMySQL, which comes with: pip install 'flexid[mysql]'"
        ) from None
    return MysqlSource.connect(address)
