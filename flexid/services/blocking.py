"""The blocking service: who asks for too many codes gets no more, until an administrator has looked."""

from __future__ import annotations

from attrs import frozen

from flexid.base import settings
from flexid.store import account_changes, change_codes
from flexid.store.query import Runner


@frozen
class Blocking:
    """Counts the codes that accounts ask for, whatever for."""

    settings: settings.Blocking

    async def refuses(self, transaction: Runner, account_id: int) -> bool:
        """Say whether an account has had all the codes that it may ask for, and block it if so.

        The transaction has locked the account, and is to be committed also when this refuses.
        """
        most = self.settings.amount_events_authorized_during_period
        minutes = self.settings.time_period_check
        if not most or await change_codes.requested(transaction, account_id, minutes) < most:
            return False
        await account_changes.set_blocked(transaction, account_id, None, value=True)
        return True
