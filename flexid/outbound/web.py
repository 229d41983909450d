"""HTTP requests to servers that others than the operator have named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen
from twisted.internet.defer import ensureDeferred

from flexid.domain.unanswered import Unanswered
from flexid.outbound.guard import Guard

OVERHEAD = 65_536
"""Bytes beside a body that an answer may have: headers, and what TLS adds."""


@frozen
class Answer:
    """What came back."""

    status: int
    body: bytes


@frozen
class Web:
    """Asks over HTTP/1.1 or HTTPS, as the URL says, and follows no redirects: nobody has given us where they lead."""

    reactor: Any
    guard: Guard

    async def ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        *,
        seconds: float,
        most_bytes: int,
    ) -> Answer:
        """Send a request and return its answer, which may take so long, and be so large, as a whole.

        :raise Unanswered: there is none, for whatever reason, or it is too large.
        """
        try:
            asked = ensureDeferred(self._ask(method, url, headers or {}, body, seconds, most_bytes))
            return await asked.addTimeout(seconds, self.reactor)
        except Exception as error:
            from flexid.outbound.web_parts import explained  # noqa: PLC0415  # as below

            raise Unanswered(explained(error)) from error

    async def _ask(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float, most_bytes: int
    ) -> Answer:
        # Most processes never ask, and a start need not wait for it.
        from twisted.web.client import Agent  # noqa: PLC0415
        from twisted.web.http_headers import Headers  # noqa: PLC0415

        from flexid.outbound.web_parts import Body, Bytes, Endpoints  # noqa: PLC0415

        endpoints = Endpoints(self.guard, seconds, most_bytes + OVERHEAD)
        agent: Any = Agent.usingEndpointFactory(self.reactor, endpoints)
        sent = Headers({"User-Agent": ["flexid"], **{name: [value] for name, value in headers.items()}})
        try:
            response = await agent.request(method.encode(), url.encode(), sent, body if body is None else Bytes(body))
            received = Body(most_bytes)
            response.deliverBody(received)
            return Answer(response.code, await received.whole)
        finally:
            endpoints.close()
