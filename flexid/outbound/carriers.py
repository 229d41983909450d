"""Who takes mails and SMS from us."""

from __future__ import annotations

from typing import Protocol

from flexid.domain.mail import Letter
from flexid.domain.mail_server import MailServer
from flexid.domain.sms import ShortMessage


class MailCarrier(Protocol):
    """Takes mails."""

    def destination(self, server: MailServer | None) -> str | None:
        """Return where mails go, as it may be shown; None: into files."""

    async def send(self, letter: Letter, server: MailServer | None = None, seconds: float | None = None) -> str:
        """Hand over a mail, to a Space's own server if there is one; return what it said.

        It takes at most so many `seconds`, if they are fewer than usual. A mail of the same reference is the same mail
        once more.

        :raise Refused: it will never be taken.
        :raise Undelivered: it was not taken now.
        """


class SmsCarrier(Protocol):
    """Takes SMS."""

    async def send(self, message: ShortMessage) -> None:
        """Hand over an SMS.

        :raise Refused: it will never be taken.
        :raise Doubtful: it may have been taken.
        :raise Undelivered: it was not taken.
        """
