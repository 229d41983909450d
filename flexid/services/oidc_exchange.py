"""What a browser brings back from an OpenID server, and whom the server names for it."""

from __future__ import annotations

from attrs import field, frozen
from twisted.logger import Logger

from flexid.base.clock import Clock
from flexid.base.text import Text
from flexid.domain import id_token
from flexid.domain.bearer import InvalidToken, Issuer
from flexid.domain.errors import Expired, Forbidden, Unavailable
from flexid.domain.id_token import Identity
from flexid.domain.oidc import OidcClient
from flexid.domain.oidc_attempt import Attempt, Returned
from flexid.domain.openid_provider import Provider
from flexid.domain.space import Space
from flexid.domain.unanswered import Unanswered
from flexid.outbound.oidc_server import OidcServer, Refused, Tokens
from flexid.services.oidc_keys import PAUSE_SECONDS
from flexid.services.oidc_providers import AWAY, OidcProviders
from flexid.services.token_signatures import TokenSignatures

LONGEST_CODE = 4096
LONGEST_REASON = 200
OVER = Text("This sign-in took too long, or was begun in another browser. Please begin once more.")
UNTRUSTED = Text("The answer of the sign-in service cannot be trusted. If that happens again, tell an administrator.")
NOT_KNOWN_THERE = Text("The sign-in service does not take requests of this site. Please tell an administrator.")
DENIED = Text("The sign-in service did not let you in.")


class Untrusted(Forbidden):
    """What came back is not the answer to what was asked; `cause` is for the log."""

    def __init__(self, cause: str) -> None:
        super().__init__(UNTRUSTED)
        self.cause = cause


@frozen
class Vouched:
    """Whom a server names; `has_role` is None where a Space goes by no role."""

    id_token: str = field(repr=False)
    email: str | None
    has_role: bool | None


@frozen
class OidcExchange:
    """The use case; the browser has been compared with the one that began."""

    log = Logger()

    clock: Clock
    server: OidcServer
    providers: OidcProviders
    signatures: TokenSignatures

    async def vouched(
        self, space: Space, issuer: Issuer, client: OidcClient, attempt: Attempt, returned: Returned
    ) -> Vouched:
        """Return whom the server names.

        :raise Forbidden: it did not let somebody in.
        :raise Untrusted: what came back is not its answer.
        :raise Expired: the code is used, or too old.
        :raise Unavailable: it is away.
        """
        provider = await self.providers.find(space.domain, issuer.url)
        tokens = await self._redeem(space, provider, client, attempt, _code(provider, returned))
        try:
            signed = await self.signatures.read(space.domain, issuer, tokens.id_token, provider.jwks_uri)
            identity = id_token.read(signed.claims, attempt, self.clock.now())
            id_token.check_hash(signed.claims, tokens.access_token, signed.algorithm)
        except InvalidToken as reason:
            raise Untrusted(f"its ID token is not the answer: {reason}") from None
        role = space.oidc and space.oidc["auto_provisioning"] and space.oidc["role_provisioning"]
        if not role:
            return Vouched(tokens.id_token, identity.email, None)
        has_role = role in identity.roles or role in await self._further_roles(
            space, issuer, provider, attempt, identity, tokens.access_token
        )
        return Vouched(tokens.id_token, identity.email, has_role)

    async def _redeem(
        self, space: Space, provider: Provider, client: OidcClient, attempt: Attempt, code: str
    ) -> Tokens:
        try:
            return await self.server.redeem(provider, client, attempt, code)
        except Refused as refused:
            self._note(space, refused.error)
            if refused.error == "invalid_grant":
                raise Expired(OVER) from None
            raise Forbidden(NOT_KNOWN_THERE) from None
        except Unanswered as reason:
            self._note(space, str(reason))
            # What it says of itself may have changed.
            self.providers.forget(space.domain)
            raise Unavailable(AWAY, PAUSE_SECONDS) from None

    async def _further_roles(
        self,
        space: Space,
        issuer: Issuer,
        provider: Provider,
        attempt: Attempt,
        identity: Identity,
        access_token: str | None,
    ) -> frozenset[str]:
        if access_token is None:
            return frozenset()
        try:
            signed = await self.signatures.read(space.domain, issuer, access_token, provider.jwks_uri)
            return id_token.roles_in_access_token(signed.claims, identity, attempt, self.clock.now())
        except InvalidToken:
            # It need not be a token that anybody but the server can read.
            return frozenset()

    def _note(self, space: Space, reason: str) -> None:
        self.log.warn("The OpenID server of {domain} gives no tokens: {reason}", domain=space.domain, reason=reason)


def _code(provider: Provider, returned: Returned) -> str:
    """Return the code that came back, unless it was another server that sent the browser (RFC 9207)."""
    if returned.issuer != provider.issuer and (returned.issuer is not None or provider.names_itself):
        raise Untrusted("the browser was sent back by another server")
    if returned.error is not None:
        raise Forbidden(_reason(returned))
    if not returned.code or len(returned.code) > LONGEST_CODE:
        raise Expired(OVER)
    return returned.code


def _reason(returned: Returned) -> Text:
    if returned.error == "access_denied":
        return DENIED
    said = "".join(filter(str.isprintable, returned.error_description or returned.error or ""))
    return Text("The sign-in service says: {reason}", reason=said[:LONGEST_REASON])
