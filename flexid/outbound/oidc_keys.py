"""OpenID servers, as far as they publish the keys that verify their tokens (RFC 7517)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import orjson
from attrs import frozen
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.protocol import Protocol as Receiver
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from flexid.domain.bearer import ALGORITHMS, VerificationKey
from flexid.domain.errors import Unavailable
from flexid.domain.oidc import LEAST_KEY_BITS

SECONDS = 5.0
"""How long an answer may take as a whole."""
MOST_BYTES = 262_144
OK = 200


class KeyServer(Protocol):
    """Knows the keys of OpenID servers."""

    async def keys(self, url: str) -> tuple[VerificationKey, ...]:
        """Return the keys that are published under a URL and fit to verify tokens.

        :raise Unavailable: they cannot be had.
        """


@frozen
class HttpKeyServer:
    """Asks over HTTP or HTTPS, as the URL says, and follows no redirects: nobody has configured where they lead."""

    log = Logger()

    reactor: Any

    async def keys(self, url: str) -> tuple[VerificationKey, ...]:
        """Ask for the keys.

        :raise Unavailable: no answer, a late, overlong or unreadable one, or another status than 200.
        """
        try:
            body = await ensureDeferred(_get(self.reactor, url)).addTimeout(SECONDS, self.reactor)
            return tuple(_verification_keys(orjson.loads(body)["keys"]))
        except Exception as error:  # noqa: BLE001  # whatever is wrong over there, tokens cannot be verified
            self.log.warn("Keys cannot be read from {url}: {error!r}", url=url, error=error)
            raise Unavailable from None


async def _get(reactor: Any, url: str) -> bytes:
    from treq.client import HTTPClient  # noqa: PLC0415  # most processes never ask, and a start need not wait for it
    from twisted.web.client import Agent  # noqa: PLC0415

    agent: Any = Agent(reactor, connectTimeout=SECONDS)
    # A client for each request, since a client keeps cookies.
    response = await HTTPClient(agent).get(url, allow_redirects=False, unbuffered=True, reactor=reactor)
    body = _Body()
    response.deliverBody(body)
    if response.code != OK:
        body.close()
        raise ValueError(f"status {response.code}")
    return await body.whole


class _Body(Receiver):
    """Reads a body of bounded size; the connection ends when nobody waits for it any more."""

    transport: Any = None

    def __init__(self) -> None:
        self.whole: Deferred[bytes] = Deferred(lambda _: self.close())
        self._content = bytearray()

    def dataReceived(self, data: bytes) -> None:  # noqa: N802  # Twisted's name
        self._content += data
        if len(self._content) > MOST_BYTES and not self.whole.called:
            self.whole.errback(ValueError(f"more than {MOST_BYTES} bytes"))
            self.close()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802  # Twisted's name
        from twisted.web.client import ResponseDone  # noqa: PLC0415  # as above
        from twisted.web.http import PotentialDataLoss  # noqa: PLC0415

        if self.whole.called:
            return
        # A length is not announced by every server; half a document is no JSON anyway.
        if reason.check(ResponseDone, PotentialDataLoss):
            self.whole.callback(bytes(self._content))
        else:
            self.whole.errback(reason)

    def close(self) -> None:
        """End the connection."""
        if self.transport:
            self.transport.loseConnection()


def _verification_keys(published: list[dict[str, Any]]) -> Iterator[VerificationKey]:
    """Read what can be used; a server publishes keys for other purposes too."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415  # as above
    from jwt import InvalidKeyError  # noqa: PLC0415
    from jwt.algorithms import RSAAlgorithm  # noqa: PLC0415

    for jwk in published:
        algorithm = jwk.get("alg")
        if jwk.get("use", "sig") != "sig" or algorithm not in {None, *ALGORITHMS}:
            continue
        try:
            key = RSAAlgorithm.from_jwk(jwk)
        except (InvalidKeyError, ValueError, TypeError):
            continue
        # Whoever publishes a private key has no secret to sign with.
        if isinstance(key, RSAPublicKey) and key.key_size >= LEAST_KEY_BITS:
            yield VerificationKey(jwk.get("kid"), key, (algorithm,) if algorithm else ALGORITHMS)
