"""The OpenID server of a Space, as administrators look after it."""

from __future__ import annotations

from attrs import evolve, frozen

from flexid.domain.bearer import Issuer
from flexid.domain.errors import NotFound
from flexid.domain.oidc import OidcConfiguration
from flexid.services.oidc_keys import OidcKeys
from flexid.services.oidc_providers import OidcProviders
from flexid.services.spaces import Spaces
from flexid.store import oidc
from flexid.store.database import Database


@frozen
class OidcUpkeep:
    """The use cases; who may do it is decided by the caller."""

    database: Database
    spaces: Spaces
    providers: OidcProviders
    keys: OidcKeys

    def watch(self) -> None:
        """Hear of it from now on when a server is to be asked anew; what is missed waits for its time."""
        self.database.listen("flexid_openid_servers", self._forget, _nothing, _nothing)

    async def refresh(self, domain: str) -> int:
        """Ask the server of a Space anew what it is and which keys it publishes, and return how many there are.

        :raise NotFound: no such Space, or it has no server.
        :raise Unanswered: the server is away, or does not say what sign-ins need.
        :raise Unavailable: its keys cannot be had.
        """
        space = await self.spaces.show(domain)
        issuer = Issuer.of(space)
        if issuer is None:
            raise NotFound
        self._forget(space.domain)
        await oidc.tell_refreshed(self.database, space.domain)
        url = (await self.providers.ask(issuer.url)).jwks_uri if issuer.client_id else issuer.keys_url
        return 1 if issuer.public_key else len(await self.keys.server.keys(url))

    async def with_known_secret(self, domain: str, configuration: OidcConfiguration) -> OidcConfiguration:
        """Return a configuration whose secret was not typed again with the one that is stored.

        It is kept for the same client of the same server only: it is told to nobody else.
        """
        known = await oidc.client(self.database, domain)
        if configuration.client_secret is not None or known is None:
            return configuration
        issuer = f"{configuration.server_url}realms/{configuration.realm}"
        is_same = (known.issuer, known.client_id) == (issuer, configuration.client_id)
        return evolve(configuration, client_secret=known.client_secret) if is_same else configuration

    def _forget(self, domain: str) -> None:
        self.providers.forget(domain)
        self.keys.forget(domain)


def _nothing() -> None:
    """What is kept stays good."""
