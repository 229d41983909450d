"""What the list of accounts can be filtered by."""

from __future__ import annotations

from attrs import define, field

from flexid.base.clock import Clock
from flexid.domain.account_search import ContactsListTitle
from flexid.domain.space import Space
from flexid.services.account_search import AccountSearch
from flexid.services.spaces import Spaces

KEPT_SECONDS = 5.0
"""Somebody who types asks for the list several times a second; what stands in its filters is asked for less often."""
MOST_KEPT = 1_000


@define
class AccountFilters:
    """The choices; they may be some seconds old."""

    search: AccountSearch
    spaces: Spaces
    clock: Clock
    _lists: dict[int, tuple[float, tuple[ContactsListTitle, ...]]] = field(factory=dict, init=False)
    _domains: tuple[float, tuple[str, ...]] | None = field(default=None, init=False)

    async def contacts_lists(self, space: Space) -> tuple[ContactsListTitle, ...]:
        """Return the contacts lists of a Space by their titles."""
        kept = self._lists.get(space.id)
        if kept is None or self._is_old(kept[0]):
            if len(self._lists) >= MOST_KEPT:
                self._lists.clear()
            asked_at = self.clock.seconds()
            kept = self._lists[space.id] = asked_at, await self.search.contacts_lists_of(space)
        return kept[1]

    async def domains(self) -> tuple[str, ...]:
        """Return the domains of all Spaces."""
        if self._domains is None or self._is_old(self._domains[0]):
            asked_at = self.clock.seconds()
            every = await self.spaces.every()
            self._domains = asked_at, tuple(sorted(space.domain for space in every))
        return self._domains[1]

    def _is_old(self, asked_at: float) -> bool:
        return not 0 <= self.clock.seconds() - asked_at < KEPT_SECONDS
