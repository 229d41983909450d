"""Signatures of the tokens of OpenID servers."""

from __future__ import annotations

from typing import Any

from attrs import frozen
from twisted.logger import Logger

from flexid.domain.bearer import ALGORITHMS, InvalidToken, Issuer, VerificationKey
from flexid.domain.errors import Unavailable
from flexid.services.oidc_keys import OidcKeys

# The claims are judged by our own clock, and by the domain.
_SIGNATURE_ONLY: Any = {f"verify_{claim}": False for claim in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")}


@frozen
class Signed:
    """What a token says whose signature is right, and the algorithm of that."""

    claims: dict[str, Any]
    algorithm: str


@frozen
class TokenSignatures:
    """Verifies them, with the key of the Space where it has one, else with those that its server publishes."""

    log = Logger()

    keys: OidcKeys

    async def read(self, domain: str, issuer: Issuer, token: str, keys_url: str | None = None) -> Signed:
        """Return what a token for a Space says (RFC 7515, 7519); `keys_url` if it is known to be another.

        :raise InvalidToken: its signature is wrong, or none that counts.
        :raise Unavailable: the server's keys cannot be had.
        """
        import jwt  # noqa: PLC0415  # most processes never see a token, and a start need not wait for it

        try:
            header = jwt.get_unverified_header(token)
            algorithm = header.get("alg")
            if algorithm not in ALGORITHMS:
                raise InvalidToken("JWT token signed by an algorithm that does not count")
            key = await self._key(domain, issuer, keys_url or issuer.keys_url, header.get("kid"))
            if key is None:
                raise InvalidToken("JWT token signed by an unknown key")
            return Signed(jwt.decode(token, key.key, algorithms=key.algorithms, options=_SIGNATURE_ONLY), algorithm)
        except jwt.PyJWTError:
            raise InvalidToken("Invalid JWT token") from None

    async def _key(self, domain: str, issuer: Issuer, keys_url: str, kid: str | None) -> VerificationKey | None:
        if issuer.public_key:
            return self._configured_key(domain, issuer.public_key)
        return await self.keys.find(domain, keys_url, kid)

    def _configured_key(self, domain: str, pem: str) -> VerificationKey:
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415  # as above
        from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

        try:
            return VerificationKey(None, load_pem_public_key(pem.encode()))
        except (ValueError, UnsupportedAlgorithm):
            self.log.warn("The public key of the OpenID server of {domain} cannot be read", domain=domain)
            raise Unavailable from None
