"""Signing in to the portal at the OpenID server of a Space, and out again."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Coroutine
from typing import Any, TypeVar

from attrs import field, frozen
from twisted.internet.defer import TimeoutError, ensureDeferred  # noqa: A004  # Twisted's name
from twisted.logger import Logger

from flexid.base.clock import random_token
from flexid.base.text import Text
from flexid.domain.account import Origin
from flexid.domain.bearer import Issuer
from flexid.domain.errors import DomainError, Expired, Forbidden, NotFound, Unavailable
from flexid.domain.oidc_attempt import SECRET_LENGTH, Attempt, Returned
from flexid.domain.openid_provider import with_parameters
from flexid.domain.space import Space
from flexid.services.limits import Limits
from flexid.services.oidc_accounts import OidcAccounts
from flexid.services.oidc_exchange import OVER, OidcExchange, Untrusted
from flexid.services.oidc_keys import PAUSE_SECONDS
from flexid.services.oidc_providers import AWAY
from flexid.services.sessions import Sessions
from flexid.store import oidc, oidc_attempts
from flexid.store.database import Database

T = TypeVar("T")

SECONDS = 9.0
"""How long all requests to a server may take that one request of a browser needs."""
MOST_AT_ONCE = 50
"""Requests of browsers that may wait for the server of one Space."""
NO_EMAIL = Text("The sign-in service tells no email address of you that it has verified.")
NOT_THIS_WAY = Text("Your account may not sign in in this way.")


@frozen
class SignedIn:
    """Somebody is: the session, and the page to go to, empty for the usual one."""

    session_id: str = field(repr=False)
    wanted: str


@frozen
class OidcSignIn:
    """The use cases; `browser` is what only that browser holds that began."""

    log = Logger()

    database: Database
    exchange: OidcExchange
    accounts: OidcAccounts
    sessions: Sessions
    limits: Limits
    outcomes: Counter[str] = field(factory=Counter)
    """How many signed in, and what became of the others: `refused`, `untrusted`, `away`, `busy`."""
    _talking: Counter[str] = field(factory=Counter)

    async def begin(self, space: Space, browser: str, redirect_uri: str, wanted: str, language: str, ip: str) -> str:
        """Return where the browser goes to sign in.

        :raise NotFound: nobody signs in to this Space in this way.
        :raise Throttled: too many have begun from this address.
        :raise Unavailable: the server is away.
        """
        issuer = Issuer.of(space)
        if issuer is None or not issuer.client_id:
            raise NotFound
        await self.limits.spend(self.database, self.limits.oidc_sign_ins(ip))
        provider = await self._ask(space, self.exchange.providers.find(space.domain, issuer.url))
        state = random_token(SECRET_LENGTH)
        attempt = Attempt.begin(issuer.url, issuer.client_id, redirect_uri, wanted)
        await oidc_attempts.keep(self.database, space.domain, _hash(state), _hash(browser), attempt)
        return attempt.url(provider, state, language)

    async def finish(self, space: Space, browser: str, returned: Returned, origin: Origin) -> SignedIn:
        """Sign in whom the server names; whatever comes of it, another try has to begin once more.

        :raise Expired: this browser has not begun here, or too long ago.
        :raise Forbidden: the server did not let somebody in, or names nobody who may sign in here.
        :raise Blocked: the account is blocked.
        :raise Unavailable: the server is away.
        """
        try:
            signed_in = await self._finish(space, browser, returned, origin)
        except Unavailable:
            raise
        except Untrusted as untrusted:
            self.outcomes["untrusted"] += 1
            self.log.warn(
                "A sign-in at the OpenID server of {domain} came to nothing: {cause}",
                domain=space.domain,
                cause=untrusted.cause,
            )
            raise
        except DomainError:
            self.outcomes["refused"] += 1
            raise
        self.outcomes["signed in"] += 1
        return signed_in

    async def farewell(self, space: Space, id_token: str, return_to: str) -> str | None:
        """Return where a browser goes to sign out at the server too; None where that is not to be had."""
        issuer = Issuer.of(space)
        if issuer is None or not issuer.client_id:
            return None
        try:
            provider = await self._ask(space, self.exchange.providers.find(space.domain, issuer.url))
        except Unavailable:
            return None
        if provider.end_session_endpoint is None:
            return None
        told = {"id_token_hint": id_token, "client_id": issuer.client_id, "post_logout_redirect_uri": return_to}
        return with_parameters(provider.end_session_endpoint, told)

    async def _finish(self, space: Space, browser: str, returned: Returned, origin: Origin) -> SignedIn:
        attempt = await oidc_attempts.take(self.database, space.domain, _hash(returned.state), _hash(browser))
        client = await oidc.client(self.database, space.domain)
        issuer = Issuer.of(space)
        if attempt is None or client is None or issuer is None:
            raise Expired(OVER)
        # The server of the Space may be another one by now: it is not told what is meant for the one before.
        if not (client.issuer == issuer.url == attempt.issuer and client.client_id == attempt.client_id):
            raise Expired(OVER)
        vouched = await self._ask(space, self.exchange.vouched(space, issuer, client, attempt, returned))
        if vouched.email is None:
            raise Forbidden(NO_EMAIL)
        account_id = await self.accounts.settle(space, vouched.email, origin, has_role=vouched.has_role)
        session_id = await self.sessions.begin_by_openid(space, account_id, origin, vouched.id_token)
        if session_id is None:
            raise Forbidden(NOT_THIS_WAY)
        return SignedIn(session_id, attempt.wanted)

    async def _ask(self, space: Space, asking: Coroutine[Any, Any, T]) -> T:
        """Let one thing be asked of the server of a Space, for so long, and not too many at once."""
        if self._talking[space.domain] >= MOST_AT_ONCE:
            asking.close()
            self.outcomes["busy"] += 1
            raise Unavailable(AWAY, PAUSE_SECONDS)
        self._talking[space.domain] += 1
        try:
            return await ensureDeferred(asking).addTimeout(SECONDS, self.database.reactor)
        except (Unavailable, TimeoutError):
            self.outcomes["away"] += 1
            raise Unavailable(AWAY, PAUSE_SECONDS) from None
        finally:
            self._talking[space.domain] -= 1
            if not self._talking[space.domain]:
                del self._talking[space.domain]


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
