"""Tells the administrators of a Space, some days before, that it expires."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen
from twisted.logger import Logger

from flexid.base.clock import Clock
from flexid.base.public import PublicAddress
from flexid.domain.mail import Mail
from flexid.store import expirations, outbox, webhook_events
from flexid.store.database import Database
from flexid.store.expirations import Expiring
from flexid.store.query import Runner

DAYS = (7, 3, 1)


@frozen
class Told:
    """How many Spaces there were, and how many mails."""

    spaces: int
    mails: int


@frozen
class Expirations:
    """The use cases; mails are written in the `language` of the operator's choice."""

    log = Logger()

    database: Database
    clock: Clock
    public: PublicAddress
    language: str

    async def tell(self, days: Sequence[int] = DAYS) -> Told:
        """Tell of each Space that expires in one of so many days; once for each number, whoever asks how often."""
        mails = 0
        async with self.database.transaction() as transaction:
            found = await expirations.claim(transaction, days, self.clock.now())
            for space in found:
                mails += await self._tell_of(transaction, space)
        return Told(len(found), mails)

    async def tell_daily(self) -> int:
        """Tell what there is to tell today, and leave nothing for a second call."""
        await self.tell()
        return 0

    async def _tell_of(self, transaction: Runner, space: Expiring) -> int:
        expire_at = space.expire_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        values = {
            "days_left": space.days_left,
            "expire_at": expire_at,
            "link": f"{self.public.base_url(space.host)}/admin/spaces/{space.domain}" if space.web_panel else None,
        }
        receivers = await expirations.administrators(transaction, space.domain)
        if not receivers:
            self.log.warn("{domain} expires, and none of its administrators has an email address", domain=space.domain)
        for email in receivers:
            mail = Mail("space_expiring", email, self.language, values)
            await outbox.put(transaction, mail.outgoing(space.domain))
        told = {"domain": space.domain, "name": space.name, "expire_at": expire_at, "days_left": space.days_left}
        await webhook_events.announce(transaction, space.domain, "space.expiring", told)
        return len(receivers)
