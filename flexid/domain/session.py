"""Sessions of the portal: who looks at a page."""

from __future__ import annotations

from attrs import frozen

from flexid.domain.account import Actor


@frozen
class Session:
    """Who is signed in, with what every page shows of it."""

    actor: Actor
    display_name: str | None
    is_resting: bool
    """Whether its use has not been noted for a while."""

    @property
    def username(self) -> str:
        """Return the name within the domain."""
        return self.actor.username

    @property
    def domain(self) -> str:
        """Return the SIP domain."""
        return self.actor.domain

    @property
    def sip_uri(self) -> str:
        """Return the SIP URI (RFC 3261, 19.1)."""
        return f"sip:{self.actor.username}@{self.actor.domain}"

    @property
    def admin(self) -> bool:
        """Say whether the pages of administrators are open."""
        return self.actor.admin

    @property
    def super_admin(self) -> bool:
        """Say whether every Space is."""
        return self.actor.super_admin
