"""One transaction around all that is done for a request, whichever use cases it takes.

Use cases ask the database for statements and transactions of their own. Within such a transaction they get savepoints
of it instead, which take effect or not as they would have by themselves; all is committed at the end, or nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Self

from flexid.store.query import Query, Row
from flexid.store.transaction import Transaction

SAVEPOINT = Query("set a savepoint", "SAVEPOINT within", prepare=False)
RELEASE = Query("release a savepoint", "RELEASE SAVEPOINT within", prepare=False)
ROLL_BACK_TO = Query(
    "roll back to a savepoint", "ROLLBACK TO SAVEPOINT within; RELEASE SAVEPOINT within", prepare=False
)
_around: ContextVar[tuple[object, Transaction] | None] = ContextVar("around", default=None)


class Savepoint(Transaction):
    """A transaction within another one, with the same promises."""

    def __init__(self, around: Transaction) -> None:
        self._outer = around

    async def __aenter__(self) -> Self:
        await self._outer.run(SAVEPOINT)
        return self

    async def run(self, query: Query, **parameters: Any) -> list[Row]:
        """Run one statement and return its rows."""
        return await self._outer.run(query, **parameters)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            await self._outer.run(RELEASE)
        elif kind is not GeneratorExit and self._outer.is_open:  # in which nothing can be awaited
            await self._outer.run(ROLL_BACK_TO)


def around(database: object) -> Transaction | None:
    """Return the transaction that goes on around who asks, if it is one of that database."""
    found = _around.get()
    return found[1] if found and found[0] is database and found[1].is_open else None


@asynccontextmanager
async def all_in(database: object, transaction: Transaction) -> AsyncIterator[Transaction]:
    """Let all that is asked of a database from here on be part of one transaction."""
    async with transaction:
        token = _around.set((database, transaction))
        try:
            yield transaction
        finally:
            _around.reset(token)


@contextmanager
def apart() -> Iterator[None]:
    """Let what is asked from here on stand by itself all the same: others have to see it at once."""
    token = _around.set(None)
    try:
        yield
    finally:
        _around.reset(token)
