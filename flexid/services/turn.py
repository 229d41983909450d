"""Credentials for the operator's TURN server."""

from __future__ import annotations

from attrs import frozen

from flexid.base.clock import Clock, random_token
from flexid.base.peer_settings import TurnSettings
from flexid.domain import turn
from flexid.domain.errors import NotFound
from flexid.domain.turn import TurnCredentials

NONCE_LENGTH = 16


@frozen
class Turn:
    """Hands out credentials; nothing of them is kept, since the server works them out from the shared secret."""

    clock: Clock
    settings: TurnSettings

    def credentials(self) -> TurnCredentials:
        """Return fresh credentials.

        :raise NotFound: no TURN server is configured.
        """
        if not self.settings.host:
            raise NotFound
        ttl = self.settings.ttl_minutes * 60
        expires_at = int(self.clock.seconds()) + ttl
        return turn.credentials(self.settings.host, self.settings.secret, expires_at, ttl, random_token(NONCE_LENGTH))
