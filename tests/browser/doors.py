"""Who looks at the pages: everybody signs in once."""

from __future__ import annotations

from attrs import define, field
from browser.chromium import Chromium
from browser.looks import WIDE, Look
from browser.signing_in import state_after_signing_in
from browser.town import PASSWORD, Town


@define
class Doors:
    """Lets people in: each of them signs in once."""

    chromium: Chromium
    town: Town
    _states: dict[str, object] = field(factory=dict)

    def stranger(self, look: Look) -> Look:
        """Return the look of somebody who is not signed in."""
        return look.at(self.town.telecom)

    def user(self, look: Look) -> Look:
        """Return the look of a user of Example Telecom."""
        return self._signed_in(look, self.town.telecom, "alice.martin", PASSWORD)

    def admin(self, look: Look) -> Look:
        """Return the look of Example Telecom's administrator."""
        return self._signed_in(look, self.town.telecom, "camille.roux", PASSWORD)

    def super_admin(self, look: Look) -> Look:
        """Return the look of the first administrator."""
        return self._signed_in(look, self.town.site, "admin", self.town.password)

    def _signed_in(self, look: Look, site: str, username: str, password: str) -> Look:
        if username not in self._states:
            self._states[username] = self.chromium.walk(state_after_signing_in, username, password, on=[WIDE.at(site)])
        return look.at(site, self._states[username])
