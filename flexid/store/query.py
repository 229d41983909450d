"""Named SQL statements, and what comes back from them."""

from __future__ import annotations

from typing import Any, Protocol

from attrs import frozen

Row = dict[str, Any]
"""One row of an answer, by column name; JSON columns come parsed, times as aware datetimes in UTC."""


@frozen
class Query:
    """An SQL statement with a name that shows in logs, metrics and errors.

    Parameters are written `%(name)s` and always bound, never pasted. `prepare` is False for what PostgreSQL cannot
    prepare and for what is not worth it: LISTEN, schema changes, statements put together for one use.
    """

    name: str
    sql: str
    prepare: bool = True


class Runner(Protocol):
    """What runs statements: the database by itself, or a transaction."""

    async def run(self, query: Query, **parameters: Any) -> list[Row]:
        """Run one statement and return its rows."""
