"""What the OpenID servers of Spaces say of themselves, kept in memory."""

from __future__ import annotations

from attrs import define, field
from twisted.internet.defer import DeferredLock
from twisted.logger import Logger

from flexid.base.clock import Clock
from flexid.base.text import Text
from flexid.domain.errors import Unavailable
from flexid.domain.openid_provider import Provider
from flexid.domain.unanswered import Unanswered
from flexid.outbound.oidc_server import OidcServer
from flexid.services.oidc_keys import FRESH_SECONDS, LAST_SECONDS, MOST_KEPT, NEVER, PAUSE_SECONDS

PATH = "/.well-known/openid-configuration"
"""OpenID Connect Discovery 1.0, 4."""
AWAY = Text("The sign-in service of this Space does not answer. Wait a little, then try again.")


@define
class _Known:
    """What one server has said, and when."""

    issuer: str
    provider: Provider | None = None
    read_at: float = NEVER
    tried_at: float = NEVER
    lock: DeferredLock = field(factory=DeferredLock)


@define
class OidcProviders:
    """Finds out about servers, each Space's for itself."""

    log = Logger()

    server: OidcServer
    clock: Clock
    _known: dict[str, _Known] = field(factory=dict, init=False)

    async def find(self, domain: str, issuer: str) -> Provider:
        """Return the server of a Space.

        :raise Unavailable: it is away, or does not say what sign-ins need.
        """
        known = self._of(domain, issuer)
        if self.clock.seconds() - known.read_at >= FRESH_SECONDS:
            # Who comes meanwhile waits for the same answer.
            async with known.lock:
                await self._refresh(domain, known)
        if known.provider is None or self.clock.seconds() - known.read_at >= LAST_SECONDS:
            raise Unavailable(AWAY, PAUSE_SECONDS)
        return known.provider

    async def ask(self, issuer: str) -> Provider:
        """Return a server as it is now.

        :raise Unanswered: it is away, or does not say what sign-ins need.
        """
        return Provider.read(await self.server.document(f"{issuer}{PATH}"), issuer)

    def forget(self, domain: str) -> None:
        """Ask the server of a Space anew when it is needed next."""
        self._known.pop(domain, None)

    def _of(self, domain: str, issuer: str) -> _Known:
        known = self._known.get(domain)
        if known is None or known.issuer != issuer:
            self._known.pop(domain, None)
            if len(self._known) >= MOST_KEPT:
                del self._known[next(iter(self._known))]
            known = self._known[domain] = _Known(issuer)
        return known

    async def _refresh(self, domain: str, known: _Known) -> None:
        now = self.clock.seconds()
        if now - known.read_at < FRESH_SECONDS or now - known.tried_at < PAUSE_SECONDS:
            return
        known.tried_at = now
        try:
            known.provider = await self.ask(known.issuer)
        except Unanswered as reason:
            self.log.warn(
                "Nobody signs in to {domain} by its OpenID server: {url}: {reason}",
                domain=domain, url=known.issuer, reason=str(reason),
            )  # fmt: skip
        else:
            known.read_at = now
