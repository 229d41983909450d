"""OpenID servers, as far as they publish the keys that verify their tokens (RFC 7517)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import orjson
from attrs import frozen
from twisted.logger import Logger

from flexid.domain.bearer import ALGORITHMS, VerificationKey
from flexid.domain.errors import Unavailable
from flexid.domain.oidc import LEAST_KEY_BITS
from flexid.outbound.web import Web

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
    """Asks over HTTP or HTTPS."""

    log = Logger()

    web: Web

    async def keys(self, url: str) -> tuple[VerificationKey, ...]:
        """Ask for the keys.

        :raise Unavailable: no answer, a late, overlong or unreadable one, or another status than 200.
        """
        try:
            answer = await self.web.ask("GET", url, seconds=SECONDS, most_bytes=MOST_BYTES)
            if answer.status != OK:
                raise ValueError(f"status {answer.status}")  # noqa: TRY301  # it is logged as the others are
            return tuple(_verification_keys(orjson.loads(answer.body)["keys"]))
        except Exception as error:  # noqa: BLE001  # whatever is wrong over there, tokens cannot be verified
            self.log.warn("Keys cannot be read from {url}: {error!r}", url=url, error=error)
            raise Unavailable from None


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
