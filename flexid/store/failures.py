"""What PostgreSQL refuses, in words that services react to.

Messages name the query and never what was bound to it, nor rows: PostgreSQL's own texts may quote both.
"""

from __future__ import annotations

import psycopg2

from flexid.domain.errors import NotFound, Unavailable
from flexid.store.query import Query

CONNECTION_ENDS = ("08", "57P")
"""Connection failures, and the server that shuts down, crashes or starts."""
UNAVAILABLE = (
    *CONNECTION_ENDS,
    "53",  # too many connections, disk full, out of memory
    "58",  # errors of the disk
    "57014",  # statement_timeout
    "25006",  # the server takes no writes: a standby, or a disk that ran full
    "26000",  # a prepared statement is gone; it is prepared again next time
)
CONTENDED = ("40", "55P03")
"""Serialization failure, deadlock, lock_timeout."""
STALE = ("26000", "0A000")
"""A prepared statement is gone, or its table has changed ("cached plan must not change result type")."""


FOREIGN_KEY_VIOLATION = "23503"


class StoreError(Exception):
    """A statement was refused."""


class ConstraintViolated(StoreError):  # noqa: N818  # services read it as a sentence
    """A constraint forbids it: SQLSTATE class 23, or RAISE … USING CONSTRAINT.

    `constraint` is its name, empty for NOT NULL, where `column` names the column.
    """

    def __init__(self, query: str, constraint: str, column: str | None = None) -> None:
        super().__init__(f"{query}: violates {constraint or f'NOT NULL of {column}'}")
        self.constraint = constraint
        self.column = column


class ReferenceGone(NotFound):
    """Something that is referred to was deleted a moment ago."""


class QueryFailed(StoreError):  # noqa: N818  # as above
    """PostgreSQL refused a statement for a reason that no caller can mend; `sqlstate` says which."""

    def __init__(self, query: str, sqlstate: str, explanation: str) -> None:
        super().__init__(f"{query}: {explanation} (SQLSTATE {sqlstate})")
        self.sqlstate = sqlstate


class Disconnected(Unavailable):
    """There is no connection; `trouble` says why, for the log."""

    def __init__(self, trouble: str) -> None:
        super().__init__()
        self.trouble = trouble


class Contended(Unavailable):
    """Others were in the way: a deadlock, a serialization failure, a lock not granted in time. Nothing was changed."""


def ends_connection(error: psycopg2.Error) -> bool:
    """Tell whether the server said good-bye with this error."""
    return (error.pgcode or "").startswith(CONNECTION_ENDS)


def is_stale(error: psycopg2.Error) -> bool:
    """Tell whether the error may come from a prepared statement that has to be prepared again."""
    return error.pgcode in STALE


def translate(error: psycopg2.Error, query: Query, *, connection_lost: bool) -> Exception:
    """Return the exception that a caller gets for an error of psycopg2."""
    sqlstate = error.pgcode or ""
    plan_outdated = sqlstate == "0A000" and error.diag.source_function == "RevalidateCachedQuery"
    if connection_lost or plan_outdated or sqlstate.startswith(UNAVAILABLE):
        return Unavailable()
    if sqlstate.startswith(CONTENDED):
        return Contended()
    if sqlstate == FOREIGN_KEY_VIOLATION:
        return ReferenceGone()
    if sqlstate.startswith("23") or error.diag.constraint_name:
        return ConstraintViolated(query.name, error.diag.constraint_name or "", error.diag.column_name)
    explanation = type(error).__name__
    if query.prepare and sqlstate.startswith("42"):
        # About the statement's own words; parameters are no part of a prepared statement's text.
        explanation = f"{explanation}, {error.diag.message_primary}"
    return QueryFailed(query.name, sqlstate, explanation)
