"""Named SQL statements, and what comes back from them."""

from __future__ import annotations

from typing import Any, Protocol

import orjson
from attrs import field, frozen
from psycopg2 import extras

from flexid.store.doer import concerns_the_log

ISO_TIME = """'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'"""
"""How times inside JSON columns are written, for to_char: as the API shows them; sessions are in UTC."""

Row = dict[str, Any]
"""One row of an answer, by column name; JSON columns come parsed, times as aware datetimes in UTC."""


@frozen(cache_hash=True)
class Query:
    """An SQL statement with a name that shows in logs, metrics and errors.

    Parameters are written `%(name)s` and always bound, never pasted; a statement that has any writes its other percent
    signs `%%`. Lists become arrays, `Json` a JSON document. `prepare` is False for what PostgreSQL cannot prepare and
    for what is not worth it: LISTEN, schema changes, several statements at once, statements put together for one use
    (each prepared text stays on every connection).
    """

    name: str
    sql: str
    prepare: bool = True
    concerns_the_log: bool = field(init=False, eq=False)
    """Whether the database has to know who acts (`flexid.store.doer`)."""

    @concerns_the_log.default
    def _concerns_the_log(self) -> bool:
        return concerns_the_log(self.sql)


class Json(extras.Json):
    """A value to be bound as a JSON document."""

    def dumps(self, obj: Any) -> str:
        """Return the document as text."""
        return orjson.dumps(obj).decode()


class Runner(Protocol):
    """What runs statements: the database by itself, or a transaction."""

    async def run(self, query: Query, **parameters: Any) -> list[Row]:
        """Run one statement and return its rows."""
