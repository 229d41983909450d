"""The ports of a node with workers: connections are accepted here, and served elsewhere."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from attrs import define, field
from twisted.internet.defer import maybeDeferred
from twisted.internet.interfaces import IReadDescriptor
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from flexid.http.ports import address, listen, take_waiting

AT_ONCE = 64
"""Connections that are accepted before the reactor looks at what else there is to do."""
REST = 0.01
"""Seconds until somebody may have room again."""


class Doors:
    """All ports; `hand` gets the place of an endpoint and a connection, and says whether somebody took it."""

    def __init__(
        self, reactor: Any, endpoints: Sequence[tuple[str, str]], hand: Callable[[int, socket.socket], bool]
    ) -> None:
        self._reactor = reactor
        self._endpoints = endpoints
        self._hand = hand
        self._doors: list[_Door] = []
        self._are_open = False
        self._waiting: deque[tuple[int, socket.socket]] = deque()
        self._rest: Any = None

    async def build(self) -> None:
        """Listen, and let nobody in yet.

        :raise CannotServe: an endpoint is none, or is taken.
        """
        for place, (_, endpoint) in enumerate(self._endpoints):
            port = await listen(self._reactor, endpoint, Factory())
            # What Twisted would do itself: accept.
            self._reactor.removeReader(port)
            self._doors.append(_Door(port, place, self._admit))

    def open(self) -> None:
        """Let people in from now on."""
        if not self._are_open:
            self._are_open = True
            for door in self._doors:
                self._reactor.addReader(door)

    def addresses(self, host: str) -> list[str]:
        """Return what to type into a browser, by the name of this host; paths of UNIX sockets as they are."""
        return [address(self._endpoints[door.place][0], door.port, host) for door in self._doors]

    async def close(self) -> None:
        """Hand over those who stand at the doors, and lock them."""
        while self._doors:
            door = self._doors.pop()
            self._reactor.removeReader(door)
            if self._are_open:
                take_waiting(door.port, door.doRead)
            await maybeDeferred(door.port.stopListening)
        self._hand_waiting()
        for _, connection in self._waiting:
            connection.close()
        if self._rest and self._rest.active():
            self._rest.cancel()

    def _admit(self, place: int, connection: socket.socket | None) -> None:
        """Hand a connection over, or let it wait; None: the system lets nobody in at the moment."""
        if connection and not self._waiting and self._hand(place, connection):
            connection.close()
            return
        if connection:
            self._waiting.append((place, connection))
        if self._rest is None or not self._rest.active():
            for door in self._doors:
                self._reactor.removeReader(door)
            self._rest = self._reactor.callLater(REST, self._go_on)

    def _go_on(self) -> None:
        self._hand_waiting()
        if self._waiting:
            self._rest = self._reactor.callLater(REST, self._go_on)
        else:
            for door in self._doors:
                self._reactor.addReader(door)

    def _hand_waiting(self) -> None:
        while self._waiting and self._hand(*self._waiting[0]):
            _, connection = self._waiting.popleft()
            connection.close()


@implementer(IReadDescriptor)
@define(eq=False)
class _Door:
    """One port."""

    log = Logger()

    port: Any
    place: int
    admit: Callable[[int, socket.socket | None], None]
    _complained: bool = field(default=False, init=False)

    def fileno(self) -> int:
        """Return what the reactor watches."""
        number: int = self.port.fileno()
        return number

    def doRead(self) -> None:  # noqa: N802  # Twisted's name
        """Accept whoever stands there."""
        for _ in range(AT_ONCE):
            try:
                connection, _address = self.port.socket.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:
                if not self._complained:
                    self._complained = True
                    self.log.warn("Cannot accept connections: {reason}", reason=error.strerror)
                self.admit(self.place, None)
                return
            self.admit(self.place, connection)

    def connectionLost(self, _: Failure) -> None:  # noqa: N802  # Twisted's name
        """Be told by the reactor that the port is gone."""

    def logPrefix(self) -> str:  # noqa: N802  # Twisted's name
        """Return what Twisted puts before what is logged meanwhile."""
        return "doors"
