"""Signing in by a token of the Space's OpenID server."""

from __future__ import annotations

from attrs import frozen

from flexid.base.clock import Clock
from flexid.base.text import Text
from flexid.domain.account import Actor
from flexid.domain.bearer import Claimed, InvalidToken, Issuer
from flexid.domain.errors import Forbidden, Unauthenticated
from flexid.domain.space import Space
from flexid.services.digest import UNAUTHENTICATED
from flexid.services.token_signatures import TokenSignatures
from flexid.store import bearer_accounts
from flexid.store.database import Database


@frozen
class Bearer:
    """Finds the account for which an OpenID server vouches."""

    database: Database
    clock: Clock
    signatures: TokenSignatures

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
            signed = await self.signatures.read(space.domain, issuer, token)
            claimed = issuer.read(signed.claims, self.clock.now())
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
