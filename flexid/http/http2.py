"""HTTP/2 (RFC 9113) as Twisted speaks it, with what is wrong or missing there mended (docs/adr/0010)."""

from __future__ import annotations

from collections import deque
from typing import Any

from h2.connection import ConnectionInputs, ConnectionState, H2ConnectionStateMachine
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    RemoteSettingsChanged,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings
from priority import DeadlockError  # type: ignore[import-untyped]  # it has none
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure
from twisted.web._http2 import _END_STREAM_SENTINEL, H2Connection, H2Stream

MAX_STREAMS = 100
"""Requests at once on one connection."""
MAX_HEADER_BYTES = 32 * 1024
"""Of one request, counted as RFC 9113, 10.5.1 does; twice what HTTP/1.1 may take, for its 32 bytes a header."""
RESETS_AT_ONCE = 100
RESETS_PER_SECOND = 10
"""What was begun for a request that is taken back runs to its end: nobody may begin more than he may have open."""
FRAMES_A_TURN = 16
"""Between two looks of the reactor at what else there is to do; a frame has 16 KiB at most, unless the client says."""
MAX_STREAM_ID = (1 << 31) - 1


class _StateMachine(H2ConnectionStateMachine):
    """GOAWAY announces an end (RFC 9113, 6.8): what was begun is finished. h2 would take it for the end itself."""

    _transitions = {  # noqa: RUF012  # h2's name
        **H2ConnectionStateMachine._transitions,  # noqa: SLF001  # h2 has no other way to say it
        **{
            (state, goaway): (None, state)
            for state in (ConnectionState.IDLE, ConnectionState.SERVER_OPEN)
            for goaway in (ConnectionInputs.SEND_GOAWAY, ConnectionInputs.RECV_GOAWAY)
        },
    }


def peer_certificate(transport: Any) -> Any:
    """Return the certificate by which the other end of a TLS connection has proved itself, or None."""
    handle = transport.getHandle()
    return handle.get_peer_certificate(as_cryptography=True) if handle else None


class Http2Stream(H2Stream):
    """One request and its answer; a request takes it for its channel."""

    command: bytes
    path: bytes
    is_whole = False
    """Whether all of the request has come."""

    def request_line(self) -> tuple[bytes, bytes]:
        """Return method and path of the request that is coming."""
        return self.command, self.path

    def pause_reading(self) -> None:
        """Let the client wait with this request: no more of it comes than its window has room for."""
        self.pauseProducing()

    def resume_reading(self) -> None:
        """Let the client go on."""
        self.resumeProducing()

    def requestComplete(self) -> None:  # noqa: N802  # Twisted's name
        """Be told that all of the request has come."""
        self.is_whole = True
        super().requestComplete()

    def is_being_answered(self) -> bool:
        """Tell whether the next step is ours."""
        return self.is_whole and not self._request.finished

    def forceAbortClient(self) -> None:  # noqa: N802  # the name that HTTP/1.1 has for it
        """Cut this request off; others on its connection go on."""
        self.connectionLost(Failure(ConnectionLost("Cut off")))
        self.abortConnection()

    def peer_certificate(self) -> Any:
        """Return the certificate by which the client has proved itself in TLS, or None."""
        return peer_certificate(self._conn.transport)


