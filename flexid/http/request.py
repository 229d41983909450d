"""Requests with a bounded body, and an id that everything about them carries."""

from __future__ import annotations

import io
import re
from itertools import count
from math import inf
from typing import Any

from twisted.python.failure import Failure
from twisted.web.server import Request, Site

from flexid.base.clock import random_bytes
from flexid.http.channels import Connection

# Random for the process, counted within it: drawing randomness for each request costs more than all else about its id.
_PROCESS = random_bytes(8).hex()
_numbers = count(1)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,128}")
DRAIN_SECONDS = 30.0
"""How long a refused body is read and thrown away, so that its sender reads the answer; then it is cut off."""


class FlexidRequest(Request):
    """A request whose body is counted as it comes; what is over the bound is dropped, never kept."""

    received = 0
    is_too_large = False
    cut_off_at = inf
    is_gone = False
    """Whether the client has hung up."""

    channel: Any

    def gotLength(self, length: int | None) -> None:
        """Be told the length of the body before it comes; None where the client does not say."""
        super().gotLength(length if length is None or length <= self.channel.site.max_body_size else 0)
        if length is not None and length > self.channel.site.max_body_size:
            self._refuse_body()

    def handleContentChunk(self, data: bytes) -> None:
        """Take a piece of the body."""
        self.received += len(data)
        if self.received > self.channel.site.max_body_size and not self.is_too_large:
            self._refuse_body()
        if not self.is_too_large:
            super().handleContentChunk(data)
        elif self.channel.site.reactor.seconds() > self.cut_off_at:
            self.channel.forceAbortClient()

    def _refuse_body(self) -> None:
        content: Any = self.content
        content.close()
        self.content = io.BytesIO()
        self.is_too_large = True
        self.cut_off_at = self.channel.site.reactor.seconds() + DRAIN_SECONDS

    def header(self, name: str) -> str | None:
        """Return the last value of a header as text, whatever bytes it holds."""
        values = self.requestHeaders.getRawHeaders(name.encode())
        return values[-1].decode(errors="replace") if values else None

    def connectionLost(self, reason: Failure) -> None:
        """Be told that the client has hung up."""
        self.is_gone = True
        # Twisted closes the body, which what runs to its end may not have read yet.
        body = self.body() if self.content is not None and self.method is not Request.method else b""
        super().connectionLost(reason)
        self.content = io.BytesIO(body)

    def body(self) -> bytes:
        """Return the body."""
        content: Any = self.content
        content.seek(0)
        return bytes(content.read())

    def request_id(self) -> str:
        """Return the caller's id if it is well formed, else one of ours."""
        given = self.header("x-request-id")
        return given if given and _REQUEST_ID.fullmatch(given) else f"{_PROCESS}-{next(_numbers):x}"

    def has_header(self, name: str) -> bool:
        """Say whether a header came, with whatever value."""
        return self.requestHeaders.hasHeader(name)


class FlexidSite(Site):
    """The HTTP server."""

    protocol = Connection
    requestFactory = FlexidRequest
    displayTracebacks = False
    noisy = False

    def __init__(self, resource: Any, reactor: Any, *, max_body_size: int, idle_seconds: int = 60) -> None:
        super().__init__(resource, timeout=idle_seconds, reactor=reactor, parsePOSTFormSubmission=False)
        self.reactor = reactor
        self.max_body_size = max_body_size

    def log(self, request: Any) -> None:
        """Write no line for each request: that costs a sixth of the speed, and what matters has events of its own."""
