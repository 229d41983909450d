"""Mails by the way that is configured: to a Space's own server, to the one of all, or into files."""

from __future__ import annotations

from attrs import frozen

from flexid.domain.mail import Letter
from flexid.domain.mail_server import MailServer
from flexid.outbound.files import MailFiles
from flexid.outbound.smtp import SmtpCarrier


@frozen
class Post:
    """Knows the way."""

    smtp: SmtpCarrier
    files: MailFiles

    def destination(self, server: MailServer | None) -> str | None:
        """Return host and port of the server that gets mails; None: they go into files."""
        return self.smtp.destination(server)

    async def send(self, letter: Letter, server: MailServer | None = None, seconds: float | None = None) -> str:
        """Hand over a mail and return what was said.

        :raise Refused: it will never be taken.
        :raise Undelivered: it was not taken now.
        """
        if self.destination(server):
            return await self.smtp.send(letter, server, seconds)
        return await self.files.send(letter)
