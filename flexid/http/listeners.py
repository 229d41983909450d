"""Where the site is served, and how that ends without cutting off an answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakSet

from twisted.internet.address import UNIXAddress
from twisted.internet.defer import maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater

from flexid.base.text import Text
from flexid.domain.errors import DomainError

LOOK_SECONDS = 0.02
IDLE_SECONDS = 0.5
"""How long a client may take for its next request on an open connection, to be told that it is the last one there."""


class CannotServe(DomainError):  # noqa: N818  # a reason, as the domain's errors are
    """An endpoint cannot be used."""


class Connections(Factory):
    """Makes the site's connections and knows those that are open."""

    noisy = False

    def __init__(self, site: Any) -> None:
        self._site = site
        self._protocols: WeakSet[Any] = WeakSet()

    def doStart(self) -> None:  # noqa: N802  # Twisted's name
        """Start the site."""
        self._site.doStart()

    def doStop(self) -> None:  # noqa: N802  # Twisted's name
        """Stop the site."""
        self._site.doStop()

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802  # Twisted's name
        """Return the protocol of a new connection."""
        protocol = self._site.buildProtocol(addr)
        self._protocols.add(protocol)
        return protocol

    def announce_end(self) -> None:
        """Let every connection end with the answer that is being given, or else the next one."""
        for channel in self._open():
            channel.checkPersistence = _say_close
            if channel.requests:
                channel.persistent = False

    def close_idle(self) -> None:
        """Close connections on which nothing is being answered."""
        for channel in self._open():
            if not channel.requests:
                channel.loseConnection()

    def any_open(self) -> bool:
        """Tell whether any connection is open."""
        return bool(self._open())

    def abort(self) -> None:
        """Cut off whatever is still open."""
        for channel in self._open():
            channel.forceAbortClient()

    def _open(self) -> list[Any]:
        channels = [protocol._channel for protocol in self._protocols]  # noqa: SLF001  # Twisted shows it to nobody
        return [channel for channel in channels if channel.transport is not None and channel.transport.connected]


def _say_close(request: Any, _version: bytes) -> bool:
    """Do as HTTPChannel.checkPersistence does when the client asks for an end (RFC 9112, 9.6)."""
    request.responseHeaders.setRawHeaders(b"connection", [b"close"])
    return False


class Listeners:
    """Ports, by Twisted's endpoint strings."""

    def __init__(self, reactor: Any, site: Any, endpoints: Sequence[str]) -> None:
        self._reactor = reactor
        self._endpoints = endpoints
        self._connections = Connections(site)
        self._ports: list[Any] = []

    async def open(self) -> None:
        """Listen, unless that was done before.

        :raise CannotServe: one of the endpoints is none, or is taken.
        """
        for endpoint in self._endpoints[len(self._ports) :]:
            try:
                port = await serverFromString(self._reactor, endpoint).listen(self._connections)
            except CannotListenError as error:
                raise _refusal(endpoint, getattr(error.socketError, "strerror", None) or str(error)) from None
            except (ValueError, TypeError, KeyError, OSError) as error:
                raise _refusal(endpoint, str(error)) from None
            self._ports.append(port)

    def addresses(self, host: str) -> list[str]:
        """Return what to type into a browser, by the name of this host; paths of UNIX sockets as they are."""
        return [_address(port, host) for port in self._ports]

    async def close(self, patience: float) -> None:
        """Take no further connections, and wait so many seconds for the requests that are being answered."""
        for port in self._ports:
            await maybeDeferred(port.stopListening)
        self._connections.announce_end()
        now = self._reactor.seconds()
        while self._connections.any_open() and self._reactor.seconds() < now + patience:
            if self._reactor.seconds() >= now + IDLE_SECONDS:
                self._connections.close_idle()
            await deferLater(self._reactor, LOOK_SECONDS)
        self._connections.abort()


def _refusal(endpoint: str, reason: str) -> CannotServe:
    return CannotServe(Text("Cannot listen on {endpoint}: {reason}", endpoint=endpoint, reason=reason))


def _address(port: Any, host: str) -> str:
    address = port.getHost()
    return str(address.name) if isinstance(address, UNIXAddress) else f"http://{host}:{address.port}"
