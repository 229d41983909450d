"""A request to a provider of SMS, and what its end says about the SMS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen
from twisted.internet.defer import ensureDeferred

from flexid.domain.outbox import Away, Doubtful
from flexid.outbound.words import bounded

CONNECT_SECONDS = 5.0
MOST_BYTES = 65_536


@frozen
class SmsServer:
    """Asks the server that the operator has named; redirects are not followed."""

    reactor: Any
    timeout: float
    """Seconds for one request as a whole."""

    async def ask(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> tuple[int, bytes]:
        """Return status and body of an answer, as much of it as is read.

        :raise Away: the request did not reach the server.
        :raise Doubtful: it may have.
        """
        asked = ensureDeferred(self._ask(method, url, headers, body))
        try:
            return await asked.addTimeout(self.timeout, self.reactor)
        except Exception as error:  # noqa: BLE001  # there are many ways to fail
            what = type(_causes(error)[-1]).__name__
            if _never_reached(error):
                raise Away(f"the SMS provider cannot be reached: {what}") from None
            raise Doubtful(f"no answer came from the SMS provider: {what}") from None

    async def _ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> tuple[int, bytes]:
        import treq  # noqa: PLC0415  # most processes never ask, and a start need not wait for it
        from treq.client import HTTPClient  # noqa: PLC0415
        from twisted.web.client import Agent  # noqa: PLC0415

        sent: Any = dict(headers)
        agent: Any = Agent(self.reactor, connectTimeout=CONNECT_SECONDS)
        response = await HTTPClient(agent).request(
            method, url, headers=sent, data=body, allow_redirects=False, unbuffered=True, reactor=self.reactor
        )
        content = bytearray()
        await treq.collect(response, lambda data: content.extend(data[: MOST_BYTES - len(content)]))
        return response.code, bytes(content)


def refused(status: int, body: bytes) -> str:
    """Return what a provider said when it did not take an SMS."""
    return f"the SMS provider answered {status}: {bounded(body.decode('utf-8', 'replace'))}"


def _never_reached(error: Exception) -> bool:
    """Say whether a request failed before anything of it was sent: while connecting, or at the certificate."""
    from OpenSSL.SSL import Error as TlsError  # noqa: PLC0415  # as above
    from service_identity import VerificationError  # noqa: PLC0415
    from twisted.internet.error import ConnectError, DNSLookupError  # noqa: PLC0415

    # Twisted's error for connections that take too long is a ConnectError.
    before = (ConnectError, DNSLookupError, TlsError, VerificationError)
    return any(isinstance(cause, before) for cause in _causes(error))


def _causes(error: BaseException) -> list[BaseException]:
    """Return an error and those that Twisted has wrapped in it."""
    return [error, *_wrapped(error)]


def _wrapped(error: BaseException) -> Iterator[BaseException]:
    for reason in getattr(error, "reasons", ()):
        yield from _causes(reason.value)
