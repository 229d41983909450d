"""Who is at the other end: address, scheme and host, through proxies that are trusted and no others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from attrs import frozen
from twisted.internet.address import IPv4Address as IPv4Peer
from twisted.internet.address import IPv6Address as IPv6Peer

from flexid.http.request import FlexidRequest

_PORT = re.compile("[0-9]{0,5}")


@frozen
class Peer:
    """Where a request comes from and by which address it came; `host` is lower case and without port."""

    ip: str
    scheme: str
    host: str
    authority: str

    @property
    def base_url(self) -> str:
        """Return scheme, host and port as they are written before a path."""
        return f"{self.scheme}://{self.authority}"

    def base_url_of(self, host: str) -> str:
        """Return how another host of ours is written, reached by the same scheme and port."""
        return f"{self.scheme}://{host}{self.authority[len(_without_port(self.authority)) :]}"


@frozen
class Proxies:
    """The proxies whose `X-Forwarded-*` headers are believed."""

    trusted: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def read(cls, addresses: Sequence[str]) -> Proxies:
        """Return the proxies that a setting names, as addresses or networks."""
        return cls(tuple(ip_network(address) for address in addresses))

    def peer(self, request: FlexidRequest) -> Peer:
        """Return who sent a request."""
        ip = _sender(request)
        scheme = "https" if request.isSecure() else "http"
        authority = (request.header("host") or "").strip().lower()
        if self.trusted and self._is_trusted(ip):
            ip = self._forwarded_for(request, ip)
            forwarded = _first(request, "x-forwarded-proto").lower()
            scheme = forwarded if forwarded in {"http", "https"} else scheme
            authority = _first(request, "x-forwarded-host").lower() or authority
            port = _first(request, "x-forwarded-port")
            if (
                port
                and _PORT.fullmatch(port)
                and ":" not in authority
                and port != {"http": "80", "https": "443"}[scheme]
            ):
                authority = f"{authority}:{port}"
        return Peer(ip, scheme, _without_port(authority), authority)

    def is_trusted(self, request: FlexidRequest) -> bool:
        """Tell whether a request came by a trusted proxy."""
        return bool(self.trusted) and self._is_trusted(_sender(request))

    # What stands left of the nearest address that is no trusted proxy, anybody could have written.
    def _forwarded_for(self, request: FlexidRequest, ip: str) -> str:
        """Return the nearest address that is no trusted proxy."""
        values = request.requestHeaders.getRawHeaders(b"x-forwarded-for") or []
        for item in reversed(b",".join(values).decode(errors="replace").split(",")):
            if (read := _address(item)) is None:
                break
            ip = str(read)
            if not self._is_trusted(ip):
                break
        return ip

    def _is_trusted(self, ip: str) -> bool:
        address = _address(ip)
        return address is not None and any(address in network for network in self.trusted)


def _sender(request: FlexidRequest) -> str:
    """Return the address of whoever holds the other end of the connection."""
    address = request.getClientAddress()
    # A UNIX socket has no addresses: whoever may open it is this machine.
    return str(address.host) if isinstance(address, IPv4Peer | IPv6Peer) else "127.0.0.1"


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text.strip())
    except ValueError:
        return None


def _first(request: FlexidRequest, header: str) -> str:
    return (request.header(header) or "").partition(",")[0].strip()


def _without_port(authority: str) -> str:
    host, _, port = authority.rpartition(":")
    return host if host and _PORT.fullmatch(port) else authority
