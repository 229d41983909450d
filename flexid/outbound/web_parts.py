"""What `flexid.outbound.web` is made of on Twisted's HTTP client."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen
from OpenSSL.SSL import Error as TlsError
from service_identity import VerificationError
from twisted.internet.defer import CancelledError, Deferred, TimeoutError, succeed  # noqa: A004  # Twisted's name
from twisted.internet.endpoints import wrapClientTLS
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.internet.error import ConnectionRefusedError as Refused
from twisted.internet.error import TimeoutError as ConnectTimeout
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.ssl import optionsForClientTLS
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from twisted.web.client import URI, ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.iweb import IAgentEndpointFactory, IBodyProducer
from zope.interface import implementer

from flexid.base.text import Text
from flexid.domain import unanswered
from flexid.outbound.guard import Guard, NotPublic


class TooMuch(Exception):  # noqa: N818  # read as a sentence
    """An answer is longer than we read."""


@implementer(IAgentEndpointFactory)
@frozen
class Endpoints:
    """Connects an agent through the guard, and reads no more of any connection than so many bytes."""

    guard: Guard
    seconds: float
    most_bytes: int
    _connected: list[Any] = field(factory=list)

    def endpointForURI(self, uri: URI) -> Any:  # noqa: N802  # Twisted's name
        """Return what connects to the server of a URL; its certificate has to name the host."""
        host = uri.host.decode()
        endpoint = self.guard.endpoint(host, uri.port, self.seconds)
        bounded: Any = _Bounded(endpoint, self.most_bytes, self._connected)
        return wrapClientTLS(optionsForClientTLS(host.strip("[]")), bounded) if uri.scheme == b"https" else bounded

    def close(self) -> None:
        """End what was connected, without waiting for the other side."""
        for connection in self._connected:
            connection.transport.abortConnection()


@implementer(IStreamClientEndpoint)
@frozen
class _Bounded:
    """Ends connections that bring too much: Twisted's client reads headers without end."""

    endpoint: Any
    most_bytes: int
    connected: list[Any]

    def connect(self, factory: Any) -> Deferred[Any]:
        """Connect, and answer with the protocol itself, not with what counts for it."""
        counting: Any = WrappingFactory(factory)
        counting.protocol = _Counting
        counting.noisy = False
        counting.most_bytes = self.most_bytes

        def begun(connection: Any) -> Any:
            self.connected.append(connection)
            return connection.wrappedProtocol

        connecting: Deferred[Any] = self.endpoint.connect(counting)
        return connecting.addCallback(begun)


class _Counting(ProtocolWrapper):
    factory: Any
    transport: Any
    received = 0

    def dataReceived(self, data: bytes) -> None:  # noqa: N802  # Twisted's name
        self.received += len(data)
        if self.received > self.factory.most_bytes:
            self.transport.abortConnection()
        else:
            super().dataReceived(data)  # type: ignore[no-untyped-call]  # Twisted's


@implementer(IBodyProducer)
class Bytes:
    """A body that is there as a whole."""

    def __init__(self, content: bytes) -> None:
        self.length = len(content)
        self._content = content

    def startProducing(self, consumer: Any) -> Deferred[None]:  # noqa: N802  # Twisted's name
        """Write it."""
        consumer.write(self._content)
        return succeed(None)

    def pauseProducing(self) -> None:  # noqa: N802  # Twisted's name
        """Do nothing: all is written."""

    def resumeProducing(self) -> None:  # noqa: N802  # Twisted's name
        """Do nothing: all is written."""

    def stopProducing(self) -> None:  # noqa: N802  # Twisted's name
        """Do nothing: all is written."""


class Body(Protocol):
    """Reads a body of bounded size."""

    def __init__(self, most_bytes: int) -> None:
        self.whole: Deferred[bytes] = Deferred()
        self._most_bytes = most_bytes
        self._content = bytearray()

    def dataReceived(self, data: bytes) -> None:  # noqa: N802  # Twisted's name
        """Keep it, or give up."""
        self._content += data
        if len(self._content) > self._most_bytes and not self.whole.called:
            self.whole.errback(TooMuch())

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802  # Twisted's name
        """Hand over what there is, if it is all."""
        if self.whole.called:
            return
        # A length is not announced by every server.
        if reason.check(ResponseDone, PotentialDataLoss):
            self.whole.callback(bytes(self._content))
        else:
            self.whole.errback(reason)


def explained(error: BaseException) -> Text:
    """Return why there was no answer."""
    causes = [*_causes(error)]
    for kinds, reason in (
        ((NotPublic,), unanswered.NOT_PUBLIC),
        ((TooMuch,), unanswered.TOO_MUCH),
        ((DNSLookupError, UnicodeError), unanswered.UNKNOWN_NAME),
        ((TlsError, VerificationError), unanswered.UNTRUSTED),
        ((TimeoutError, ConnectTimeout, CancelledError), unanswered.LATE),
        ((Refused,), unanswered.REFUSED),
        ((ConnectError, OSError), unanswered.UNREACHABLE),
    ):
        if any(isinstance(cause, kinds) for cause in causes):
            return reason
    return unanswered.BROKEN


def _causes(error: BaseException) -> list[BaseException]:
    """Return an error and those that Twisted has wrapped in it."""
    wrapped = [reason.value for reason in getattr(error, "reasons", ())]
    return [error, *(cause for each in wrapped for cause in _causes(each))]
