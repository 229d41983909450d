"""Requests with a bounded body, and an id that everything about them carries."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from math import inf
from typing import Any

from twisted.python.failure import Failure
from twisted.web.server import Request, Site

from flexid.base.clock import random_bytes
from flexid.http.channels import Connection
from flexid.http.intake import Intake

# Random for the process, counted within it: drawing randomness for each request costs more than all else about its id.
_PROCESS = random_bytes(8).hex()
_numbers = count(1)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,128}")
LARGE_AT_ONCE = 16
DRAIN_SECONDS = 30.0
"""How long a refused body is read and thrown away, so that its sender reads the answer; then it is cut off."""


class FlexidRequest(Request):
    """A request whose body is counted as it comes; what is over the bound is dropped, never kept."""

    received = 0
    is_too_large = False
    cut_off_at = inf
    is_gone = False
    """Whether the client has hung up."""
    intake: Intake | None = None
    """What takes the body, where that goes to disk."""
    longest = 0
    """How many bytes of a body are taken."""
    is_crowded = False
    """Whether too many large bodies come at once for this one to be taken, if it is large."""

    _has_place = False
    channel: Any

    def gotLength(self, length: int | None) -> None:
        """Be told the length of the body before it comes; None where the client does not say."""
        line = self.channel.request_line()
        self.longest = self._longest(length, self.channel.site.longest_body(*line))
        if self.intake is None and (intake := self.channel.site.intake(self, *line)):
            self.intake, self.longest = intake, intake.longest
            # However the request ends.
            self.notifyFinish().addBoth(lambda _: intake.close())
        is_too_long = length is not None and length > self.longest
        super().gotLength(0 if is_too_long or self.intake else length)
        if is_too_long:
            self._refuse_body()

    def _longest(self, length: int | None, most: int) -> int:
        """Take one of the places for large bodies, which lie on the disk while they come; anybody may send them."""
        site = self.channel.site
        is_large = most > site.max_body_size and (length is None or length > site.max_body_size)
        if self._has_place or not is_large:
            return most
        self.is_crowded = site.large_bodies >= LARGE_AT_ONCE
        if self.is_crowded:
            return int(site.max_body_size)
        self._has_place = True
        site.large_bodies += 1
        self.notifyFinish().addBoth(lambda _: site.give_place())
        return most

    def handleContentChunk(self, data: bytes) -> None:
        """Take a piece of the body."""
        self.received += len(data)
        if self.received > self.longest and not self.is_too_large:
            self._refuse_body()
        if not self.is_too_large and self.intake:
            self.intake.take(data)
        elif not self.is_too_large:
            super().handleContentChunk(data)
        elif self.channel.site.reactor.seconds() > self.cut_off_at:
            self.channel.forceAbortClient()

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """Be told that all of the request has come."""
        if self.intake:
            self.intake.end()
        super().requestReceived(command, path, version)

    def pause_reading(self) -> None:
        """Let the client wait with the rest of the body."""
        if not self.is_gone:
            self.channel.pause_reading()

    def resume_reading(self) -> None:
        """Let the client go on."""
        if not self.is_gone:
            self.channel.resume_reading()

    def cut_off(self) -> None:
        """End the request, and over HTTP/1.1 its connection."""
        if not self.is_gone:
            self.channel.forceAbortClient()

    def _refuse_body(self) -> None:
        if self.intake:
            self.intake.close()
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


def _nothing(_request: FlexidRequest, _method: bytes, _path: bytes) -> Intake | None:
    return None


class FlexidSite(Site):
    """The HTTP server."""

    protocol = Connection
    requestFactory = FlexidRequest
    displayTracebacks = False
    noisy = False

    def __init__(
        self,
        resource: Any,
        reactor: Any,
        *,
        max_body_size: int,
        intake: Callable[[FlexidRequest, bytes, bytes], Intake | None] = _nothing,
        large: Mapping[bytes, int] | None = None,
        idle_seconds: int = 60,
    ) -> None:
        """`intake` is asked with the method and path of each request what is to take its body, if not memory.

        `large` has the paths to which larger bodies may be posted, and how large these are.
        """
        super().__init__(resource, timeout=idle_seconds, reactor=reactor, parsePOSTFormSubmission=False)
        self.reactor = reactor
        self.requests: Mapping[tuple[str, int], Sequence[float]] = {}
        """How long requests took, by route and status, as `flexid.base.metrics.Durations` counts it."""
        self.intake = intake
        self.max_body_size = max_body_size
        self.large_bodies = 0
        """How many come, or are being worked on."""
        self._large = large or {}

    def give_place(self) -> None:
        """Let another large body come."""
        self.large_bodies -= 1

    def longest_body(self, method: bytes, path: bytes) -> int:
        """Return how many bytes the body of a request may have."""
        if method != b"POST" or not self._large:
            return self.max_body_size
        return self._large.get(path.partition(b"?")[0].rstrip(b"/"), self.max_body_size)

    def log(self, request: Any) -> None:
        """Write no line for each request: that costs a sixth of the speed, and what matters has events of its own."""
