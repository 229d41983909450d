"""Tells Flexisip over its Redis what has changed, at least once: see docs/flexisip.md."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from attrs import field, frozen
from twisted.internet.defer import DeferredList, DeferredLock, ensureDeferred
from twisted.logger import Logger

from flexid.base.clock import Clock
from flexid.domain.errors import Unavailable
from flexid.domain.outbox import Due
from flexid.outbound.registrar import Registrar
from flexid.store import deliveries, external_accounts
from flexid.store.database import Database

CHANNELS = ("registrar", "b2bua")
AT_ONCE = 20
LONGEST_WAIT = timedelta(minutes=1)
PATIENCE = timedelta(days=1)
"""How long we try: until then Flexisip has forgotten the registrations by itself."""
KEPT = timedelta(days=7)
"""How long the record of what was told stays."""


@frozen
class Notices:
    """What the database notes when accounts change."""

    log = Logger()

    database: Database
    clock: Clock
    registrar: Registrar
    outcomes: Counter[tuple[str, str]] = field(factory=Counter, init=False)
    """How many notices of each channel were `delivered`, or `failed` for now."""
    _asking: DeferredLock = field(factory=DeferredLock, init=False)

    async def deliver(self) -> int:
        """Tell what is due; return how much was told, nothing if Redis is away."""
        if not self.registrar.is_configured():
            return 0
        due = await deliveries.claim(self.database, CHANNELS, AT_ONCE, LONGEST_WAIT)
        # The registrar writes them to one connection in this order.
        told = await DeferredList([ensureDeferred(self._deliver(one)) for one in due], fireOnOneErrback=True)
        missed = [one for one, (_, is_told) in zip(due, told, strict=True) if not is_told]
        if missed:
            self.log.warn("{count} notices for Flexisip have to wait", event="notices.waiting", count=len(missed))
        return 0 if missed else len(due)

    async def clear(self) -> int:
        """Forget what was told long ago, and what cannot be told: at once where there is no registrar."""
        now = self.clock.now()
        vain = now - PATIENCE if self.registrar.is_configured() else now
        given_up = await deliveries.give_up(self.database, CHANNELS, vain)
        return given_up + await deliveries.clear(self.database, CHANNELS, now - KEPT)

    async def _deliver(self, due: Due) -> bool:
        try:
            await (self._forget(due) if due.channel == "registrar" else self._tell_b2bua(due))
        except Exception as error:  # noqa: BLE001  # the others are told all the same, and this one later
            reason = str(error) if isinstance(error, Unavailable) else repr(error)
            # It is given up by its age, whatever the number of attempts.
            self.outcomes[due.channel, "failed"] += 1
            await deliveries.failed(self.database, due.id, reason, due.attempts + 1)
            return False
        self.outcomes[due.channel, "delivered"] += 1
        await deliveries.sent(self.database, due.id)
        return True

    async def _forget(self, due: Due) -> None:
        for address in due.payload["addresses"]:
            await self.registrar.forget(address, due.payload.get("before"))

    async def _tell_b2bua(self, due: Due) -> None:
        # A notice may be late: the B2BUA drops an address whose identifier leads to none, though another account has
        # taken it meanwhile.
        username, domain = due.payload["username"], due.payload["domain"]
        # One after the other: the database would answer in any order.
        now = await self._asking.run(
            lambda: ensureDeferred(external_accounts.identify(self.database, username, domain))
        )
        await self.registrar.tell_b2bua({**due.payload, "identifier": str(now or due.payload["identifier"])})
