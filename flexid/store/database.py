"""The database, as services see it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from flexid.base.metrics import Totals
from flexid.store.ambient import Mark, Savepoint, all_in, around
from flexid.store.connector import Connector, Timeouts, with_settings
from flexid.store.doer import naming_the_doer
from flexid.store.listener import Listener, Subscription
from flexid.store.pool import Pool
from flexid.store.query import Query, Row
from flexid.store.transaction import Transaction


class Database:
    """PostgreSQL behind a pool of connections that repairs itself.

    A caller who is cancelled leaves it whole: what he asked for runs to its end, or is rolled back if it was a
    transaction. Nothing is ever sent twice, except a prepared statement that the server refused to begin because it
    was outdated: after `Unavailable` nobody knows whether a write took effect.
    """

    def __init__(
        self,
        reactor: Any,
        dsn: str,
        size: int = 10,
        *,
        timeouts: Timeouts | None = None,
        longest_queue: int = 1000,
    ) -> None:
        """Prepare `size` connections, and one for listening; `dsn` is libpq's connection string or URI."""
        self.reactor = reactor
        self._dsn = dsn
        self._timeouts = timeouts or Timeouts()
        self._connector = Connector(reactor, dsn, self._timeouts)
        self._pool = Pool(self._connector, size, longest_queue)
        self._listener = Listener(self._connector)

    @property
    def size(self) -> int:
        """How many connections are open."""
        return self._pool.size

    @property
    def busy(self) -> int:
        """How many of them are in use."""
        return self._pool.busy

    @property
    def waiting(self) -> int:
        """How many callers wait for one."""
        return self._pool.waiting

    @property
    def statements(self) -> Totals[str]:
        """What was asked so far, by the names of the statements."""
        return self._connector.statements

    @property
    def listening(self) -> bool:
        """Whether all that is said by NOTIFY now will be heard."""
        return self._listener.listening

    async def start(self) -> None:
        """Begin to connect, and go on trying while the server is away."""
        self._connector.watch.start()
        self._pool.start()
        self._listener.start()

    async def connected(self, within: float) -> None:
        """Wait until there is a connection, at most so many seconds.

        :raise Unavailable: there is none in time.
        """
        self._pool.put_back(await self._pool.take(self.reactor.seconds() + within))

    async def stop(self, grace: float = 5.0) -> None:
        """Refuse new work, let that which runs finish for `grace` seconds, cut the rest, and close all connections."""
        self._listener.stop()
        cut = self.reactor.callLater(grace, self._connector.end_all)
        await self._pool.stop()
        if cut.active():
            cut.cancel()
        self._connector.end_all()
        self._connector.watch.stop()

    async def run(self, query: Query, **parameters: Any) -> list[Row]:
        """Run one statement by itself, and return its rows.

        :raise Unavailable: the server is away, late, full or read-only; whether a write took effect is unknown.
        :raise Contended: others were in the way; nothing was changed, and it may be tried again.
        :raise ConstraintViolated: a constraint forbids it.
        :raise QueryFailed: PostgreSQL refused it for another reason.
        """
        if (scope := around()) is not None:
            await scope.go_apart()
            if (outer := scope.of(self)) is not None:
                async with Savepoint(outer) as savepoint:
                    return await savepoint.run(query, **parameters)
        asked = self.reactor.seconds()
        connection = self._pool.at_once() or await self._pool.take(asked + self._timeouts.waiting)
        doer = naming_the_doer() if query.concerns_the_log else ""
        deadline = asked + self._timeouts.answer
        return await connection.execute(query, parameters, deadline, done=self._pool.put_back, doer=doer)

    def transaction(self, statement_timeout: float | None = None) -> Transaction:
        """Begin a transaction: `async with database.transaction() as transaction:`.

        `statement_timeout`, in seconds, is for long work such as schema changes.

        :raise Unavailable: no connection is free in time, the server failed, or the commit did.
        """
        scope = around()
        if scope is not None and (outer := scope.of(self)) is not None:
            return Savepoint(outer)
        first = scope.go_apart if scope else None
        return Transaction(self.reactor, self._pool, self._timeouts, statement_timeout, first)

    def all_in_one(self, mark: Mark) -> AbstractAsyncContextManager[Transaction]:
        """Begin a transaction of which all is part that is asked for within, by whomever (`flexid.store.ambient`).

        `mark` is called before anything is done apart from it.

        :raise Unavailable: as `transaction` does.
        """
        return all_in(self, Transaction(self.reactor, self._pool, self._timeouts, None), mark)

    def dsn_for(self, statement_timeout: float) -> str:
        """Return how another process connects to this database; `statement_timeout` in seconds."""
        return with_settings(self._dsn, statement_timeout)

    def listen(
        self, channel: str, heard: Callable[[str], None], lost: Callable[[], None], regained: Callable[[], None]
    ) -> None:
        """Call `heard` with the payload of each NOTIFY on a channel.

        `regained` is called after every connecting, the first too: what was said before has been missed, so caches have
        to be dropped. `lost` is called when the connection ends.
        """
        self._listener.subscribe(Subscription(channel, heard, lost, regained))
