"""How many accounts a Space shows to everybody."""

from __future__ import annotations

from attrs import define, field

from flexid.base.clock import Clock
from flexid.domain.space import Space
from flexid.store import accounts
from flexid.store.database import Database

SECONDS = 600
"""A count is good for so long: all accounts are looked at for it."""


@define
class AccountCount:
    """Counts active accounts now and then, where the settings want that shown."""

    database: Database
    clock: Clock
    is_wanted: bool
    _counts: dict[str, tuple[float, int]] = field(factory=dict, init=False)

    async def shown(self, space: Space) -> int | None:
        """Return about how many active accounts a Space has; None where that is nobody's business."""
        if not self.is_wanted:
            return None
        now = self.clock.seconds()
        counted_at, count = self._counts.get(space.domain, (0.0, 0))
        if not now - SECONDS < counted_at <= now:
            # Whoever comes meanwhile sees the count of before.
            self._counts[space.domain] = (now, count)
            count = await accounts.count_active(self.database, space.domain)
            self._counts[space.domain] = (now, count)
        return count
