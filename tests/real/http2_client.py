"""A client that speaks nothing but HTTP/2, as Flexisip does: one connection, many requests on it at once."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import define, field
from cryptography import x509
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded, StreamReset
from hyperframe.frame import GoAwayFrame

ADDRESS = "127.0.0.1"
PATIENCE = 30.0


@define
class Heard:
    """What came back on a stream so far."""

    status: int = 0
    body: bytes = b""
    is_whole: bool = False

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@define
class Http2Connection:
    """One connection; `ask` sends, `answer` waits."""

    tls: ssl.SSLSocket
    authority: str
    headers: dict[str, str] = field(factory=dict)
    heard: dict[int, Heard] = field(factory=dict)
    is_told_to_end: bool = False
    conn: H2Connection = field(factory=lambda: H2Connection(H2Configuration(header_encoding="utf-8")), init=False)

    def __attrs_post_init__(self) -> None:
        # h2 takes GOAWAY for the end; Flexisip's library, as RFC 9113, 6.8 has it, for its announcement.
        self.conn._frame_dispatch_table[GoAwayFrame] = self._hear_of_the_end
        self.conn.initiate_connection()
        # Answers are announced to be read as they come.
        self.conn.increment_flow_control_window(1 << 20)
        self._send()

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> int:
        """Send a request and return its stream."""
        stream: int = self.conn.get_next_available_stream_id()
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {":method": method, ":path": path, ":scheme": "https", ":authority": self.authority, **self.headers}
        sent |= {"content-type": "application/json", "content-length": str(len(content))}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        self.conn.send_headers(stream, list(sent.items()), end_stream=not content)
        self.heard[stream] = Heard()
        self._send()
        rest = memoryview(content)
        while rest:
            room = min(self.conn.local_flow_control_window(stream), self.conn.max_outbound_frame_size)
            if not room:
                self._listen()
                continue
            piece, rest = bytes(rest[:room]), rest[room:]
            self.conn.send_data(stream, piece, end_stream=not rest)
            self._send()
        return stream

    def answer(self, stream: int) -> Heard:
        """Wait for the whole answer.

        :raise ConnectionError: the connection ended without it.
        """
        while not self.heard[stream].is_whole:
            self._listen()
        return self.heard[stream]

    def get(self, path: str, **headers: str) -> Heard:
        return self.answer(self.ask("GET", path, **headers))

    def serial(self) -> int:
        """Return the serial number of the server's certificate."""
        return x509.load_der_x509_certificate(self.tls.getpeercert(binary_form=True) or b"").serial_number

    def _listen(self) -> None:
        data = self.tls.recv(1 << 16)
        if not data:
            raise ConnectionResetError("the server has closed the connection")
        for event in self.conn.receive_data(data):
            self._take(event)
        self._send()

    def _take(self, event: Any) -> None:
        match event:
            case ResponseReceived():
                headers: dict[Any, Any] = dict(event.headers)
                self.heard[event.stream_id].status = int(headers[":status"])
            case DataReceived():
                self.heard[event.stream_id].body += event.data
                self.conn.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            case StreamEnded():
                self.heard[event.stream_id].is_whole = True
            case StreamReset():
                raise ConnectionAbortedError(f"stream {event.stream_id} was reset: {event.error_code}")

    def _hear_of_the_end(self, _: GoAwayFrame) -> tuple[list[Any], list[Any]]:
        self.is_told_to_end = True
        return [], []

    def _send(self) -> None:
        self.tls.sendall(self.conn.data_to_send())


@contextmanager
def connected(
    port: int,
    authority_file: Path,
    host: str = "localhost",
    certificate: tuple[Path, Path] | None = None,
    **headers: Any,
) -> Iterator[Http2Connection]:
    """Connect, offering only h2; `certificate` are the files of a client's certificate and key."""
    context = ssl.create_default_context(cafile=str(authority_file))
    context.set_alpn_protocols(["h2"])
    if certificate:
        context.load_cert_chain(*certificate)
    plain = socket.create_connection((ADDRESS, port), timeout=PATIENCE)
    # As other clients of HTTP/2 have it: no small frame waits for an acknowledgement.
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with context.wrap_socket(plain, server_hostname="localhost") as tls:
        assert tls.selected_alpn_protocol() == "h2"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        yield Http2Connection(tls, f"{host}:{port}", named)
