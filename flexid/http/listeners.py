"""Where the site is served, and how that ends without cutting off an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from weakref import WeakSet

from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater

from flexid.http.channels import Connection, Http1Channel
from flexid.http.http2 import Http2Channel
from flexid.http.ports import OwnPorts, Ports

LOOK_SECONDS = 0.02
IDLE_SECONDS = 0.5
"""How long a client may take for its next request on an open connection, to be told that it is the last one there."""


class Connections(Factory):
    """Makes the site's connections and knows those that are open."""

    noisy = False

    def __init__(self, site: Any) -> None:
        self._site = site
        self._protocols: WeakSet[Connection] = WeakSet()

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
        """Let every connection end with the answers that are being given, or else the next ones."""
        for channel in self._open():
            channel.announce_end()

    def end_idle(self) -> None:
        """End connections on which nothing is being answered."""
        for channel in self._open():
            channel.end_if_idle()

    def any_open(self) -> bool:
        """Tell whether any connection is open."""
        return next(self._open(), None) is not None

    def abort(self) -> None:
        """Cut off whatever is still open."""
        for channel in self._open():
            channel.forceAbortClient()

    def _open(self) -> Iterator[Http1Channel | Http2Channel]:
        return (protocol.channel for protocol in tuple(self._protocols) if protocol.is_open)


class Listeners:
    """Endpoints and what is served there; `secured` puts TLS under the connections of the secure ones."""

    def __init__(
        self,
        reactor: Any,
        site: Any,
        endpoints: Sequence[str],
        secure_endpoints: Sequence[str] = (),
        secured: Callable[[Factory], Any] | None = None,
        ports: Ports | None = None,
    ) -> None:
        self._reactor = reactor
        self._connections = Connections(site)
        self._wanted = [("http", endpoint, self._connections) for endpoint in endpoints]
        if secured:
            self._wanted += [("https", endpoint, secured(self._connections)) for endpoint in secure_endpoints]
        self._ports = OwnPorts(reactor) if ports is None else ports
        self._is_open = False

    async def open(self) -> None:
        """Listen, unless that was done before.

        :raise CannotServe: one of the endpoints is none, or is taken.
        """
        if not self._is_open:
            self._is_open = True
            for scheme, endpoint, factory in self._wanted:
                await self._ports.open(scheme, endpoint, factory)
            self._ports.opened()

    def addresses(self, host: str) -> list[str]:
        """Return what to type into a browser, by the name of this host; paths of UNIX sockets as they are."""
        return self._ports.addresses(host)

    async def close(self, patience: float) -> None:
        """Take no further connections, and wait so many seconds for the requests that are being answered."""
        await self._ports.close()
        self._connections.announce_end()
        now = self._reactor.seconds()
        while self._connections.any_open() and self._reactor.seconds() < now + patience:
            if self._reactor.seconds() >= now + IDLE_SECONDS:
                self._connections.end_idle()
            await deferLater(self._reactor, LOOK_SECONDS)
        self._connections.abort()
