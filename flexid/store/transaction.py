"""Several statements that take effect together or not at all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

from psycopg2.extensions import (
    TRANSACTION_STATUS_IDLE as NOT_BEGUN,
)
from psycopg2.extensions import (
    TRANSACTION_STATUS_INERROR as ABORTED,
)
from twisted.internet.defer import Deferred

from flexid.domain.errors import Unavailable
from flexid.store.connection import Connection
from flexid.store.connector import Timeouts
from flexid.store.doer import naming_the_doer
from flexid.store.failures import QueryFailed, StoreError
from flexid.store.pool import Pool
from flexid.store.query import Query, Row

COMMIT = Query("commit", "COMMIT", prepare=False)
ROLLBACK = Query("roll back", "ROLLBACK", prepare=False)


class Transaction:
    """A connection lent for one transaction: `async with database.transaction() as transaction:`.

    Leaving normally commits; leaving by an exception, a cancellation too, rolls back. A body that asks the database
    itself for something meanwhile needs a second connection and may wait for it in vain: it should use `run` here.
    """

    def __init__(
        self,
        reactor: Any,
        pool: Pool,
        timeouts: Timeouts,
        statement_timeout: float | None,
        first: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        """`first` is awaited before it begins."""
        self._reactor = reactor
        self._pool = pool
        self._timeouts = timeouts
        self._begin = "BEGIN; "
        self._answer = timeouts.answer
        if statement_timeout is not None:
            self._begin += f"SET LOCAL statement_timeout = {round(statement_timeout * 1000)}; "
            self._answer += statement_timeout - timeouts.statement
        self._asked = 0.0
        self._first = first
        self._connection: Connection | None = None

    async def __aenter__(self) -> Self:
        if self._first:
            await self._first()
        self._asked = self._reactor.seconds()
        self._connection = await self._pool.take(self._asked + self._timeouts.waiting)
        return self

    @property
    def is_open(self) -> bool:
        """Say whether statements can be run in it."""
        return self._connection is not None and not self._connection.ended

    async def run(self, query: Query, **parameters: Any) -> list[Row]:
        """Run one statement and return its rows; see `Database.run` for what it raises."""
        connection = self._connection
        if connection is None:
            raise StoreError(f"{query.name}: its transaction is over")
        if connection.ended:
            raise Unavailable
        if connection.transaction_status != NOT_BEGUN:
            return await connection.execute(query, parameters, self._reactor.seconds() + self._answer)
        # Saves a round trip; and the time spent waiting for the connection counts.
        before = self._begin + naming_the_doer()
        return await connection.execute(query, parameters, self._asked + self._answer, before=before)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        connection, self._connection = self._connection, None
        if connection is None or connection.ended:
            if kind is None:
                raise Unavailable
        elif kind is None:
            await self._commit(connection)
        elif not connection.afterwards(self._roll_back):
            rolled_back = self._roll_back(connection)
            if kind is not GeneratorExit:  # in which nothing can be awaited
                await rolled_back

    async def _commit(self, connection: Connection) -> None:
        if connection.transaction_status == NOT_BEGUN:
            self._pool.put_back(connection)
        elif connection.transaction_status == ABORTED:
            # PostgreSQL would answer COMMIT with a rollback, and call it a success.
            await self._roll_back(connection)
            raise QueryFailed(COMMIT.name, "25P02", "a statement of the transaction had failed")
        else:
            await connection.execute(COMMIT, {}, self._reactor.seconds() + self._answer, done=self._pool.put_back)

    def _roll_back(self, connection: Connection) -> Deferred[Any]:
        deadline = self._reactor.seconds() + self._timeouts.answer
        rolled_back = connection.execute(ROLLBACK, {}, deadline, done=self._pool.put_back)
        # A rollback fails with the connection only, and then the server rolls back by itself.
        return rolled_back.addErrback(lambda failure: failure.trap(Unavailable, StoreError))
