"""The keys of OpenID servers, kept in memory."""

from __future__ import annotations

from attrs import define, field
from twisted.internet.defer import DeferredLock

from flexid.base.clock import Clock
from flexid.base.text import Text
from flexid.domain.bearer import VerificationKey
from flexid.domain.errors import Unavailable
from flexid.outbound.oidc_keys import KeyServer

FRESH_SECONDS = 3600.0
"""After that a key that was withdrawn meanwhile must be noticed."""
LAST_SECONDS = 2 * FRESH_SECONDS
"""How long keys still count while their server is away."""
PAUSE_SECONDS = 10
"""Between two requests to a server, however many tokens name keys that it does not have."""
MOST_KEPT = 10_000
NEVER = float("-inf")
UNAVAILABLE = Text("The server that verifies bearer tokens is unavailable, please try again")


@define
class _Published:
    """What the server of a Space has said, and when."""

    url: str
    keys: tuple[VerificationKey, ...] = ()
    read_at: float = NEVER
    tried_at: float = NEVER
    away: bool = False
    lock: DeferredLock = field(factory=DeferredLock)

    def find(self, kid: str | None) -> VerificationKey | None:
        """Return the key of a name; a token may leave the name out where there is but one key."""
        if kid is None:
            return self.keys[0] if len(self.keys) == 1 else None
        return next((key for key in self.keys if key.kid == kid), None)

    def suffices(self, kid: str | None, now: float) -> bool:
        """Say whether there is no need to ask again."""
        return now - self.read_at < FRESH_SECONDS and self.find(kid) is not None


@define
class OidcKeys:
    """Finds keys, each Space's for itself: tokens for one Space hold up nobody of another."""

    server: KeyServer
    clock: Clock
    _published: dict[tuple[str, str], _Published] = field(factory=dict, init=False)
    """By Space and URL: sign-ins and bearer tokens of a Space may have another one each."""

    async def find(self, domain: str, url: str, kid: str | None) -> VerificationKey | None:
        """Return the key of a name that is published under a Space's URL, None if there is none.

        :raise Unavailable: the server is away.
        """
        published = self._of(domain, url)
        if not published.suffices(kid, self.clock.seconds()):
            # Who comes meanwhile waits for the same answer.
            async with published.lock:
                await self._refresh(published, kid)
        if self.clock.seconds() - published.read_at >= LAST_SECONDS:
            raise Unavailable(UNAVAILABLE, PAUSE_SECONDS)
        key = published.find(kid)
        if key is None and published.away:
            raise Unavailable(UNAVAILABLE, PAUSE_SECONDS)
        return key

    def forget(self, domain: str) -> None:
        """Ask for the keys of a Space anew when one is needed next."""
        for kept in [kept for kept in self._published if kept[0] == domain]:
            del self._published[kept]

    def _of(self, domain: str, url: str) -> _Published:
        published = self._published.get((domain, url))
        if published is None:
            if len(self._published) >= MOST_KEPT:
                del self._published[next(iter(self._published))]
            published = self._published[domain, url] = _Published(url)
        return published

    async def _refresh(self, published: _Published, kid: str | None) -> None:
        now = self.clock.seconds()
        if published.suffices(kid, now) or now - published.tried_at < PAUSE_SECONDS:
            return
        published.tried_at = now
        try:
            published.keys = await self.server.keys(published.url)
        except Unavailable:
            published.away = True
        else:
            published.away = False
            published.read_at = now
