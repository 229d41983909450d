"""Who takes mails and SMS from us."""

from __future__ import annotations

from typing import Protocol

from flexid.domain.mail import Letter
from flexid.domain.sms import ShortMessage


class MailCarrier(Protocol):
    """Takes mails."""

    async def send(self, letter: Letter) -> None:
        """Hand over a mail; one of the same reference is the same mail once more.

        :raise Undelivered: it was not taken.
        """


class SmsCarrier(Protocol):
    """Takes SMS."""

    async def send(self, message: ShortMessage) -> None:
        """Hand over an SMS; one of the same reference is the same SMS once more.

        :raise Undelivered: it was not taken.
        """
