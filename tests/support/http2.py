"""A client of HTTP/2 without a network, on the server's end of a connection in memory."""

from __future__ import annotations

from typing import Any

from attrs import define, field
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    ResponseReceived,
    SettingsAcknowledged,
    StreamEnded,
    StreamReset,
)
from twisted.internet.interfaces import ISSLTransport
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.server import Site
from zope.interface import implementer


@implementer(ISSLTransport)
class Transport(StringTransport):
    """As TLS that has agreed on HTTP/2."""

    negotiatedProtocol = b"h2"
    connected = True
    aborted = False

    def setTcpNoDelay(self, enabled: bool) -> None:  # noqa: FBT001  # Twisted's
        pass

    def abortConnection(self) -> None:
        self.aborted = True


@define
class Http2Client:
    """Speaks to a site whose reactor is a clock that stands still but for `turn`."""

    site: Site
    clock: Clock
    transport: Transport = field(factory=Transport)
    events: list[Event] = field(factory=list)
    conn: H2Connection = field(
        factory=lambda: H2Connection(H2Configuration(client_side=True, header_encoding=None)), init=False
    )
    server: Any = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.server = self.site.buildProtocol(self.transport.getPeer())
        self.server.makeConnection(self.transport)
        self.conn.initiate_connection()

    def ask(self, method: str = "GET", path: str = "/", body: bytes | None = None, **headers: str) -> int:
        """Send the head of a request, and its body if there is one; return its stream."""
        stream: int = self.conn.get_next_available_stream_id()
        pseudo = {":method": method, ":path": path, ":scheme": "https", ":authority": "localhost"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.conn.send_headers(stream, list({**pseudo, **named}.items()), end_stream=body is None)
        if body is not None:
            self.conn.send_data(stream, body, end_stream=True)
        return stream

    def turn(self, seconds: float = 0.0) -> None:
        """Bring what was said to the server, and its answers back, until nobody has anything to say."""
        self.clock.advance(seconds)
        quiet = False
        while not quiet:
            self.server.dataReceived(self.conn.data_to_send())
            for _ in range(10):
                self.clock.advance(0)
            heard = self.transport.value()
            self.transport.clear()
            self.events += self.conn.receive_data(heard)
            quiet = not heard

    def lose(self) -> None:
        self.server.connectionLost(Failure(ConnectionAbortedError()))

    def status(self, stream: int) -> int | None:
        for event in self.events:
            if isinstance(event, ResponseReceived) and event.stream_id == stream:
                return int(dict(event.headers)[b":status"])
        return None

    def header(self, stream: int, name: bytes) -> bytes | None:
        for event in self.events:
            if isinstance(event, ResponseReceived) and event.stream_id == stream:
                return dict(event.headers).get(name)
        return None

    def body(self, stream: int) -> bytes:
        return b"".join(
            event.data for event in self.events if isinstance(event, DataReceived) and event.stream_id == stream
        )

    def is_answered(self, stream: int) -> bool:
        return any(isinstance(event, StreamEnded) and event.stream_id == stream for event in self.events)

    def resets(self) -> dict[int, Any]:
        return {event.stream_id: event.error_code for event in self.events if isinstance(event, StreamReset)}

    def goaways(self) -> list[tuple[Any, Any]]:
        return [
            (event.error_code, event.last_stream_id) for event in self.events if isinstance(event, ConnectionTerminated)
        ]

    def is_settled(self) -> bool:
        return any(isinstance(event, SettingsAcknowledged) for event in self.events)
