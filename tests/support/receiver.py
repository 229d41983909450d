"""A server of somebody else's that takes webhooks: keeps what it got, and answers as a test says."""

from __future__ import annotations

import json
from typing import Any

from attrs import define, field
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

NO_CONTENT = 204


@define
class Received:
    """A request, as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> Any:
        return json.loads(self.body)


@define
class _Page(Resource):
    isLeaf = True

    receiver: Receiver

    def __attrs_post_init__(self) -> None:
        super().__init__()

    def render(self, request: Request) -> Any:
        """Keep the request, and answer."""
        assert request.content is not None
        headers = {
            name.decode().lower(): values[0].decode() for name, values in request.requestHeaders.getAllRawHeaders()
        }
        return self.receiver.take(
            request, Received(request.method.decode(), request.path.decode(), headers, request.content.read())
        )


@define
class Receiver:
    """A running server on the loopback interface; `statuses` are given one after the other, the last one stays."""

    statuses: list[int] = field(factory=lambda: [NO_CONTENT])
    headers: dict[str, str] = field(factory=dict)
    content: bytes = b""
    silent: bool = False
    received: list[Received] = field(factory=list)
    left: int = 0
    """How many have hung up on a silent server."""
    _waiting: list[tuple[int, Deferred[None]]] = field(factory=list)
    _port: Any = None

    def start(self, context: Any = None) -> None:
        """Listen, over TLS where there is a context for it."""
        site, net = Site(_Page(self)), reactor
        listen: Any = net
        self._port = (
            listen.listenSSL(0, site, context, interface="127.0.0.1")
            if context
            else listen.listenTCP(0, site, interface="127.0.0.1")
        )

    @property
    def port(self) -> int:
        return int(self._port.getHost().port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def has(self, count: int) -> list[Received]:
        """Wait until so many requests have come."""
        if len(self.received) < count:
            arrived: Deferred[None] = Deferred()
            self._waiting.append((count, arrived))
            await arrived.addTimeout(10, reactor)
        return self.received

    async def stop(self) -> None:
        """Listen no more."""
        await self._port.stopListening()

    def take(self, request: Request, received: Received) -> Any:
        """Keep a request and answer it."""
        self.received.append(received)
        for each in [each for each in self._waiting if each[0] <= len(self.received)]:
            self._waiting.remove(each)
            each[1].callback(None)
        if self.silent:
            request.notifyFinish().addErrback(self._hung_up)
            return NOT_DONE_YET
        request.setResponseCode(self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0])
        for name, value in self.headers.items():
            request.setHeader(name, value)
        return self.content

    def _hung_up(self, _: object) -> None:
        self.left += 1
