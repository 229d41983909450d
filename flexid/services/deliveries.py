"""Delivers what waits in the outbox, at least once."""

from __future__ import annotations

from datetime import timedelta

from attrs import frozen
from twisted.internet.defer import DeferredList, ensureDeferred
from twisted.internet.threads import deferToThread
from twisted.logger import Logger

from flexid.base.clock import Clock
from flexid.domain.mail import Mail
from flexid.domain.outbox import Due, Undelivered
from flexid.domain.sms import CodeSms, ShortMessage
from flexid.domain.space import Space
from flexid.outbound.outside import Outside
from flexid.services.letters import LetterWriter
from flexid.services.space_directory import SpaceDirectory
from flexid.store import deliveries
from flexid.store.database import Database

CHANNELS = ("mail", "sms")
AT_ONCE = 20
MOST_ATTEMPTS = 20
"""About twelve hours."""
KEPT = timedelta(days=30)
"""How long the record of what was delivered stays."""


@frozen
class Deliveries:
    """Mails and SMS on their way."""

    log = Logger()

    database: Database
    clock: Clock
    directory: SpaceDirectory
    writer: LetterWriter
    outside: Outside

    async def deliver(self) -> int:
        """Try to deliver what is due, some at once; return how much that was."""
        due = await deliveries.claim(self.database, CHANNELS, AT_ONCE)
        await DeferredList([ensureDeferred(self._deliver(one)) for one in due], fireOnOneErrback=True)
        return len(due)

    async def clear(self) -> int:
        """Forget what was delivered long ago."""
        return await deliveries.clear(self.database, CHANNELS, self.clock.now() - KEPT)

    async def _deliver(self, due: Due) -> None:
        try:
            await self._hand_over(due)
        except Exception as error:  # noqa: BLE001  # the others are delivered all the same, and this one later
            # What other errors say may hold what the mail says.
            reason = str(error) if isinstance(error, Undelivered) else type(error).__name__
            self.log.warn(
                "{channel} {id} was not delivered at attempt {attempt}: {reason}",
                channel=due.channel,
                id=due.id,
                attempt=due.attempts,
                reason=reason,
            )
            await deliveries.failed(self.database, due.id, reason, MOST_ATTEMPTS)
        else:
            await deliveries.sent(self.database, due.id)

    async def _hand_over(self, due: Due) -> None:
        known = due.domain and await self.directory.by_domain(due.domain)
        if not known:
            raise Undelivered("its Space is gone")
        if due.channel == "mail":
            await self._hand_over_mail(due, known.space)
        else:
            sms = CodeSms(**due.payload)
            text = sms.text(known.space.name)
            await self.outside.sms.send(ShortMessage(due.reference, sms.to, text))

    async def _hand_over_mail(self, due: Due, space: Space) -> None:
        mail = Mail(**due.payload)
        letter = await deferToThread(self.writer.write, mail, space, due.reference, due.created_at)
        await self.outside.mail.send(letter)
