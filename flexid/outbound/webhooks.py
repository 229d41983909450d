"""Receivers of webhooks, other people's servers: Standard Webhooks 1.0 over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen
from twisted.internet.error import DNSLookupError

from flexid.base.clock import Clock
from flexid.base.text import Text
from flexid.domain import unanswered, urls
from flexid.domain.unanswered import Unanswered
from flexid.domain.webhooks import body_of, sign
from flexid.outbound.guard import NotPublic
from flexid.outbound.web import Web

SECONDS = 10.0
"""How long a receiver may take as a whole."""
MOST_BYTES = 16_384
"""Of an answer, which nobody reads."""
OK, MULTIPLE_CHOICES, GONE = 200, 300, 410

NOT_SECURE = Text("It must be an https URL")


class Gone(Unanswered):
    """The receiver wants to hear of nothing any more."""


@frozen
class Courier:
    """Brings events to receivers; plain HTTP only where the operator allows it."""

    web: Web
    clock: Clock
    allow_http: bool

    async def fault(self, url: str) -> Text | None:
        """Say what is wrong with a URL of a receiver; one that leads nowhere yet may do so later."""
        if not self._is_secure(url):
            return NOT_SECURE
        try:
            await self.web.guard.addresses(urls.host_of(url))
        except NotPublic:
            return unanswered.NOT_PUBLIC
        except DNSLookupError:
            return None
        return None

    async def bring(self, url: str, secret: str, reference: str, payload: Mapping[str, Any]) -> None:
        """Sign an event and hand it over.

        :raise Unanswered: it was not taken; `Gone` if nothing else will be.
        """
        if not self._is_secure(url):
            raise Unanswered(NOT_SECURE)
        signed = sign(secret, reference, int(self.clock.seconds()), body_of(payload))
        headers = {"Content-Type": "application/json", **signed.headers}
        answer = await self.web.ask("POST", url, headers, signed.body, seconds=SECONDS, most_bytes=MOST_BYTES)
        if not OK <= answer.status < MULTIPLE_CHOICES:
            raise (Gone if answer.status == GONE else Unanswered)(unanswered.of_status(answer.status))

    def _is_secure(self, url: str) -> bool:
        return self.allow_http or url.startswith("https:")
