"""What administrators do with the contacts lists of their Space, and whom they give them to."""

from __future__ import annotations

from attrs import frozen

from flexid.base.text import Text
from flexid.domain.account import Actor
from flexid.domain.contacts import ContactsList
from flexid.domain.errors import Forbidden, Invalid
from flexid.domain.space import Space
from flexid.services.accounts import domain_within_reach
from flexid.services.reach import found, space_within_reach
from flexid.store import contacts_lists
from flexid.store.database import Database
from flexid.store.failures import ConstraintViolated
from flexid.store.query import Query

TAKEN = Text("The title has already been taken.")


@frozen
class ContactsLists:
    """The use cases, each of one statement; `space` is always the one of the request's host."""

    database: Database

    async def list_of(self, space: Space) -> list[ContactsList]:
        """Return the lists of a Space, the oldest first."""
        return await contacts_lists.list_of(self.database, space.id)

    async def show(self, actor: Actor, space: Space, list_id: int) -> ContactsList:
        """Return a list.

        :raise NotFound: there is none within the actor's reach.
        """
        return found(await contacts_lists.find(self.database, list_id, space_within_reach(actor, space)))

    async def add(self, space: Space, title: str, description: str) -> ContactsList:
        """Add an empty list to a Space.

        :raise Invalid: the title is taken.
        """
        try:
            return await contacts_lists.add(self.database, space.id, title, description)
        except ConstraintViolated:
            raise Invalid.field("title", TAKEN) from None

    async def change(self, actor: Actor, space: Space, list_id: int, title: str, description: str) -> ContactsList:
        """Give a list another title and description.

        :raise NotFound: there is none within the actor's reach.
        :raise Invalid: the title is taken.
        """
        reach = space_within_reach(actor, space)
        try:
            return found(await contacts_lists.change(self.database, list_id, reach, title, description))
        except ConstraintViolated:
            raise Invalid.field("title", TAKEN) from None

    async def delete(self, actor: Actor, space: Space, list_id: int) -> int:
        """Delete a list, not its members; return how many there were within the actor's reach."""
        return await contacts_lists.delete(self.database, list_id, space_within_reach(actor, space))

    async def add_member(self, actor: Actor, space: Space, list_id: int, account_id: int) -> None:
        """Put an account on a list; nothing changes if it is there.

        :raise NotFound: one of the two is not within the actor's reach.
        """
        await self._touch(contacts_lists.ADD_MEMBER, actor, space, list_id, account_id)

    async def delete_member(self, actor: Actor, space: Space, list_id: int, account_id: int) -> int:
        """Take an account from a list; return how many were taken.

        :raise NotFound: one of the two is not within the actor's reach.
        """
        return await self._touch(contacts_lists.DELETE_MEMBER, actor, space, list_id, account_id)

    async def attach(self, actor: Actor, space: Space, list_id: int, account_id: int) -> None:
        """Give an account the members of a list as its contacts.

        :raise NotFound: one of the two is not within the actor's reach.
        :raise Forbidden: the account has the list already.
        """
        if not await self._touch(contacts_lists.ATTACH, actor, space, list_id, account_id):
            raise Forbidden(Text("The account has this contacts list already"))

    async def detach(self, actor: Actor, space: Space, list_id: int, account_id: int) -> int:
        """Take a list from an account; return how many were taken.

        :raise NotFound: one of the two is not within the actor's reach.
        :raise Forbidden: the account does not have the list.
        """
        detached = await self._touch(contacts_lists.DETACH, actor, space, list_id, account_id)
        if not detached:
            raise Forbidden(Text("The account does not have this contacts list"))
        return detached

    async def _touch(self, query: Query, actor: Actor, space: Space, list_id: int, account_id: int) -> int:
        spaces, accounts = space_within_reach(actor, space), domain_within_reach(actor)
        return found(await contacts_lists.touch(self.database, query, list_id, spaces, account_id, accounts))
