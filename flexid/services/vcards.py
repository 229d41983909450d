"""vCards that applications store with an account: users manage their own, administrators those of their Space."""

from __future__ import annotations

from attrs import frozen

from flexid.base.text import Text
from flexid.domain.account import Actor
from flexid.domain.errors import Conflict, Invalid, NotFound
from flexid.domain.vcard import StoredVCard, VCard
from flexid.services.accounts import domain_within_reach
from flexid.services.reach import found
from flexid.store import vcards
from flexid.store.database import Database


@frozen
class VCards:
    """The use cases, each of one statement.

    Each raises NotFound where there is no such account within the actor's reach.
    """

    database: Database

    async def list_of(self, actor: Actor, account_id: int) -> list[StoredVCard]:
        """Return the vCards of an account, the oldest first."""
        return found(await vcards.read(self.database, account_id, domain_within_reach(actor)))

    async def show(self, actor: Actor, account_id: int, uuid: str) -> StoredVCard:
        """Return the vCard of a UID.

        :raise NotFound: the account has none.
        """
        stored = found(await vcards.read(self.database, account_id, domain_within_reach(actor), uuid))
        if not stored:
            raise NotFound
        return stored[0]

    async def refuse_unless_there(self, actor: Actor, account_id: int, uuid: str | None) -> None:
        """Refuse where there is no such account, or no vCard of a UID if one is given.

        :raise NotFound: so it is.
        """
        stored = found(await vcards.read(self.database, account_id, domain_within_reach(actor), uuid or ""))
        if uuid and not stored:
            raise NotFound

    async def add(self, actor: Actor, account_id: int, card: VCard) -> StoredVCard:
        """Store a vCard.

        :raise Conflict: the account has one of this UID.
        """
        stored = found(await vcards.add(self.database, account_id, domain_within_reach(actor), card))
        if not stored:
            raise Conflict(Text("A vCard with this UID exists already"))
        return stored[0]

    async def change(self, actor: Actor, account_id: int, uuid: str, card: VCard) -> StoredVCard:
        """Replace the vCard of a UID.

        :raise NotFound: the account has none.
        :raise Invalid: the new one has another UID.
        """
        if card.uid != uuid:
            await self.refuse_unless_there(actor, account_id, uuid)
            raise Invalid.field("vcard", Text("The UID of the vCard is not the one that is replaced"))
        return found(await vcards.change(self.database, account_id, domain_within_reach(actor), card))

    async def delete(self, actor: Actor, account_id: int, uuid: str) -> int:
        """Delete the vCard of a UID; return how many there were.

        :raise NotFound: the account has none.
        """
        deleted = await vcards.delete(self.database, account_id, domain_within_reach(actor), uuid)
        if not deleted:
            raise NotFound
        return deleted
