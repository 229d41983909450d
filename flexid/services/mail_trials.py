"""Test mails: whether the mail server of a Space takes mails, and what it says."""

from __future__ import annotations

from attrs import evolve, frozen
from twisted.internet.threads import deferToThread

from flexid.base.clock import Clock, random_token
from flexid.domain.account import Actor
from flexid.domain.errors import NotFound
from flexid.domain.mail import Mail
from flexid.domain.mail_server import MailServer
from flexid.domain.outbox import Undelivered
from flexid.outbound.outside import Outside
from flexid.services.letters import LetterWriter
from flexid.services.spaces import Spaces
from flexid.store import logos, mail_servers
from flexid.store.database import Database

SECONDS = 15.0
"""As long as somebody waits before a page."""


@frozen
class Trial:
    """What came of a test mail: whether it was taken, where (None: it was written to a file), and what was said."""

    is_taken: bool
    server: str | None
    words: str


@frozen
class MailTrials:
    """The use cases, for super administrators: who names servers can look around in the operator's network."""

    database: Database
    clock: Clock
    spaces: Spaces
    writer: LetterWriter
    outside: Outside

    async def send(self, actor: Actor, domain: str, to: str, language: str) -> Trial:
        """Send a test mail of a Space, at once and once.

        :raise NotFound: no such Space within the actor's reach, or no super administrator.
        """
        if not actor.super_admin:
            raise NotFound
        space = await self.spaces.show(domain)
        server = await mail_servers.find(self.database, space.domain)
        now = self.clock.now()
        mail = Mail("test", to, language, {"asker": f"{actor.username}@{actor.domain}"})
        reference = f"{now:%Y%m%dT%H%M%S}-test-{random_token(8)}"
        logo = await logos.find(self.database, space.id, space.logo) if space.logo else None
        letter = await deferToThread(self.writer.write, mail, space, reference, now, logo)
        carrier = self.outside.mail
        try:
            words, is_taken = await carrier.send(letter, server, SECONDS), True
        except Undelivered as error:
            words, is_taken = str(error), False
        return Trial(is_taken, carrier.destination(server), words)

    def shared(self) -> str | None:
        """Return the server of Spaces that have none of their own; None: their mails go into files."""
        return self.outside.mail.destination(None)

    async def with_known_password(self, domain: str, server: MailServer) -> MailServer:
        """Return a server whose password was not typed again with the one that is stored.

        It is kept for the same host and user only: it is told to nobody else.
        """
        stored = await mail_servers.find(self.database, domain.lower())
        if server.password is not None or server.username is None or stored is None:
            return server
        is_same = (stored.host, stored.username) == (server.host, server.username)
        return evolve(server, password=stored.password) if is_same else server
