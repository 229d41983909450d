"""Keeps a connection open."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, ensureDeferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

from flexid.domain.errors import Unavailable
from flexid.store.connection import Connection

SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 0.8
"""Seconds between two tries to connect."""


class Keeper:
    """Opens a connection, and another one whenever it is lost, with pauses that grow while the server is away."""

    log = Logger()

    def __init__(
        self,
        reactor: Any,
        connect: Callable[[], Awaitable[Connection]],
        serve: Callable[[Connection], Awaitable[None]],
        spread: float = 1.0,
    ) -> None:
        """Prepare to keep a connection.

        `connect` opens one or raises Unavailable. `serve` uses it and returns when it is lost. `spread`, up to 1,
        scales the pauses, so that many keepers do not knock all at once.
        """
        self._reactor = reactor
        self._connect = connect
        self._serve = serve
        self._spread = spread
        self._stopped = False
        self._pause: Deferred[None] | None = None

    def start(self) -> None:
        """Begin to connect."""
        ensureDeferred(self._keep()).addErrback(lambda failure: self.log.failure("Keeping a connection", failure))

    def stop(self) -> None:
        """Open no further connection; the one that is open stays."""
        self._stopped = True
        if self._pause:
            self._pause.cancel()

    async def _keep(self) -> None:
        pause = SHORTEST_PAUSE
        while not self._stopped:
            try:
                connection = await self._connect()
                pause = SHORTEST_PAUSE
                await self._serve(connection)
            except Unavailable:
                pause = min(2 * pause, LONGEST_PAUSE)
            if not self._stopped:
                await self._rest(pause * self._spread)

    async def _rest(self, seconds: float) -> None:
        self._pause = deferLater(self._reactor, seconds, lambda: None)
        try:
            await self._pause
        except CancelledError:
            pass
        finally:
            self._pause = None
