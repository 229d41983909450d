"""Connections for those who need one for a moment."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from psycopg2 import extensions
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from flexid.domain.errors import Unavailable
from flexid.store.connection import Connection
from flexid.store.connector import Connector
from flexid.store.failures import Disconnected
from flexid.store.keeper import Keeper


class Pool:
    """Keeps `size` connections open and lends them, one borrower at a time, in the order of asking."""

    log = Logger()

    def __init__(self, connector: Connector, size: int, longest_queue: int) -> None:
        self._connector = connector
        self._longest_queue = longest_queue
        self._keepers = [
            Keeper(connector.reactor, self._connect, self._serve, spread=(1 + place / size) / 2)
            for place in range(size)
        ]
        self._open: set[Connection] = set()
        self._idle: list[Connection] = []
        self._waiting: OrderedDict[Deferred[Connection], float] = OrderedDict()
        self._all_back: Deferred[None] | None = None
        self._stopped = False
        self._reachable: bool | None = None

    @property
    def size(self) -> int:
        """How many connections are open."""
        return len(self._open)

    @property
    def busy(self) -> int:
        """How many of them are lent."""
        return len(self._open) - len(self._idle)

    @property
    def waiting(self) -> int:
        """How many wait for one."""
        return len(self._waiting)

    def start(self) -> None:
        """Begin to connect."""
        self._connector.watch.add(self)
        for keeper in self._keepers:
            keeper.start()

    async def stop(self) -> None:
        """Refuse everybody, and wait until all connections are back; their number goes down to none by itself."""
        self._stopped = True
        for keeper in self._keepers:
            keeper.stop()
        self._refuse(tuple(self._waiting))
        if self.busy:
            self._all_back = Deferred()
            await self._all_back

    def at_once(self) -> Connection | None:
        """Lend a connection if one is free."""
        while self._idle and not self._stopped:
            connection = self._idle.pop()
            if connection.is_alive():
                return connection
        return None

    async def take(self, deadline: float) -> Connection:
        """Lend a connection, which has to be put back; `deadline` is in the reactor's seconds.

        :raise Unavailable: none is free in time, or too many wait already.
        """
        connection = self.at_once()
        if connection:
            return connection
        if self._stopped or len(self._waiting) >= self._longest_queue:
            raise Unavailable
        turn: Deferred[Connection] = Deferred()
        self._waiting[turn] = deadline
        try:
            return await turn
        finally:
            self._waiting.pop(turn, None)  # who gave up waits no more

    def put_back(self, connection: Connection) -> None:
        """Take a connection back, and lend it to the next who waits."""
        if connection.transaction_status != extensions.TRANSACTION_STATUS_IDLE:
            connection.end("came back within a transaction")
        elif self._waiting:
            self._waiting.popitem(last=False)[0].callback(connection)
        else:
            self._idle.append(connection)
            self._tell_all_back()

    def check(self, now: float) -> None:
        """Refuse who has waited too long."""
        self._refuse([turn for turn, deadline in self._waiting.items() if deadline <= now])

    async def _connect(self) -> Connection:
        try:
            return await self._connector.connect()
        except Disconnected as error:
            self._notice_absence(error.trouble)
            raise

    async def _serve(self, connection: Connection) -> None:
        self._open.add(connection)
        if not self._reachable:
            self._reachable = True
            self.log.info("The database is there", event="database.there")
        self.put_back(connection)
        await connection.gone
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        self._notice_absence(connection.trouble)
        self._tell_all_back()

    def _notice_absence(self, trouble: str) -> None:
        if not self._open and self._reachable is not False and not self._stopped:
            self._reachable = False
            self.log.warn("The database is away: {trouble}", event="database.away", trouble=trouble)

    def _refuse(self, turns: Iterable[Deferred[Connection]]) -> None:
        for turn in turns:
            if not turn.called:  # by what the one before it did when refused
                turn.errback(Failure(Unavailable()))

    def _tell_all_back(self) -> None:
        if self._all_back and not self._all_back.called and not self.busy:
            self._all_back.callback(None)
