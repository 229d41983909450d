"""OVH's API for SMS: https://eu.api.ovh.com/console/?section=%2Fsms."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import quote

from attrs import define, field

from flexid.base.clock import Clock
from flexid.domain.outbox import Doubtful, Refused, Undelivered
from flexid.domain.sms import ShortMessage
from flexid.outbound.sms_request import SmsServer, refused

OK = 200
IN_DOUBT = frozenset({408, 500, 502, 504})
VALID_MINUTES = 60
"""How long OVH tries to reach a phone; the codes of most texts are too old by then."""
# The alphabet of GSM 03.38; with any other character each SMS has room for 70 of them instead of 160.
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€"
)


@define
class OvhSms:
    """Sends by one SMS service of an OVH account; each request is signed for the time that OVH's clock shows."""

    server: SmsServer
    clock: Clock
    url: str
    service: str
    application_key: str = field(repr=False)
    application_secret: str = field(repr=False)
    consumer_key: str = field(repr=False)
    sender: str
    _ahead: float | None = field(default=None, init=False)
    """How many seconds OVH's clock is ahead of ours."""

    async def send(self, message: ShortMessage) -> None:
        """Hand over an SMS.

        :raise Refused: OVH will never take it.
        :raise Doubtful: it may have taken it.
        :raise Undelivered: it did not take it.
        """
        if self._ahead is None:
            self._ahead = await self._seconds() - self.clock.seconds()
        url = f"{self.url.rstrip('/')}/sms/{quote(self.service, safe='')}/jobs"
        body = json.dumps(self._job(message))
        status, answer = await self.server.ask("POST", url, self._headers("POST", url, body), body.encode())
        if status != OK:
            # It may be the signature's time, or a key that the operator has yet to allow to send.
            self._ahead = None
            said = refused(status, answer).replace(message.text, "…")
            raise (Doubtful if status in IN_DOUBT else Undelivered)(said)
        try:
            invalid = json.loads(answer)["invalidReceivers"]
        except (ValueError, KeyError, TypeError):
            raise Doubtful("OVH answered something else than its API promises") from None
        if invalid:
            raise Refused("OVH says that this is no number which it can send to")

    def _job(self, message: ShortMessage) -> dict[str, Any]:
        return {
            "charset": "UTF-8",
            "class": "phoneDisplay",
            "coding": "7bit" if _GSM.issuperset(message.text) else "8bit",
            "message": message.text,
            # A code is no advertisement: it needs no way to unsubscribe, and may arrive at night.
            "noStopClause": True,
            "priority": "high",
            "receivers": [message.recipient],
            "validityPeriod": VALID_MINUTES,
            **({"sender": self.sender} if self.sender else {"senderForResponse": True}),
        }

    def _headers(self, method: str, url: str, body: str) -> dict[str, str]:
        now = str(round(self.clock.seconds() + (self._ahead or 0)))
        signed = f"{self.application_secret}+{self.consumer_key}+{method}+{url}+{body}+{now}"
        return {
            "Content-Type": "application/json",
            "X-Ovh-Application": self.application_key,
            "X-Ovh-Consumer": self.consumer_key,
            "X-Ovh-Timestamp": now,
            "X-Ovh-Signature": f"$1${hashlib.sha1(signed.encode()).hexdigest()}",  # noqa: S324  # OVH's own choice
        }

    async def _seconds(self) -> float:
        """Return the time on OVH's clock.

        :raise Undelivered: it cannot be had.
        """
        try:
            status, answer = await self.server.ask("GET", f"{self.url.rstrip('/')}/auth/time", {})
            return float(int(answer) if status == OK else "none")
        except (Doubtful, ValueError):
            raise Undelivered("OVH does not tell its time") from None
