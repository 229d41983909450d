"""Brings events to webhooks, at least once: each has lanes of its own, so that a slow one holds up no other."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred, DeferredList, ensureDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from flexid.base.clock import Clock
from flexid.domain import unanswered
from flexid.domain.errors import Unavailable
from flexid.domain.mail import Mail
from flexid.domain.unanswered import Unanswered
from flexid.domain.webhooks import DueEvent
from flexid.outbound.webhooks import Courier, Gone
from flexid.store import outbox, webhook_deliveries, webhooks
from flexid.store.database import Database

LANES = 4
"""Events under way at once to one webhook."""
AT_ONCE = 200
"""Events under way at once to all of them."""
MOST_ATTEMPTS = 14
"""About a day."""
SENT_KEPT, DEAD_KEPT = timedelta(days=7), timedelta(days=30)
"""How long the record of what was taken stays, and that of what was given up."""


@define(eq=False)
class WebhookDeliveries:
    """Events on their way; `language` is that of the notices to administrators."""

    log = Logger()

    database: Database
    clock: Clock
    courier: Courier
    language: str
    outcomes: Counter[tuple[str, str]] = field(factory=Counter, init=False)
    """How many attempts of the channel came to which end: `delivered`, `failed`, or `dead` if it was the last one."""
    _lanes: Counter[int] = field(factory=Counter, init=False)
    """How many lanes work for a webhook."""
    _under_way: set[Deferred[None]] = field(factory=set, init=False)
    _stopping: bool = field(default=False, init=False)

    async def begin(self) -> int:
        """Open another lane for each webhook for which something is due; return 0, as nobody needs to wait for more."""
        room = AT_ONCE - self._lanes.total()
        if room > 0 and not self._stopping:
            full = [webhook_id for webhook_id, count in self._lanes.items() if count >= LANES]
            for webhook_id in await webhook_deliveries.waited_for(self.database, full, room):
                self._open(webhook_id)
        return 0

    async def deliver(self) -> None:
        """Bring what is due, as far as the receivers take it."""
        await self.begin()
        await self.rest()

    async def rest(self) -> None:
        """Wait until nothing is under way."""
        await DeferredList(list(self._under_way))

    async def stop(self) -> None:
        """Begin with nothing more, and wait for what is under way; who cancels this leaves the rest to another time."""
        self._stopping = True
        await self.rest()

    async def clear(self) -> int:
        """Forget what was taken, or given up, long ago."""
        now = self.clock.now()
        return await webhook_deliveries.clear(self.database, now - SENT_KEPT, now - DEAD_KEPT)

    def _open(self, webhook_id: int) -> None:
        self._lanes[webhook_id] += 1
        work = ensureDeferred(self._work(webhook_id))
        self._under_way.add(work)

        def ended(result: object) -> object:
            self._under_way.discard(work)
            self._lanes -= Counter({webhook_id: 1})
            return result

        work.addBoth(ended)
        work.addErrback(self._broke_off)

    async def _work(self, webhook_id: int) -> None:
        """Bring one event after the other, until one is not taken: who is in trouble gets fewer of them."""
        while not self._stopping:
            due = await webhook_deliveries.claim(self.database, webhook_id)
            if due is None or not await self._bring(due):
                return

    async def _bring(self, due: DueEvent) -> bool:
        try:
            await self.courier.bring(due.url, due.secret, due.reference, due.payload)
        except Unanswered as refused:
            await self._note_failure(due, str(refused), is_gone=isinstance(refused, Gone))
            return False
        await webhook_deliveries.sent(self.database, due.id)
        self.outcomes["webhook", "delivered"] += 1
        return True

    async def _note_failure(self, due: DueEvent, reason: str, *, is_gone: bool) -> None:
        self.log.info(
            "Webhook {webhook} of {domain} has not taken event {id} at attempt {attempt}: {reason}",
            webhook=due.webhook_id,
            domain=due.domain,
            id=due.id,
            attempt=due.attempts,
            reason=reason,
        )
        most = due.attempts if is_gone else MOST_ATTEMPTS
        async with self.database.transaction() as transaction:
            is_dead = await webhook_deliveries.failed(transaction, due.id, reason, most)
            off = await webhooks.switch_off(transaction, due.webhook_id, reason, at_once=is_gone) if is_dead else None
            if off:
                for email in await webhooks.administrators(transaction, off.domain):
                    values = {
                        "url": off.url,
                        "reason": reason,
                        "status": unanswered.status_in(reason),
                        "path": f"/admin/webhooks/{off.id}",
                    }
                    mail = Mail("webhook_disabled", email, self.language, values)
                    await outbox.put(transaction, mail.outgoing(off.domain))
        self.outcomes["webhook", "dead" if is_dead else "failed"] += 1
        if off:
            self.log.warn(
                "Webhook {webhook} of {domain} is switched off: {reason}",
                webhook=off.id,
                domain=off.domain,
                reason=reason,
            )

    def _broke_off(self, failure: Failure) -> None:
        if failure.check(CancelledError):
            return
        if failure.check(Unavailable):
            self.log.warn("The database is away: events for webhooks have to wait")
        else:
            self.log.failure("Bringing events to a webhook failed", failure)
