"""Connections that carry requests: by HTTP/1.1, or by HTTP/2 where TLS has agreed on it."""

from __future__ import annotations

from typing import Any

from twisted.web.http import HTTPChannel, _GenericHTTPChannelProtocol

from flexid.http.http2 import Http2Channel, peer_certificate


class Http1Channel(HTTPChannel):
    """A connection with one request after the other."""

    transport: Any
    _is_ending = False

    def checkPersistence(self, request: Any, version: bytes) -> bool:  # noqa: N802  # Twisted's name
        """Tell whether the connection goes on after a request, and the client if it does not (RFC 9112, 9.6)."""
        if self._is_ending:
            request.responseHeaders.setRawHeaders(b"connection", [b"close"])
            return False
        return bool(super().checkPersistence(request, version))

    def announce_end(self) -> None:
        """Let the connection end with the next answer that has not begun: its client can be told."""
        self._is_ending = True
        if self.requests and not self.requests[0].startedWriting:
            self.requests[0].responseHeaders.setRawHeaders(b"connection", [b"close"])
            self.persistent = False

    def end_if_idle(self) -> None:
        """End the connection if nothing is being answered."""
        if not self.requests:
            self.loseConnection()

    def request_line(self) -> tuple[bytes, bytes]:
        """Return method and path of the request that is coming."""
        path: Any = self._path
        return self._command, path

    def pause_reading(self) -> None:
        """Let the client wait."""
        self.transport.pauseProducing()

    def resume_reading(self) -> None:
        """Let the client go on."""
        self.transport.resumeProducing()

    def peer_certificate(self) -> Any:
        """Return the certificate by which the client has proved itself in TLS, or None."""
        return peer_certificate(self.transport) if self.isSecure() else None


class Connection(_GenericHTTPChannelProtocol):
    """Begins as HTTP/1.1, and changes to HTTP/2 with the first byte if that is what TLS has agreed on (RFC 7301)."""

    _channel: Any
    _negotiatedProtocol: Any  # noqa: N815  # Twisted's name
    _site: Any
    _callLater: Any  # noqa: N815  # Twisted's name

    def __init__(self) -> None:
        super().__init__(Http1Channel())

    @property
    def channel(self) -> Http1Channel | Http2Channel:
        """Return what speaks on it now."""
        channel: Http1Channel | Http2Channel = self._channel
        return channel

    @property
    def is_open(self) -> bool:
        """Tell whether it has begun, and not ended."""
        transport: Any = self._channel.transport
        return transport is not None and bool(transport.connected)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802  # Twisted's name
        """Take bytes from the network."""
        if self._negotiatedProtocol is None:
            negotiated = getattr(self._channel.transport, "negotiatedProtocol", None)
            if negotiated == b"h2":
                self._change_to_http2()
            self._negotiatedProtocol = negotiated or b"http/1.1"
        self._channel.dataReceived(data)

    def _change_to_http2(self) -> None:
        """Do as the base class does, with a channel of ours."""
        before = self._channel
        before._networkProducer.unregisterProducer()  # noqa: SLF001  # as the base class does
        before.setTimeout(None)
        channel: Any = Http2Channel(self._site.reactor)
        channel.requestFactory = self._requestFactory
        channel.site = self._site
        channel.factory = self._factory
        channel.timeOut = self._timeOut
        channel.callLater = self._callLater
        self._channel = channel
        channel.makeConnection(before.transport)
        before._networkProducer.registerProducer(channel, streaming=True)  # noqa: SLF001  # as the base class does
