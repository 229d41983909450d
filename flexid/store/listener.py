"""Hears what is said by NOTIFY."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from flexid.domain.errors import Unavailable
from flexid.store.connection import Connection
from flexid.store.connector import Connector
from flexid.store.keeper import Keeper
from flexid.store.query import Query, Row

PULSE = Query("feel the listener's pulse", "SELECT 1", prepare=False)
BETWEEN_PULSES = 5.0
"""Seconds: a server that is frozen or behind a broken network says nothing, and neither does a quiet one."""


@frozen
class Subscription:
    """Who hears a channel; see `Database.listen`."""

    channel: str
    heard: Callable[[str], None]
    lost: Callable[[], None]
    regained: Callable[[], None]


class Listener:
    """Keeps a connection of its own that listens on all subscribed channels."""

    log = Logger()

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._keeper = Keeper(connector.reactor, self._connect, self._serve)
        self._subscriptions: list[Subscription] = []
        self._started = False
        self._connection: Connection | None = None
        self.listening = False
        """Whether all that is said now will be heard."""

    def subscribe(self, subscription: Subscription) -> None:
        """Hear a channel too."""
        self._subscriptions.append(subscription)
        if self._connection:
            self._connection.end("there is more to listen to")
        elif self._started and len(self._subscriptions) == 1:
            self._keeper.start()

    def start(self) -> None:
        """Begin to listen, as soon as anybody wants to hear something."""
        self._started = True
        if self._subscriptions:
            self._keeper.start()

    def stop(self) -> None:
        """Do not come back when the connection ends."""
        self._keeper.stop()

    async def _connect(self) -> Connection:
        return await self._connector.connect(self._hear)

    async def _serve(self, connection: Connection) -> None:
        self._connection = connection
        heard = {subscription.channel: subscription for subscription in self._subscriptions}
        statements = "; ".join(f'LISTEN "{channel}"' for channel in heard)
        pulse = LoopingCall(self._ask, connection, PULSE)
        pulse.clock = self._connector.reactor
        try:
            await self._ask(connection, Query("listen", statements, prepare=False))
            self._tell(listening=True)
            pulse.start(BETWEEN_PULSES, now=False).addErrback(lambda failure: failure.trap(Unavailable))
            await connection.gone
        finally:
            self._connection = None
            connection.end("gave up listening")
            if pulse.running:
                pulse.stop()
            self._tell(listening=False)

    def _ask(self, connection: Connection, query: Query) -> Deferred[list[Row]]:
        return connection.execute(query, {}, self._connector.reactor.seconds() + self._connector.timeouts.answer)

    def _hear(self, channel: str, payload: str) -> None:
        for subscription in self._subscriptions:
            if subscription.channel == channel:
                self._call(subscription.heard, payload)

    def _tell(self, *, listening: bool) -> None:
        if listening is self.listening:
            return
        self.listening = listening
        for subscription in self._subscriptions:
            self._call(subscription.regained if listening else subscription.lost)

    def _call(self, function: Callable[..., None], *arguments: str) -> None:
        # One that fails must not keep the others from hearing.
        with self.log.failuresHandled("A listener failed"):
            function(*arguments)
