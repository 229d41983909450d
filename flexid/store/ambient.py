"""One transaction around all that is done for a request, whichever use cases it takes.

Use cases ask the database for statements and transactions of their own. Within such a transaction they get savepoints
of it instead, which take effect or not as they would have by themselves; all is committed at the end, or nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Self

from attrs import define, field

from flexid.store.query import Query, Row
from flexid.store.transaction import Transaction

SAVEPOINT = Query("set a savepoint", "SAVEPOINT within", prepare=False)
RELEASE = Query("release a savepoint", "RELEASE SAVEPOINT within", prepare=False)
ROLL_BACK_TO = Query(
    "roll back to a savepoint", "ROLLBACK TO SAVEPOINT within; RELEASE SAVEPOINT within", prepare=False
)
Mark = Callable[[], Awaitable[object]]


@define
class Scope:
    """What goes on around who asks: a transaction, or what has to be noted before something is done apart from it."""

    database: object
    transaction: Transaction | None
    mark: Mark
    _is_marked: bool = field(default=False, init=False)

    def of(self, database: object) -> Transaction | None:
        """Return the transaction, if it is one of that database and goes on."""
        outer = self.transaction
        return outer if outer and self.database is database and outer.is_open else None

    async def go_apart(self) -> None:
        """Note, once, that something is done which the transaction will not undo."""
        if self.transaction is None and not self._is_marked:
            self._is_marked = True
            token = _around.set(None)
            try:
                await self.mark()
            finally:
                _around.reset(token)


_around: ContextVar[Scope | None] = ContextVar("around", default=None)


class Savepoint(Transaction):
    """A transaction within another one, with the same promises."""

    def __init__(self, around: Transaction) -> None:
        self._within = around

    async def __aenter__(self) -> Self:
        await self._within.run(SAVEPOINT)
        return self

    async def run(self, query: Query, **parameters: Any) -> list[Row]:
        """Run one statement and return its rows."""
        return await self._within.run(query, **parameters)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            await self._within.run(RELEASE)
        elif kind is not GeneratorExit and self._within.is_open:  # in which nothing can be awaited
            await self._within.run(ROLL_BACK_TO)


around = _around.get


@asynccontextmanager
async def all_in(database: object, transaction: Transaction, mark: Mark) -> AsyncIterator[Transaction]:
    """Let all that is asked of a database from here on be part of one transaction; `mark` is for `apart`."""
    async with transaction:
        token = _around.set(Scope(database, transaction, mark))
        try:
            yield transaction
        finally:
            _around.reset(token)


@contextmanager
def apart() -> Iterator[None]:
    """Let what is asked from here on stand by itself all the same: others have to see it at once.

    That it was begun is noted first, for the case that the transaction around it never ends.
    """
    scope = _around.get()
    token = _around.set(Scope(scope.database, None, scope.mark) if scope else None)
    try:
        yield
    finally:
        _around.reset(token)
