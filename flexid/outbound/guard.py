"""Connections to where others than the operator point us: not to what stands beside us, unless the operator allows it.

A name is looked up here, all of its addresses are looked at, and exactly these are connected to: a name that leads
elsewhere the next time gains nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from attrs import field, frozen
from twisted.internet.address import IPv4Address as Tcp4
from twisted.internet.address import IPv6Address as Tcp6
from twisted.internet.defer import Deferred, TimeoutError, ensureDeferred  # noqa: A004  # Twisted's name
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.error import DNSLookupError
from twisted.internet.interfaces import (
    IHostnameResolver,
    IReactorPluggableNameResolver,
    IResolutionReceiver,
    IStreamClientEndpoint,
)
from zope.interface import implementer

Resolve = Callable[[str], Awaitable[Sequence[str]]]

LOOKUP_SECONDS = 5.0
# Addresses of IPv6 that lead to one of IPv4, which stands in their last 32 bits (RFC 6052; RFC 4291, 2.5.5.1).
_LEADING_TO_IPV4 = (ip_network("64:ff9b::/96"), ip_network("::/96"))
# What Python's `is_global` lets pass, or does in some versions: site-local ones, relays of 6to4, translation within a
# site, addresses for documentation.
_OUT_OF_BOUNDS = tuple(
    map(ip_network, ("fec0::/10", "192.88.99.0/24", "64:ff9b:1::/48", "100::/64", "2001:db8::/32", "3fff::/20"))
)


class NotPublic(Exception):  # noqa: N818  # a reason: it is told to who gave the address
    """A host lies where we do not connect to for others."""


def is_public(address: str) -> bool:
    """Say whether an IP address is one of the public Internet, also where another one is wrapped in it."""
    ip = ip_address(address.partition("%")[0])
    wrapped = _wrapped(ip)
    if wrapped is not None:
        return is_public(str(wrapped))
    if any(ip in network for network in _OUT_OF_BOUNDS if network.version == ip.version):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def _wrapped(ip: IPv4Address | IPv6Address) -> IPv4Address | None:
    if isinstance(ip, IPv4Address):
        return None
    if any(ip in network for network in _LEADING_TO_IPV4):
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)


@frozen
class Guard:
    """Decides what may be connected to; `allow_private` lets all pass, `resolve` replaces the look-up of the system."""

    reactor: Any
    allow_private: bool = False
    resolve: Resolve | None = None

    async def addresses(self, host: str) -> list[str]:
        """Return the addresses of a host, or of an address in text.

        :raise NotPublic: one of them is none that we connect to.
        :raise DNSLookupError: there are none.
        """
        try:
            found = [str(ip_address(host.strip("[]")))]
        except ValueError:
            found = [*await self._look_up(host)]
        if not found:
            raise DNSLookupError(f"no address is known for {host}")
        # One of several is enough to refuse: which one is taken would be a matter of luck.
        if not self.allow_private and not all(map(is_public, found)):
            raise NotPublic(host)
        return found

    def endpoint(self, host: str, port: int, seconds: float) -> GuardedEndpoint:
        """Return what connects to a port of a host; `seconds` is how long each of its addresses may take."""
        return GuardedEndpoint(self, host, port, seconds)

    async def _look_up(self, host: str) -> Sequence[str]:
        if self.resolve is not None:
            return await self.resolve(host)
        receiver = _Receiver()
        self.reactor.nameResolver.resolveHostName(receiver, host, transportSemantics="TCP")
        try:
            return await receiver.complete.addTimeout(LOOKUP_SECONDS, self.reactor)
        except TimeoutError:
            raise DNSLookupError(f"nobody says in time where {host} is") from None


@implementer(IStreamClientEndpoint)
@frozen
class GuardedEndpoint:
    """Connects to the addresses that the guard let pass, to the next before the one before it has given up."""

    guard: Guard
    host: str
    port: int
    seconds: float

    def connect(self, factory: Any) -> Deferred[Any]:
        """Look the host up, and connect."""
        return ensureDeferred(self._connect(factory))

    async def _connect(self, factory: Any) -> Any:
        known: Any = _KnowingReactor(self.guard.reactor, _Known(await self.guard.addresses(self.host)))
        return await HostnameEndpoint(known, self.host.strip("[]"), self.port, timeout=self.seconds).connect(factory)


@implementer(IResolutionReceiver)
@frozen
class _Receiver:
    """Collects what a name leads to."""

    complete: Deferred[list[str]] = field(factory=Deferred)
    _found: list[str] = field(factory=list)

    def resolutionBegan(self, _: object) -> None:  # noqa: N802  # Twisted's name
        """Do nothing."""

    def addressResolved(self, address: Any) -> None:  # noqa: N802  # Twisted's name
        """Note an address."""
        self._found.append(address.host)

    def resolutionComplete(self) -> None:  # noqa: N802  # Twisted's name
        """Tell who waits, if somebody still does."""
        if not self.complete.called:
            self.complete.callback(self._found)


@implementer(IHostnameResolver)
@frozen
class _Known:
    """Answers with addresses that were looked at, whatever is asked."""

    addresses: Sequence[str]

    def resolveHostName(self, receiver: Any, _: str, portNumber: int = 0, **__: Any) -> Any:  # noqa: N802, N803
        """Name the addresses; the names in this method are Twisted's."""
        receiver.resolutionBegan(self)
        for address in self.addresses:
            kind = Tcp6 if ":" in address else Tcp4
            receiver.addressResolved(kind("TCP", address, portNumber))
        receiver.resolutionComplete()
        return self


@implementer(IReactorPluggableNameResolver)
@frozen
class _KnowingReactor:
    """A reactor that looks nothing up any more."""

    reactor: Any
    nameResolver: Any  # noqa: N815  # Twisted's name

    def __getattr__(self, name: str) -> Any:
        return getattr(self.reactor, name)
