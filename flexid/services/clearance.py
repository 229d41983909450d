"""Accounts that nobody confirmed, tombstones and statistics, once they are older than an operator keeps them."""

from __future__ import annotations

from datetime import datetime, timedelta

from attrs import frozen

from flexid.base.clock import Clock
from flexid.base.settings import HousekeepingSettings
from flexid.store import clearance
from flexid.store.database import Database

LONGEST_STATEMENT = 60.0
"""Seconds that a batch or a count may take in a large database."""


@frozen
class Clearance:
    """The use cases: `count_…` tells how many there are, `clear_…` deletes a batch and returns how many it had."""

    database: Database
    clock: Clock
    settings: HousekeepingSettings

    async def count_accounts(self, days: int, *, confirmed: bool = False) -> int:
        """Count accounts that were made so many days ago and never confirmed; `confirmed`: those that were as well.

        Administrators are never among them.
        """
        async with self.database.transaction(LONGEST_STATEMENT) as transaction:
            return await clearance.count_accounts(transaction, self._before(days), confirmed=confirmed)

    async def clear_accounts(self, days: int, *, confirmed: bool = False) -> int:
        """Delete such accounts, and leave no tombstones."""
        async with self.database.transaction(LONGEST_STATEMENT) as transaction:
            return await clearance.delete_accounts(transaction, self._before(days), confirmed=confirmed)

    async def count_tombstones(self, days: int) -> int:
        """Count names that deleted accounts have held for so many days."""
        async with self.database.transaction(LONGEST_STATEMENT) as transaction:
            return await clearance.count_tombstones(transaction, self._before(days))

    async def clear_tombstones(self, days: int) -> int:
        """Free such names."""
        async with self.database.transaction(LONGEST_STATEMENT) as transaction:
            return await clearance.delete_tombstones(transaction, self._before(days))

    async def count_statistics(self, days: int) -> int:
        """Count calls and messages that are so many days old."""
        async with self.database.transaction(LONGEST_STATEMENT) as transaction:
            return await clearance.count_statistics(transaction, self._before(days))

    async def clear_statistics(self, days: int) -> int:
        """Delete such calls and messages."""
        async with self.database.transaction(LONGEST_STATEMENT) as transaction:
            return await clearance.delete_statistics(transaction, self._before(days))

    async def clear_accounts_by_settings(self) -> int:
        """Delete accounts that nobody confirmed, if they are to go by themselves."""
        days = self.settings.unconfirmed_accounts_days
        return await self.clear_accounts(days) if days else 0

    async def clear_tombstones_by_settings(self) -> int:
        """Free names of deleted accounts, if that is to happen by itself."""
        days = self.settings.tombstones_days
        return await self.clear_tombstones(days) if days else 0

    async def clear_statistics_by_settings(self) -> int:
        """Delete calls and messages, if they are to go by themselves."""
        days = self.settings.statistics_days
        return await self.clear_statistics(days) if days else 0

    def _before(self, days: int) -> datetime:
        return self.clock.now() - timedelta(days=days)
