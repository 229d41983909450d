"""One connection to PostgreSQL."""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Mapping
from datetime import UTC, timedelta, tzinfo
from itertools import count
from math import inf
from typing import Any

import psycopg2
from psycopg2 import extensions
from twisted.internet.defer import Deferred, fail
from twisted.internet.error import ConnectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from txpostgres import txpostgres

from flexid.base.metrics import Totals
from flexid.domain.errors import Unavailable
from flexid.store.exchange import Exchange
from flexid.store.failures import Disconnected, StoreError, ends_connection, is_stale, translate
from flexid.store.prepared import Prepared, prepared
from flexid.store.query import Query, Row
from flexid.store.values import bindable, read_values

SURELY_SENT = 8000
"""Bytes that always fit into the socket's buffer, which is empty when an exchange begins."""
SLOW_SECONDS = 1.0
"""What takes longer is named in the log."""


class Connection(txpostgres.Connection):  # type: ignore[misc]  # txpostgres ships no types
    """A connection that runs one statement at a time, each with a deadline, and that ends once and for all.

    txpostgres connects; from then on the reactor watches the socket all the time, and an exchange costs neither a lock
    nor a timer nor a turn of the reactor.
    """

    log = Logger()

    def __init__(
        self,
        reactor: Any,
        heard: Callable[[str, str], None] | None = None,
        statements: Totals[str] | None = None,
    ) -> None:
        """`heard` gets channel and payload of each NOTIFY; `statements` are counted by their names."""
        super().__init__(reactor)
        self._statements = Totals[str]() if statements is None else statements
        self.gone: Deferred[None] = Deferred()
        """Fires when the connection has ended."""
        self.trouble = ""
        """Why it ended."""
        self.ended = False
        self._heard = heard
        self._deadline = inf
        self._exchange: Exchange | None = None
        self._prepared: dict[Query, Prepared] = {}
        self._names = count(1)
        self._cursor: Any = None
        # A copy of libpq's descriptor: libpq closes its own when the connection breaks, and the reactor cannot take a
        # closed one out of epoll.
        self._descriptor = -1
        self._arrived = select.poll()

    async def open(self, dsn: str, deadline: float) -> None:
        """Connect; `deadline` is in the reactor's seconds.

        :raise Disconnected: it failed or took too long.
        """
        self._deadline = deadline
        try:
            self._connection = psycopg2.connect(dsn, async_=True)
            await self.poll()
        except (psycopg2.Error, ConnectionDone) as error:
            self.end(str(error).strip())
        if self.ended:
            raise Disconnected(self.trouble)
        read_values(self._connection)
        self._cursor = self._connection.cursor()
        self._cursor.tzinfo_factory = _utc
        self._descriptor = os.dup(self._connection.fileno())
        self._arrived.register(self._descriptor, select.POLLIN)
        self._deadline = inf
        self.reactor.addReader(self)

    @property
    def transaction_status(self) -> int:
        """One of psycopg2's TRANSACTION_STATUS_… constants."""
        status: int = self._connection.get_transaction_status()
        return status

    def is_alive(self) -> bool:
        """Tell whether the server has not said good-bye, in words that the reactor had no time to read yet."""
        while not self.ended and self._arrived.poll(0):
            self._advance()
        return not self.ended

    def execute(
        self,
        query: Query,
        parameters: Mapping[str, Any],
        deadline: float,
        done: Callable[[Connection], object] | None = None,
        before: str = "",
        doer: str = "",
    ) -> Deferred[list[Row]]:
        """Run a statement, prepared at its first use; `deadline` is in the reactor's seconds.

        `before` and `doer` are SQL that goes in front: at the begin of it all, and right before the statement.

        `done` is called when the connection is free again, before the answer is given; never if the connection ended.

        :raise Unavailable: the connection ended or the deadline passed; whether the statement took effect is unknown.
        :raise StoreError: PostgreSQL refused it.
        """
        if self.ended:
            return fail(Unavailable())
        if self._exchange is not None:
            return fail(StoreError(f"{query.name}: the statement before it still runs: {self._exchange.query.name}"))
        exchange = self._exchange = Exchange(query, parameters, before, done, Deferred(), self.reactor.seconds(), doer)
        self._deadline = deadline
        self._begin(exchange)
        return exchange.answer

    def afterwards(self, done: Callable[[Connection], object]) -> bool:
        """Call `done` when the statement that runs is through; return False if none runs."""
        if self._exchange is None:
            return False
        self._exchange.done = done
        return True

    def end(self, trouble: str) -> None:
        """Close, and fail what runs; nothing happens if it has ended already."""
        if self.ended:
            return
        self.ended = True
        self.trouble = trouble
        exchange, self._exchange = self._exchange, None
        if self._connection is not None:
            self.close()
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self.gone.callback(None)
        if exchange is not None:
            self._count(exchange, failed=True)
            exchange.answer.errback(Failure(Unavailable()))

    def check(self, now: float) -> None:
        """End the connection if the server is late."""
        if now >= self._deadline:
            self.end("no answer in time")

    def _begin(self, exchange: Exchange) -> None:
        query = exchange.query
        if not query.prepare:
            self._send(exchange, exchange.doer + query.sql, exchange.parameters or None)
            return
        exchange.prepared = self._prepared.get(query)
        if exchange.prepared is None:
            exchange.prepared = prepared(query, f"s{next(self._names)}")
            exchange.preparing = True
            self._send(exchange, exchange.prepared.prepare, None)
        else:
            self._run_prepared(exchange, exchange.prepared)

    def _run_prepared(self, exchange: Exchange, statement: Prepared) -> None:
        self._send(exchange, exchange.doer + statement.execute, exchange.parameters if statement.bound else None)

    def _send(self, exchange: Exchange, sql: str, parameters: Mapping[str, Any] | None) -> None:
        try:
            self._cursor.execute(exchange.before + sql, bindable(parameters) if parameters else parameters)
        except psycopg2.Error as error:
            # Not at once: the next in the pool's queue may fail as quickly, and the one after him.
            self.reactor.callLater(0, self._refused, error)
        except Exception:  # noqa: BLE001  # a parameter that cannot be bound, whatever it says
            self.reactor.callLater(0, self._finish, exchange, Failure())
        else:
            exchange.before = ""
            if len(self._cursor.query) > SURELY_SENT:
                self.reactor.addWriter(self)

    def _advance(self) -> None:
        try:
            state = self._connection.poll()
        except psycopg2.Error as error:
            self._refused(error)
            return
        if state == extensions.POLL_WRITE:
            self.reactor.addWriter(self)
        elif state == extensions.POLL_OK:
            if self._connection.notifies:
                self._tell()
            if self._exchange is not None:
                self._answered(self._exchange)

    def _answered(self, exchange: Exchange) -> None:
        statement = exchange.prepared
        if statement and exchange.preparing:
            exchange.preparing = False
            self._prepared[exchange.query] = statement
            self._run_prepared(exchange, statement)
            return
        try:
            result: list[Row] | Failure = self._rows(statement)
        except Exception:  # noqa: BLE001  # a value that Python cannot hold: the caller's, not the connection's
            result = Failure()
        self._finish(exchange, result)

    def _rows(self, statement: Prepared | None) -> list[Row]:
        columns = statement.columns if statement else None
        if columns is None:
            columns = tuple(column.name for column in self._cursor.description or ())
            if statement:
                statement.columns = columns
        return [dict(zip(columns, values, strict=True)) for values in self._cursor.fetchall()] if columns else []

    def _refused(self, error: psycopg2.Error) -> None:
        exchange = self._exchange
        if exchange is None or self._connection.closed or ends_connection(error):
            self.end(f"{type(error).__name__} {error.pgcode or ''}".rstrip())
            return
        if is_stale(error) and exchange.query in self._prepared:
            del self._prepared[exchange.query]
            if self.transaction_status == extensions.TRANSACTION_STATUS_IDLE and not exchange.repeated:
                exchange.repeated = True
                self._begin(exchange)
                return
        self._finish(exchange, Failure(translate(error, exchange.query, connection_lost=False)))

    def _finish(self, exchange: Exchange, result: list[Row] | Failure) -> None:
        if exchange is not self._exchange:
            return
        self._exchange = None
        self._deadline = inf
        self._count(exchange, failed=type(result) is Failure)
        if exchange.done is not None:
            exchange.done(self)
        exchange.answer.callback(result)

    def _count(self, exchange: Exchange, *, failed: bool) -> None:
        name, seconds = exchange.query.name, self.reactor.seconds() - exchange.began
        self._statements.add(name, seconds, failed=failed)
        if seconds >= SLOW_SECONDS:
            self.log.warn(
                "The database took {seconds:.1f} seconds: {statement}",
                event="statement.slow",
                statement=name,
                seconds=seconds,
            )

    def _tell(self) -> None:
        notifies = self._connection.notifies[:]
        del self._connection.notifies[:]
        for notify in notifies:
            if self._heard:
                self._heard(notify.channel, notify.payload)

    # What the reactor calls. Without a descriptor of our own we are still connecting, which is txpostgres' business.

    def fileno(self) -> int:
        """Return the descriptor that the reactor watches."""
        descriptor: int = self._descriptor if self._descriptor >= 0 else super().fileno()
        return descriptor

    def doRead(self) -> None:  # noqa: N802  # Twisted's name
        """Go on: something has arrived."""
        if self._descriptor >= 0:
            self._advance()
        else:
            self.reactor.removeReader(self)
            self.continuePolling()

    def doWrite(self) -> None:  # noqa: N802  # Twisted's name
        """Go on: there is room to send the rest."""
        self.reactor.removeWriter(self)
        if self._descriptor >= 0:
            self._advance()
        else:
            self.continuePolling()

    def connectionLost(self, reason: Failure) -> None:  # noqa: N802  # Twisted's name
        """End: the reactor has found the socket dead."""
        if self._descriptor >= 0:
            self.end(reason.getErrorMessage())
        else:
            super().connectionLost(reason)


def _utc(_offset: timedelta) -> tzinfo:
    """Return the one time zone of all our sessions; psycopg2 would make a new one for each value."""
    return UTC