class Http2Channel(H2Connection):
    """A connection with many requests at once."""

    transport: Any
    requestFactory: Any  # noqa: N815  # Twisted's name
    _resetTokenBurst = RESETS_AT_ONCE  # noqa: N815  # Twisted's name
    _resetTokenRate = RESETS_PER_SECOND  # noqa: N815  # Twisted's name

    def __init__(self, reactor: Any) -> None:
        super().__init__(reactor)
        self.conn.state_machine = _StateMachine()
        limits = {
            SettingCodes.MAX_CONCURRENT_STREAMS: MAX_STREAMS,
            SettingCodes.MAX_HEADER_LIST_SIZE: MAX_HEADER_BYTES,
        }
        self.conn.local_settings = Settings(client=False, initial_values=limits)
        self.conn.decoder.max_header_list_size = MAX_HEADER_BYTES
        self._closes_when_idle = False
        self._refuses_new = False

    def announce_end(self) -> None:
        """Ask the client to begin nothing more; what is on its way to us is answered (RFC 9113, 6.8)."""
        self._goaway(MAX_STREAM_ID)

    def end_if_idle(self) -> None:
        """Refuse what comes from now on, and end when all that came before is answered."""
        if not self._refuses_new:
            self._refuses_new = self._closes_when_idle = True
            self._goaway(self.conn.highest_inbound_stream_id)
        self._close_if_done()

    def dataReceived(self, data: bytes) -> None:  # noqa: N802  # Twisted's name
        """Take bytes from the network."""
        if not self._stillProducing:
            return
        try:
            events = self.conn.receive_data(data)
        except ProtocolError:
            self._terminate(Failure())
            return
        self.resetTimeout()
        for event in events:
            # One event may be the end of the streams that later ones are for.
            if self._stillProducing:
                self._take(event)
        if self._stillProducing:
            self._tryToWriteControlData()

    def timeoutConnection(self) -> None:  # noqa: N802  # Twisted's name
        """End the connection, unless it is we who are being waited for."""
        if any(stream.is_being_answered() for stream in self.streams.values()):
            self.setTimeout(self.timeOut)
        else:
            super().timeoutConnection()

    def _take(self, event: Any) -> None:
        stream = self.streams.get(getattr(event, "stream_id", None))
        match event:
            case RequestReceived():
                self._requestReceived(event)
            case DataReceived() if stream:
                stream.receiveDataChunk(event.data, event.flow_controlled_length)
            case DataReceived():
                self.conn.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            case StreamEnded() if stream:
                stream.requestComplete()
            case StreamReset() if stream:
                self._requestAborted(event)
            case WindowUpdated():
                self._handleWindowUpdate(event)
                self._wake_sender()
            case RemoteSettingsChanged() if SettingCodes.INITIAL_WINDOW_SIZE in event.changed_settings:
                self._unblock_all()
                self._wake_sender()
            case ConnectionTerminated():
                self._closes_when_idle = True
                self._close_if_done()
        # Priorities (deprecated, RFC 9113, 5.3.2) are left alone: how large their tree grows, the client decides.

    def _requestReceived(self, event: RequestReceived) -> None:  # noqa: N802  # Twisted's name
        stream_id = event.stream_id
        if self._refuses_new:
            self.conn.reset_stream(stream_id, ErrorCodes.REFUSED_STREAM)
            return
        self._streamCleanupCallbacks[stream_id] = Deferred()
        self._outboundStreamQueues[stream_id] = deque()
        self.priority.insert_stream(stream_id)
        self.priority.block(stream_id)
        self.streams[stream_id] = Http2Stream(
            stream_id, self, event.headers, self.requestFactory, self.site, self.factory
        )

    def _requestDone(self, stream_id: int) -> None:  # noqa: N802  # Twisted's name
        super()._requestDone(stream_id)
        self._close_if_done()

    def _close_if_done(self) -> None:
        if self._closes_when_idle and self._stillProducing and not self.streams:
            self.transport.loseConnection()

    def _goaway(self, last_stream_id: int) -> None:
        self.conn.close_connection(last_stream_id=last_stream_id)
        self._tryToWriteControlData()

    def _unblock_all(self) -> None:
        for stream_id, stream in self.streams.items():
            stream.windowUpdated()
            if self._outboundStreamQueues[stream_id]:
                self.priority.unblock(stream_id)

    def _wake_sender(self) -> None:
        if self._sendingDeferred is not None:
            asleep, self._sendingDeferred = self._sendingDeferred, None
            asleep.callback(None)

    def _sendPrioritisedData(self, *_: Any) -> None:  # noqa: N802  # Twisted's name
        """Send what may be sent of some streams, and come back for more.

        Twisted's own comes back for a stream whose window is closed too, again and again, for as long as the client
        likes; and where the window has become negative it fails, and nothing is ever sent again.
        """
        for _frame in range(FRAMES_A_TURN):
            if not self._stillProducing:
                return
            stream_id = self._next_stream()
            if stream_id is None:
                self._sendingDeferred = Deferred()
                # Later: an answer is written before it is said to be whole, and then goes out in one frame.
                self._sendingDeferred.addCallback(lambda _: self._come_back())
                return
            if self._consumerBlocked is not None:
                self._consumerBlocked.addCallback(self._sendPrioritisedData)
                return
            self._send_frame(stream_id)
        self._come_back()

    def _come_back(self) -> None:
        self._reactor.callLater(0, self._sendPrioritisedData)

    def _next_stream(self) -> int | None:
        while True:
            try:
                stream_id: int = next(self.priority)
            except DeadlockError:
                return None
            queue = self._outboundStreamQueues[stream_id]
            if queue and (queue[0] is _END_STREAM_SENTINEL or self.conn.local_flow_control_window(stream_id) > 0):
                return stream_id
            self.priority.block(stream_id)

    def _send_frame(self, stream_id: int) -> None:
        self.resetTimeout()
        queue = self._outboundStreamQueues[stream_id]
        if queue[0] is not _END_STREAM_SENTINEL:
            data = queue.popleft()
            room = min(self.conn.max_outbound_frame_size, self.conn.local_flow_control_window(stream_id))
            if len(data) > room:
                queue.appendleft(data[room:])
            is_last = bool(queue) and queue[0] is _END_STREAM_SENTINEL
            self.conn.send_data(stream_id, data[:room], end_stream=is_last)
        else:
            is_last = True
            self.conn.end_stream(stream_id)
        self.transport.write(self.conn.data_to_send())
        if is_last:
            self._requestDone(stream_id)
        elif self.remainingOutboundWindow(stream_id) <= 0:
            self.streams[stream_id].flowControlBlocked()
