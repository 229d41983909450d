"""Signing in by a token of the Space's OpenID server."""

from __future__ import annotations

from typing import Any

from attrs import frozen
from twisted.logger import Logger

from flexid.base.clock import Clock
from flexid.base.text import Text
from flexid.domain.account import Actor
from flexid.domain.bearer import ALGORITHMS, Claimed, InvalidToken, Issuer, VerificationKey
from flexid.domain.errors import Forbidden, Unauthenticated, Unavailable
from flexid.domain.space import Space
from flexid.services.digest import UNAUTHENTICATED
from flexid.services.oidc_keys import OidcKeys
from flexid.store import bearer_accounts
from flexid.store.database import Database

# The claims are judged by our own clock, and by the domain.
_SIGNATURE_ONLY: Any = {f"verify_{claim}": False for claim in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")}


@frozen
class Bearer:
    """Finds the account for which an OpenID server vouches."""

    log = Logger()

    database: Database
    clock: Clock
    keys: OidcKeys

    def challenges(self, space: Space) -> tuple[str, ...]:
        """Return the values of `WWW-Authenticate` that ask for a token: none where nobody vouches for accounts."""
        issuer = Issuer.of(space)
        return (issuer.challenge(),) if issuer else ()

    async def identify(self, space: Space, token: str) -> Actor:
        """Return the account of this Space that a token names (RFC 8898).

        :raise Unauthenticated: the Space has no OpenID server, or the token is not valid.
        :raise Forbidden: a valid token, but for nobody here.
        :raise Unavailable: the server's keys cannot be had.
        """
        issuer = Issuer.of(space)
        if issuer is None:
            raise Unauthenticated(UNAUTHENTICATED)
        try:
            claimed = issuer.read(await self._claims(space, issuer, token), self.clock.now())
        except InvalidToken as reason:
            raise Unauthenticated(Text("The bearer token is not valid"), [issuer.refusal(reason)]) from None
        actor = await self._find(space, claimed)
        # Who may set up a Space's server is not to rule every Space by it.
        if actor is None or actor.super_admin:
            raise Forbidden(Text("The bearer token belongs to no account of this Space"))
        return actor

    async def _find(self, space: Space, claimed: Claimed) -> Actor | None:
        if claimed.address and claimed.address.domain == space.domain:
            return await bearer_accounts.find_by_address(self.database, claimed.address)
        if claimed.email:
            return await bearer_accounts.find_by_email(self.database, claimed.email, space.domain)
        return None

    async def _claims(self, space: Space, issuer: Issuer, token: str) -> dict[str, Any]:
        """Return what a token says, once its signature is verified."""
        import jwt  # noqa: PLC0415  # most processes never see a token, and a start need not wait for it

        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in ALGORITHMS:
                raise InvalidToken("JWT token signed by an algorithm that does not count")
            key = await self._key(space, issuer, header.get("kid"))
            if key is None:
                raise InvalidToken("JWT token signed by an unknown key")
            return jwt.decode(token, key.key, algorithms=key.algorithms, options=_SIGNATURE_ONLY)
        except jwt.PyJWTError:
            raise InvalidToken("Invalid JWT token") from None

    async def _key(self, space: Space, issuer: Issuer, kid: str | None) -> VerificationKey | None:
        if issuer.public_key:
            return self._configured_key(space, issuer.public_key)
        return await self.keys.find(space.domain, issuer.keys_url, kid)

    def _configured_key(self, space: Space, pem: str) -> VerificationKey:
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415  # as above
        from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

        try:
            return VerificationKey(None, load_pem_public_key(pem.encode()))
        except (ValueError, UnsupportedAlgorithm):
            self.log.warn("The public key of the OpenID server of {domain} cannot be read", domain=space.domain)
            raise Unavailable from None
