"""Voicemails of accounts: slots that wait for an upload, and what has filled them."""

from __future__ import annotations

from attrs import frozen

from flexid.base.text import Text
from flexid.domain.account import Actor
from flexid.domain.errors import Invalid, NotFound, Throttled
from flexid.domain.voicemails import NO_EMAIL, Voicemail, read_id
from flexid.services.accounts import domain_within_reach
from flexid.services.reach import found
from flexid.store import account_files, telephony
from flexid.store.database import Database
from flexid.store.telephony import Glance

MOST_OPEN = 100
"""Slots of one account that wait for their uploads: some calls at once, and those that a recorder gave up."""
UNTIL_CLEARED = 3600
"""Seconds after which to look for room among them again."""


@frozen
class Voicemails:
    """The use cases. Each raises NotFound where there is no such account within the actor's reach."""

    database: Database

    async def list_of(self, actor: Actor, account_id: int) -> list[Voicemail]:
        """Return the voicemails and open slots of an account, the newest first."""
        return found(await account_files.list_of(self.database, account_id, domain_within_reach(actor)))

    async def glance(self, actor: Actor, most: int) -> Glance:
        """Return the actor's latest voicemails, at most so many, and its call forwardings."""
        return await telephony.glance(self.database, actor.account_id, most)

    async def show(self, actor: Actor, account_id: int, voicemail_id: str) -> Voicemail:
        """Return a voicemail or open slot of an account.

        :raise NotFound: it has none of this id.
        """
        file_id, reach = found(read_id(voicemail_id)), domain_within_reach(actor)
        known = found(await account_files.list_of(self.database, account_id, reach, file_id))
        if not known:
            raise NotFound
        return known[0]

    async def open(self, actor: Actor, account_id: int, content_type: str, sip_from: str | None) -> Voicemail:
        """Open a slot for a voicemail.

        :raise Invalid: the account has no email address, and would never hear of it.
        :raise Throttled: too many of its slots wait to be filled.
        """
        reach = domain_within_reach(actor)
        opened = await account_files.open_slot(self.database, account_id, reach, content_type, sip_from, MOST_OPEN)
        has_email, slot = found(opened)
        if not has_email:
            raise Invalid.field("email", NO_EMAIL)
        if slot is None:
            raise Throttled(UNTIL_CLEARED)
        return slot

    async def faults(self, actor: Actor, account_id: int) -> dict[str, list[Text]]:
        """Return what stands against a slot whose fields are wrong already."""
        has_email = found(await account_files.has_email(self.database, account_id, domain_within_reach(actor)))
        return {} if has_email else {"email": [NO_EMAIL]}

    async def delete(self, actor: Actor, account_id: int, voicemail_id: str) -> int:
        """Delete a voicemail or open slot of an account; return how many there were."""
        file_id, reach = read_id(voicemail_id), domain_within_reach(actor)
        if file_id is None:
            found(await account_files.has_email(self.database, account_id, reach))
            return 0
        return found(await account_files.delete(self.database, account_id, reach, file_id))
