"""SIP messages: taking them, and telling what became of them. `message_queue` sends them, in one process."""

from __future__ import annotations

from uuid import UUID

from attrs import evolve, field, frozen

from flexid.base.peer_settings import DaemonSettings
from flexid.base.text import Text
from flexid.domain.account import Actor
from flexid.domain.errors import Invalid, Unavailable
from flexid.domain.message import TOO_MANY, UNREACHABLE, DaemonReport, Message, Outgoing, Unsendable, readable
from flexid.domain.sip_address import SipAddress
from flexid.domain.space import Space
from flexid.services.reach import found
from flexid.services.space_directory import SpaceDirectory
from flexid.store import message_daemons, messages
from flexid.store.ambient import apart
from flexid.store.database import Database
from flexid.store.expectations import Expectations
from flexid.store.messages import SETTLED, Added

PATIENCE = 2.0
"""Seconds that a caller waits for the daemon to take a message, and once more for one that it is being told."""
RETRY_AFTER = 5
REFUSED = Text("The SIP daemon refuses it")


@frozen
class Messages:
    """The use cases. Any process takes messages; they wait in a table for the one that sends them."""

    database: Database
    directory: SpaceDirectory
    settings: DaemonSettings
    _settled: Expectations = field(init=False)

    @_settled.default
    def _make_settled(self) -> Expectations:
        return Expectations(self.database, SETTLED)

    def watch(self) -> None:
        """Hear of what becomes of messages from now on."""
        if self.is_configured:
            self._settled.watch()

    @property
    def is_configured(self) -> bool:
        """Say whether there is a daemon at all."""
        return bool(self.settings.socket)

    async def send(self, space: Space, actor: Actor, outgoing: Outgoing) -> Message:
        """Send a message for an administrator of a Space; see `put`.

        :raise Invalid: he may not write to this domain, the text cannot be sent, or the daemon refuses it.
        :raise Unavailable: it cannot be sent, and is not kept.
        """
        if wrong := await self.faults(actor, outgoing.recipient, outgoing.text):
            raise Invalid(wrong)
        return await self.put(space.domain, actor.account_id, outgoing)

    async def faults(self, actor: Actor, recipient: SipAddress | None, text: str | None) -> dict[str, tuple[Text, ...]]:
        """Return what is wrong with a message, by the names of its fields; None for what is wrong already."""
        wrong: dict[str, tuple[Text, ...]] = {}
        if recipient and not actor.super_admin and not await self._is_open(recipient.domain):
            wrong["to"] = (Text("Messages can be sent to the domains of Spaces only"),)
        try:
            self._readable(text or "")
        except Unsendable as unsendable:
            wrong["body"] = (unsendable.reason,)
        return wrong

    async def put(self, domain: str, account_id: int | None, outgoing: Outgoing) -> Message:
        """Send a message on behalf of a Space.

        It is returned with its Call-ID if the daemon has taken it in time; else it still waits, which it may, or nobody
        knows whether it was sent.

        :raise Unsendable: its text cannot be sent.
        :raise Invalid: the daemon refuses it.
        :raise Unavailable: it cannot be sent, and is not kept.
        """
        outgoing = evolve(outgoing, text=self._readable(outgoing.text))
        # Whatever transaction goes on around: another process has to see it.
        with apart():
            added = await messages.add(
                *(self.database, self.settings.socket, domain, account_id, outgoing),
                patience=PATIENCE,
                most=self.settings.longest_queue,
            )
            if added.id is None:
                raise Unavailable(_why_not(added), RETRY_AFTER)
            return await self._follow(added.id, outgoing, is_gone=added.is_gone)

    async def show(self, message: str, domain: str | None) -> Message:
        """Return a message by its id or its Call-ID, in the Space of a domain; None for any Space.

        :raise NotFound: there is none, or no more.
        """
        return found(await messages.find(self.database, _uuid(message), message, domain))

    async def daemon(self) -> DaemonReport | None:
        """Return how the process that owns the daemon's socket finds it; None if no process does."""
        return await message_daemons.find(self.database, self.settings.socket)

    def _readable(self, text: str) -> str:
        return readable(text, self.settings.newlines, self.settings.longest_message)

    async def _is_open(self, domain: str) -> bool:
        return domain in self.settings.allowed_domains or await self.directory.by_domain(domain) is not None

    async def _follow(self, message: UUID, outgoing: Outgoing, *, is_gone: bool) -> Message:
        known = await self._known(message, 0.0 if is_gone else PATIENCE)
        if known.state in {"queued", "expired"} and not outgoing.may_wait:
            if await messages.withdraw(self.database, message):
                raise Unavailable(await self._why_waiting(), RETRY_AFTER)
            known = await self._known(message, PATIENCE)
        if known.state == "in_progress" and known.call_id is None:
            known = await self._known(message, PATIENCE)
        if known.state == "not_delivered" and known.call_id is None:
            # In the daemon's own words.
            raise Invalid.field("to", Text(known.error) if known.error else REFUSED)
        return known

    async def _known(self, message: UUID, seconds: float) -> Message:
        """Return a message when something has become of it, at the latest after so many seconds."""
        until = self.database.reactor.seconds() + seconds
        while True:
            remaining = until - self.database.reactor.seconds()
            with self._settled.expecting(str(message), max(0.0, remaining)) as settled:
                known = found(await messages.find(self.database, message, None, None))
                if remaining <= 0 or known.call_id is not None or known.state not in {"queued", "in_progress"}:
                    return known
                await settled

    async def _why_waiting(self) -> Text:
        report = await self.daemon()
        state = report.state if report else None
        return TOO_MANY if state == "connected" else UNREACHABLE[state]


def _why_not(added: Added) -> Text:
    return TOO_MANY if added.is_full else UNREACHABLE[added.state]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
