"""What administrators do with the webhooks of their Space."""

from __future__ import annotations

from datetime import UTC, datetime

from attrs import frozen

from flexid.base.clock import Clock, random_bytes, random_token
from flexid.base.text import Text
from flexid.domain.account import Actor
from flexid.domain.errors import Forbidden, Invalid, NotFound
from flexid.domain.space import Space
from flexid.domain.unanswered import Unanswered
from flexid.domain.webhooks import MOST_WEBHOOKS, TEST_EVENT, Delivery, Webhook, WebhookSettings, written_secret
from flexid.outbound.webhooks import Courier
from flexid.services.limits import Limits
from flexid.services.reach import found, space_within_reach
from flexid.store import webhook_deliveries, webhooks
from flexid.store.database import Database

KEY_BYTES = 32
MOST_SHOWN = 100
"""Deliveries in one list."""


@frozen
class Tested:
    """What came of a test; `reason` says why the receiver did not take it."""

    reason: Text | None

    @property
    def delivered(self) -> bool:
        """Say whether it was taken."""
        return self.reason is None


@frozen
class Webhooks:
    """The use cases; `space` is always the one of the request's host."""

    database: Database
    clock: Clock
    courier: Courier
    limits: Limits

    async def faults(self, url: str | None) -> dict[str, list[Text]]:
        """Return what is wrong with a URL that could be read."""
        fault = await self.courier.fault(url) if url else None
        return {"url": [fault]} if fault else {}

    async def list_of(self, space: Space) -> list[Webhook]:
        """Return the webhooks of a Space, the oldest first."""
        return await webhooks.list_of(self.database, space.id)

    async def show(self, actor: Actor, space: Space, webhook_id: int) -> Webhook:
        """Return a webhook.

        :raise NotFound: there is none within the actor's reach.
        """
        return found(await webhooks.find(self.database, webhook_id, space_within_reach(actor, space)))

    async def add(self, space: Space, settings: WebhookSettings, secret: str | None) -> tuple[Webhook, str]:
        """Add a webhook to a Space, and return it with its secret, which is a new one unless it is given.

        :raise Invalid: its URL may not lead where it does.
        :raise Forbidden: the Space has enough of them.
        """
        await self._refuse_wrong(settings)
        chosen = secret or new_secret()
        async with self.database.transaction() as transaction:
            webhook = await webhooks.add(transaction, space.id, settings, chosen, MOST_WEBHOOKS)
        if webhook is None:
            raise Forbidden(Text("A Space may not have more than {count} webhooks", count=MOST_WEBHOOKS))
        return webhook, chosen

    async def change(
        self, actor: Actor, space: Space, webhook_id: int, settings: WebhookSettings, secret: str | None = None
    ) -> Webhook:
        """Change a webhook; its secret stays unless another one is given.

        :raise NotFound: there is none within the actor's reach.
        :raise Invalid: its URL may not lead where it does.
        """
        reach = space_within_reach(actor, space)
        before = await self.show(actor, space, webhook_id)
        # What was allowed once can still be switched off.
        if settings.enabled or settings.url != before.url:
            await self._refuse_wrong(settings)
        return found(await webhooks.change(self.database, webhook_id, reach, settings, secret))

    async def renew_secret(self, actor: Actor, space: Space, webhook_id: int) -> str:
        """Give a webhook a new secret, and return it.

        :raise NotFound: there is none within the actor's reach.
        """
        secret = new_secret()
        if not await webhooks.set_secret(self.database, webhook_id, space_within_reach(actor, space), secret):
            raise NotFound
        return secret

    async def delete(self, actor: Actor, space: Space, webhook_id: int) -> None:
        """Delete a webhook with what waits for it.

        :raise NotFound: there is none within the actor's reach.
        """
        if not await webhooks.delete(self.database, webhook_id, space_within_reach(actor, space)):
            raise NotFound

    async def test(self, actor: Actor, space: Space, webhook_id: int) -> Tested:
        """Send a test to a webhook at once, also to one that is switched off.

        :raise NotFound: there is none within the actor's reach.
        :raise Throttled: there were many tests just now.
        """
        webhook = await self.show(actor, space, webhook_id)
        secret = found(await webhooks.secret(self.database, webhook.id, None))
        async with self.database.transaction() as transaction:
            await self.limits.spend(transaction, self.limits.webhook_tests(webhook.domain))
        now = datetime.fromtimestamp(self.clock.seconds(), UTC)
        payload = {
            "type": TEST_EVENT,
            "timestamp": now.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "data": {"webhook_id": webhook.id, "domain": webhook.domain},
        }
        try:
            await self.courier.bring(webhook.url, secret, f"msg_test_{random_token(20)}", payload)
        except Unanswered as refused:
            return Tested(refused.reason)
        return Tested(None)

    async def deliveries(
        self, actor: Actor, space: Space, webhook_id: int, state: str | None = None, before: int | None = None
    ) -> list[Delivery]:
        """Return deliveries of a webhook, the latest hundred first; those in a state, those before another one.

        :raise NotFound: there is no such webhook within the actor's reach.
        """
        webhook = await self.show(actor, space, webhook_id)
        return await webhook_deliveries.list_of(self.database, webhook.id, state, before, MOST_SHOWN)

    async def retry(self, actor: Actor, space: Space, webhook_id: int, delivery_id: int | None = None) -> int:
        """Deliver now what was not taken, or with None all that was given up; return how much that is.

        :raise NotFound: there is no such webhook within the actor's reach.
        :raise Forbidden: it is switched off.
        """
        webhook = await self.show(actor, space, webhook_id)
        if not webhook.enabled:
            raise Forbidden(Text("The webhook is switched off"))
        return await webhook_deliveries.retry(self.database, webhook.id, delivery_id)

    async def _refuse_wrong(self, settings: WebhookSettings) -> None:
        if faults := await self.faults(settings.url):
            raise Invalid(faults)


def new_secret() -> str:
    """Return a secret that nobody has."""
    return written_secret(random_bytes(KEY_BYTES))
