"""Named SQL statements, and what comes back from them."""

from __future__ import annotations

from typing import Any

from attrs import frozen

Row = dict[str, Any]
"""One row of an answer, by column name; JSON columns come parsed, times as aware datetimes in UTC."""


@frozen
class Query:
    """An SQL statement with a name that shows in logs, metrics and errors.

    Parameters are written `%(name)s` and always bound, never pasted.
    """

    name: str
    sql: str
