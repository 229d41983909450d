"""Contacts of accounts: as administrators manage them, and as their owners see them."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from flexid.domain.account import Account, Actor
from flexid.domain.contacts import Contact
from flexid.domain.errors import NotFound
from flexid.domain.sip_address import SipAddress
from flexid.services.accounts import domain_within_reach
from flexid.services.reach import found
from flexid.store import contacts
from flexid.store.database import Database


@frozen
class Contacts:
    """The use cases, each of one statement."""

    database: Database

    async def own(self, actor: Actor) -> Iterator[Contact]:
        """Return the actor's contacts, direct ones and those of its lists, each once, by id."""
        return await contacts.known_to(self.database, actor.account_id)

    async def known_to(self, account: Account) -> Iterator[Contact]:
        """Return the contacts of an account that somebody may see, as its owner does."""
        return await contacts.known_to(self.database, account.id)

    async def own_by_address(self, actor: Actor, address: SipAddress) -> Contact:
        """Return the actor's contact with an address.

        :raise NotFound: none of the contacts has it.
        """
        return found(
            await contacts.find_known(self.database, actor.account_id, address.username.lower(), address.domain)
        )

    async def direct(self, actor: Actor, account_id: int) -> list[Account]:
        """Return the direct contacts of an account.

        :raise NotFound: no such account within the actor's reach.
        """
        return found(await contacts.direct(self.database, account_id, domain_within_reach(actor)))

    async def one(self, actor: Actor, account_id: int, contact_id: int) -> Account:
        """Return a direct contact of an account.

        :raise NotFound: no such contact, or no such account within the actor's reach.
        """
        accounts = found(await contacts.direct(self.database, account_id, domain_within_reach(actor), contact_id))
        if not accounts:
            raise NotFound
        return accounts[0]

    async def add(self, actor: Actor, account_id: int, contact_id: int) -> None:
        """Make an account a contact of another; nothing changes if it is one.

        :raise NotFound: one of the two is not within the actor's reach.
        """
        if not await contacts.add(self.database, account_id, domain_within_reach(actor), contact_id):
            raise NotFound

    async def delete(self, actor: Actor, account_id: int, contact_id: int) -> int:
        """Delete a direct contact; return how many there were.

        :raise NotFound: there was none, or one of the two is not within the actor's reach.
        """
        deleted = await contacts.delete(self.database, account_id, domain_within_reach(actor), contact_id)
        if not deleted:
            raise NotFound
        return deleted
