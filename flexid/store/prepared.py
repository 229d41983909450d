"""Statements that one connection has prepared."""

from __future__ import annotations

import re

from attrs import define

from flexid.store.query import Query

PLACE = re.compile(r"%(?:\((\w+)\)s|%)")


@define
class Prepared:
    """A statement that a connection knows by a name of its own."""

    prepare: str
    """The text that prepares it, to be sent as it is."""
    execute: str
    """The text that executes it, with psycopg2's places for the parameters."""
    bound: bool
    """Whether it has parameters."""
    columns: tuple[str, ...] | None = None
    """Names of what it returns, as the first answer told."""


def prepared(query: Query, name: str) -> Prepared:
    """Write a query as a statement that is to be prepared under a name."""
    parameters = list(dict.fromkeys(name for name in PLACE.findall(query.sql) if name))
    if not parameters:
        return Prepared(f"PREPARE {name} AS {query.sql}", f"EXECUTE {name}", bound=False)

    def numbered(place: re.Match[str]) -> str:
        return f"${parameters.index(place[1]) + 1}" if place[1] else "%"

    places = ", ".join(f"%({parameter})s" for parameter in parameters)
    return Prepared(f"PREPARE {name} AS {PLACE.sub(numbered, query.sql)}", f"EXECUTE {name} ({places})", bound=True)
