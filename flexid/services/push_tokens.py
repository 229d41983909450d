"""Tokens that prove that an application runs on a real device: they reach it by push."""

from __future__ import annotations

from collections import Counter

from attrs import field, frozen
from twisted.logger import Logger

from flexid.base.clock import random_token
from flexid.domain.account import Origin
from flexid.domain.errors import Throttled, Unavailable
from flexid.domain.push import Push, PushTarget
from flexid.domain.space import Space
from flexid.outbound.pusher import UNAVAILABLE, Pusher
from flexid.services.registration import TOKEN_LENGTH
from flexid.store import push_tokens
from flexid.store.ambient import apart
from flexid.store.database import Database
from flexid.store.push_tokens import Kind


@frozen
class PushTokens:
    """The use cases; `retry_minutes` after a device has used a token it gets another one, 0 = at once."""

    log = Logger()

    database: Database
    pusher: Pusher
    retry_minutes: int
    outcomes: Counter[str] = field(factory=Counter, init=False)
    """How many push notifications were `sent`, and how many `failed`."""

    async def send(self, space: Space, kind: Kind, target: PushTarget, origin: Origin) -> None:
        """Make a token and send it to a device; one that cannot be sent is none.

        :raise Throttled: the device has used a token a moment ago.
        :raise Unavailable: it could not be sent.
        """
        if not self.pusher.is_configured():
            raise Unavailable(UNAVAILABLE)
        wait = await push_tokens.seconds_to_wait(self.database, kind, space.domain, target, self.retry_minutes)
        if wait > 0:
            raise Throttled(wait)
        token = random_token(TOKEN_LENGTH)
        # Whatever transaction goes on around: the device may come with its token before that has ended.
        with apart():
            await push_tokens.create(self.database, kind, space.domain, token, target, origin)
            try:
                await self._push(Push(target, token=token))
            except Unavailable:
                await push_tokens.delete(self.database, kind, token)
                raise
        self.log.info("A token was sent by push", event="token.sent", kind=kind, domain=space.domain, ip=origin.ip)

    async def notify(self, push: Push) -> None:
        """Wake an application.

        :raise Unavailable: it could not be done.
        """
        await self._push(push)

    async def _push(self, push: Push) -> None:
        try:
            await self.pusher.push(push)
        except Unavailable:
            self.outcomes["failed"] += 1
            raise
        self.outcomes["sent"] += 1
