"""Ports, by Twisted's endpoint strings."""

from __future__ import annotations

import select
from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.address import UNIXAddress
from twisted.internet.defer import maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError

from flexid.base.text import Text
from flexid.domain.errors import DomainError

MOST_TURNS = 1000
"""Each of which accepts many."""


class CannotServe(DomainError):  # noqa: N818  # a reason, as the domain's errors are
    """An endpoint cannot be used."""


class Ports(Protocol):
    """Where connections come from."""

    async def open(self, scheme: str, endpoint: str, factory: Any) -> None:
        """Let connections of an endpoint in; `factory` makes their protocols.

        :raise CannotServe: it is no endpoint, or it is taken.
        """

    def opened(self) -> None:
        """Be told that all endpoints are open."""

    def addresses(self, host: str) -> list[str]:
        """Return what to type into a browser, by the name of this host; paths of UNIX sockets as they are."""

    async def close(self) -> None:
        """Let nobody in who is not at the door yet."""


class OwnPorts:
    """Ports that this process listens on."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._open: list[tuple[str, Any]] = []

    async def open(self, scheme: str, endpoint: str, factory: Any) -> None:
        """Listen."""
        self._open.append((scheme, await listen(self._reactor, endpoint, factory)))

    def opened(self) -> None:
        """Do nothing more."""

    def addresses(self, host: str) -> list[str]:
        """Return what to type into a browser."""
        return [address(scheme, port, host) for scheme, port in self._open]

    async def close(self) -> None:
        """Take those whom the kernel has welcomed already, which would be cut off otherwise, and stop listening."""
        while self._open:
            _, port = self._open.pop()
            take_waiting(port, port.doRead)
            await maybeDeferred(port.stopListening)


async def listen(reactor: Any, endpoint: str, factory: Any) -> Any:
    """Return the open port of an endpoint.

    :raise CannotServe: it is no endpoint, or it is taken.
    """
    try:
        return await serverFromString(reactor, endpoint).listen(factory)
    except CannotListenError as error:
        raise _refusal(endpoint, getattr(error.socketError, "strerror", None) or str(error)) from None
    except (ValueError, TypeError, LookupError, AttributeError, OSError) as error:
        raise _refusal(endpoint, str(error)) from None


def address(scheme: str, port: Any, host: str) -> str:
    """Return where an open port is reached."""
    where = port.getHost()
    return str(where.name) if isinstance(where, UNIXAddress) else f"{scheme}://{host}:{where.port}"


def take_waiting(port: Any, accept: Callable[[], object]) -> None:
    """Call `accept` until there is no connection that nobody has taken yet."""
    look = select.poll()
    look.register(port.fileno(), select.POLLIN)
    # Not for ever: the system may have no room for them.
    for _ in range(MOST_TURNS):
        if not look.poll(0):
            return
        accept()


def _refusal(endpoint: str, reason: str) -> CannotServe:
    return CannotServe(Text("Cannot listen on {endpoint}: {reason}", endpoint=endpoint, reason=reason))
