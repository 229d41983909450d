"""Connections that another process has accepted for us (`flexid.workers`)."""

# Twisted's code for connections has no types.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any

from attrs import define, field
from twisted.internet import tcp, unix
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.protocols.haproxy._wrapper import HAProxyWrappingFactory

from flexid.base import handover
from flexid.base.channel import Channel

PATIENCE = 2.0
"""Seconds until the other process has handed over the last one."""
BEHIND_PROXY = "haproxy:"
"""An endpoint whose connections begin with a line that tells of the client (the PROXY protocol)."""


class _Counted:
    """Tells when it is over."""

    server: Handed

    def connectionLost(self, reason: Any) -> None:  # noqa: N802  # Twisted's name
        super().connectionLost(reason)  # type: ignore[misc]  # Twisted's transports have it
        self.server.lost_one()


class _TcpConnection(_Counted, tcp.Server):
    server: Any


class _UnixConnection(_Counted, unix.Server):
    server: Any


@define
class Handed:
    """The endpoints of a worker: another process listens there, and hands over what it accepts."""

    log = Logger()
    _realPortNumber = None  # noqa: N815  # connections of Twisted's ask for it

    reactor: Any
    channel: Channel
    endpoints: Sequence[tuple[str, str]]
    """Scheme and endpoint, in the order by which connections are handed over."""
    _factories: dict[tuple[str, str], Any] = field(factory=dict, init=False)
    _taken: int = field(default=0, init=False)
    _closed: int = field(default=0, init=False)
    _telling: Any = field(default=None, init=False)
    _last: Deferred[None] = field(factory=Deferred, init=False)
    """Fires when no more will come."""

    async def open(self, scheme: str, endpoint: str, factory: Any) -> None:
        """Make the connections of an endpoint."""
        behind_proxy = endpoint.startswith(BEHIND_PROXY)
        self._factories[scheme, endpoint] = HAProxyWrappingFactory(factory) if behind_proxy else factory
        self._factories[scheme, endpoint].doStart()

    def opened(self) -> None:
        """Ask for connections."""
        self.channel.say(handover.OPEN)

    def addresses(self, host: str) -> list[str]:  # noqa: ARG002  # other ports need it
        """Return nothing: whoever listens knows."""
        return []

    async def close(self) -> None:
        """Ask for no more connections, and take those that are on their way."""
        self.channel.say(handover.ENDING)
        late = self.reactor.callLater(PATIENCE, self.over)
        await self._last
        if late.active():
            late.cancel()
        for factory in self._factories.values():
            factory.doStop()

    def take(self, place: int, descriptor: int | None) -> None:
        """Serve a connection of the endpoint at that place."""
        if descriptor is None:
            self.log.error("A connection is lost: this process may not open more files")
            self.lost_one()
            return
        end = socket.socket(fileno=descriptor)
        try:
            self._serve(end, self._factories[self.endpoints[place]])
        except OSError:
            # The client is gone already.
            end.close()
            self.lost_one()

    def over(self) -> None:
        """Be told that no more will come."""
        if not self._last.called:
            self._last.callback(None)

    def lost_one(self) -> None:
        """Be told that a connection is closed; the other process hears of it in the next turn of the reactor."""
        self._closed += 1
        if self._telling is None:
            self._telling = self.reactor.callLater(0, self._tell)

    def _tell(self) -> None:
        self._telling = None
        # Where there is no room now, the next number counts this one too.
        self.channel.say(handover.CLOSED + str(self._closed).encode())

    def _serve(self, end: socket.socket, factory: Any) -> None:
        self._taken += 1
        if end.family == socket.AF_UNIX:
            protocol = factory.buildProtocol(UNIXAddress(None))
            protocol.makeConnection(_UnixConnection(end, protocol, None, self, self._taken, self.reactor))
            return
        client = end.getpeername()
        if end.family == socket.AF_INET6:
            # With the scope, which getpeername() gives as a number only.
            host, _ = socket.getnameinfo(client, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)
            client = (host, *client[1:])
            protocol = factory.buildProtocol(IPv6Address("TCP", *client))
        else:
            protocol = factory.buildProtocol(IPv4Address("TCP", *client))
        port: Any = self
        protocol.makeConnection(_TcpConnection(end, protocol, client, port, self._taken, self.reactor))
