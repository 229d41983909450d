"""A browser without a network: requests go through the whole application in memory."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Mapping
from http.client import HTTPMessage, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

import orjson
from attrs import define, field, frozen
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.server import Site


@frozen
class Reply:
    """An answer, read."""

    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()

    def all(self, header: str) -> list[str]:
        return self.headers.get_all(header) or []


class _Transport(StringTransport):
    """A connection that tells when the server has closed it."""

    disconnected = False

    def __init__(self, closed: Deferred[None], ip: str) -> None:
        super().__init__(peerAddress=IPv4Address("TCP", ip, 50000))
        self.closed = closed

    def loseConnection(self) -> None:
        if not self.disconnected:
            self.disconnected = True
            self.closed.callback(None)

    abortConnection = loseConnection  # Twisted's name


class _Socket(io.BytesIO):
    def makefile(self, _mode: str) -> _Socket:
        return self


@define
class Browser:
    """Sends requests to a site; `headers` go with each of them."""

    site: Site
    host: str = "localhost"
    ip: str = "127.0.0.1"
    headers: dict[str, str] = field(factory=dict)

    def as_(self, **headers: str) -> Browser:
        """Return a browser that sends these headers too: `x_api_key="…"`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Browser(self.site, self.host, self.ip, {**self.headers, **named})

    def at(self, host: str) -> Browser:
        return Browser(self.site, host, self.ip, self.headers)

    def from_(self, ip: str) -> Browser:
        return Browser(self.site, self.host, ip, self.headers)

    async def get(self, path: str, **headers: str) -> Reply:
        return await self.ask("GET", path, **headers)

    async def post(self, path: str, body: Any = None, **headers: str) -> Reply:
        return await self.ask("POST", path, body, **headers)

    async def put(self, path: str, body: Any = None, **headers: str) -> Reply:
        return await self.ask("PUT", path, body, **headers)

    async def delete(self, path: str, **headers: str) -> Reply:
        return await self.ask("DELETE", path, **headers)

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        sent = {"Host": self.host, "Connection": "close", **self.headers}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        content = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
            sent.setdefault("Content-Length", str(len(content)))
        return await self.send(method, path, sent, content)

    def connect(self) -> tuple[_Transport, Any]:
        """Return a new connection: its transport and the server's protocol."""
        transport = _Transport(Deferred(), self.ip)
        protocol = self.site.buildProtocol(transport.getPeer())
        protocol.makeConnection(transport)
        return transport, protocol

    async def send(self, method: str, path: str, headers: Mapping[str, str], content: bytes) -> Reply:
        transport, protocol = self.connect()
        protocol.dataReceived(_head(method, path, headers) + content)
        await transport.closed
        response = HTTPResponse(_Socket(transport.value()), method=method)  # type: ignore[arg-type]
        response.begin()
        reply = Reply(response.status, response.headers, response.read())
        protocol.connectionLost(Failure(ConnectionAbortedError()))
        return reply

    def hang_up(self, method: str, path: str) -> None:
        """Send a request and close the connection before any answer can come."""
        _, protocol = self.connect()
        protocol.dataReceived(_head(method, path, {"Host": self.host, **self.headers}))
        protocol.connectionLost(Failure(ConnectionAbortedError()))


def _head(method: str, path: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n"


def digest_answer(  # what Digest consists of
    challenge: str, username: str, password: str, method: str, path: str, nc: int = 1, uri: str | None = None
) -> str:
    """Return an `Authorization` header as RFC 7616 has it, worked out apart from flexid's own code."""
    given = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge.removeprefix("Digest ")))
    hashed = hashlib.md5 if given["algorithm"] == "MD5" else hashlib.sha256

    def h(text: str) -> str:
        return hashed(text.encode()).hexdigest()

    uri = uri or urlsplit(path).path
    ha1 = h(f"{username}:{given['realm']}:{password}")
    response = h(f"{ha1}:{given['nonce']}:{nc:08x}:c0ffee:auth:{h(f'{method}:{uri}')}")
    return (
        f'Digest username="{username}", realm="{given["realm"]}", nonce="{given["nonce"]}", uri="{uri}", qop=auth, '
        f'nc={nc:08x}, cnonce="c0ffee", opaque="{given["opaque"]}", algorithm={given["algorithm"]}, '
        f'response="{response}"'
    )
