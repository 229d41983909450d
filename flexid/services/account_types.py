"""What administrators do with the account types of their Space."""

from __future__ import annotations

from attrs import frozen

from flexid.base.text import Text
from flexid.domain.account import Actor
from flexid.domain.account_types import AccountType
from flexid.domain.errors import Forbidden, Invalid
from flexid.domain.space import Space
from flexid.services.accounts import domain_within_reach
from flexid.services.reach import found, space_within_reach
from flexid.store import account_types
from flexid.store.database import Database
from flexid.store.failures import ConstraintViolated

TAKEN = Text("The key has already been taken.")


@frozen
class AccountTypes:
    """The use cases, each of one statement; `space` is always the one of the request's host."""

    database: Database

    async def list_of(self, space: Space) -> list[AccountType]:
        """Return the types of a Space, the oldest first."""
        return await account_types.list_of(self.database, space.id)

    async def show(self, actor: Actor, space: Space, type_id: int) -> AccountType:
        """Return a type.

        :raise NotFound: there is none within the actor's reach.
        """
        return found(await account_types.find(self.database, type_id, space_within_reach(actor, space)))

    async def add(self, space: Space, key: str) -> AccountType:
        """Add a type to a Space.

        :raise Invalid: the key is taken.
        """
        try:
            return await account_types.add(self.database, space.id, key)
        except ConstraintViolated:
            raise Invalid.field("key", TAKEN) from None

    async def change(self, actor: Actor, space: Space, type_id: int, key: str) -> AccountType:
        """Give a type another key.

        :raise NotFound: there is none within the actor's reach.
        :raise Invalid: the key is taken.
        """
        try:
            reach = space_within_reach(actor, space)
            return found(await account_types.change(self.database, type_id, reach, key))
        except ConstraintViolated:
            raise Invalid.field("key", TAKEN) from None

    async def delete(self, actor: Actor, space: Space, type_id: int) -> int:
        """Delete a type, also from all accounts that have it; return how many there were within the actor's reach."""
        return await account_types.delete(self.database, type_id, space_within_reach(actor, space))

    async def attach(self, actor: Actor, account_id: int, type_id: int) -> None:
        """Give an account a type of its Space.

        :raise NotFound: no such account within the actor's reach, or no such type in its Space.
        :raise Forbidden: the account has it already.
        """
        attached = await account_types.attach(self.database, account_id, domain_within_reach(actor), type_id)
        if not found(attached):
            raise Forbidden(Text("The account has this type already"))

    async def detach(self, actor: Actor, account_id: int, type_id: int) -> int:
        """Take a type from an account; return how many were taken.

        :raise NotFound: no such account within the actor's reach, or no such type in its Space.
        :raise Forbidden: the account does not have it.
        """
        detached = await account_types.detach(self.database, account_id, domain_within_reach(actor), type_id)
        if not found(detached):
            raise Forbidden(Text("The account does not have this type"))
        return 1
