"""What grows old and has to go: each use case clears one batch and returns how many there were."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from attrs import frozen

from flexid.base.clock import Clock
from flexid.base.settings import Lifetimes
from flexid.services.api_keys import ApiKeys
from flexid.services.clearance import Clearance
from flexid.services.files import Files
from flexid.store import (
    account_imports,
    accounts,
    audit,
    auth_tokens,
    kept_answers,
    messages,
    nonces,
    oidc_attempts,
    processes,
    recoveries,
    registrations,
    sessions,
    throttles,
)
from flexid.store.database import Database

HEARD_OF = timedelta(hours=1)
"""Later than this nothing is heard of a message that is under way: no process knows its daemon any more."""
MESSAGES_KEPT = timedelta(days=30)
RECOVERIES_KEPT_MINUTES = 30 * 24 * 60


@frozen
class Housekeeping:
    """The use cases; lifetimes of 0 mean that a thing is kept for ever."""

    database: Database
    clock: Clock
    lifetimes: Lifetimes
    api_keys: ApiKeys
    files: Files
    clearance: Clearance

    async def clear_nonces(self, minutes: int | None = None) -> int:
        """Forget Digest nonces that were unused for so long; None = for their lifetime."""
        if minutes is None:
            minutes = self.lifetimes.nonce
            if not minutes:
                return 0
        elif not self.lifetimes.nonce or minutes < self.lifetimes.nonce:
            # They could be answered once more if they were merely forgotten.
            await nonces.void_all(self.database)
        return await nonces.clear(self.database, self.clock.now() - timedelta(minutes=minutes))

    async def clear_api_keys(self, minutes: int | None = None) -> int:
        """Delete API keys that were unused for too long; `minutes` replaces what user keys were given."""
        return await self.api_keys.clear_expired(minutes)

    async def clear_auth_tokens(self) -> int:
        """Forget auth tokens that nobody can redeem any more."""
        minutes = self.lifetimes.auth_token
        return await auth_tokens.clear(self.database, minutes) if minutes else 0

    async def clear_sessions(self) -> int:
        """Forget sessions of the portal that were unused for too long."""
        minutes = self.lifetimes.session
        return await sessions.clear(self.database, minutes) if minutes else 0

    async def clear_oidc_attempts(self) -> int:
        """Forget sign-ins at OpenID servers that nobody came back from."""
        return await oidc_attempts.clear(self.database)

    async def clear_throttle_counters(self) -> int:
        """Forget counters of windows that are over."""
        return await throttles.clear(self.database, self.clock.now())

    async def clear_messages(self) -> int:
        """Give up SIP messages that wait for too long, and forget those that came to their end long ago."""
        now = self.clock.now()
        given_up = await messages.expire(self.database) + await messages.abandon(self.database, now - HEARD_OF)
        return given_up + await messages.clear(self.database, now - MESSAGES_KEPT)

    async def clear_audit_log(self) -> int:
        """Forget what was noted long ago."""
        minutes = self.lifetimes.audit
        return await audit.clear(self.database, self.clock.now() - timedelta(minutes=minutes)) if minutes else 0

    async def clear_process_reports(self) -> int:
        """Forget processes that ended without a word."""
        return await processes.clear(self.database)

    async def clear_kept_answers(self) -> int:
        """Forget what was answered to requests that may no longer come again."""
        return await kept_answers.clear(self.database)

    async def clear_account_imports(self) -> int:
        """Forget files of accounts that nobody came back for."""
        return await account_imports.clear(self.database)

    async def clear_registrations(self) -> int:
        """Delete accounts of the portal whose code was never typed; their names are free again."""
        minutes = self.lifetimes.registration
        return await registrations.clear(self.database, minutes) if minutes else 0

    async def clear_recoveries(self) -> int:
        """Forget who has asked for a new password, long afterwards."""
        return await recoveries.clear(self.database, RECOVERIES_KEPT_MINUTES)

    async def merge_account_counts(self) -> int:
        """Fold the rows that creations and deletions left in the table of counts."""
        await accounts.merge_counts(self.database)
        return 0


async def until_nothing_is_left(clear: Callable[[], Awaitable[int]]) -> int:
    """Clear batch after batch; return how many there were in all."""
    total = 0
    while cleared := await clear():
        total += cleared
    return total
