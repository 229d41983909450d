"""What administrators do with the actions of an account."""

from __future__ import annotations

from attrs import frozen

from flexid.base.text import Text
from flexid.domain.account import Actor
from flexid.domain.account_actions import AccountAction
from flexid.domain.errors import Forbidden, NotFound
from flexid.services.accounts import domain_within_reach
from flexid.services.reach import found
from flexid.store import account_actions
from flexid.store.account_actions import Touched
from flexid.store.database import Database


@frozen
class AccountActions:
    """The use cases, each of one statement.

    Each raises NotFound where there is no such account within the actor's reach, and Forbidden while the account has
    no DTMF protocol.
    """

    database: Database

    async def list_of(self, actor: Actor, account_id: int) -> tuple[AccountAction, ...]:
        """Return the actions, the oldest first."""
        return _allowed(await account_actions.read(self.database, account_id, domain_within_reach(actor)))

    async def show(self, actor: Actor, account_id: int, action_id: int) -> AccountAction:
        """Return an action.

        :raise NotFound: the account has none of this id.
        """
        reach = domain_within_reach(actor)
        return _one(_allowed(await account_actions.read(self.database, account_id, reach, action_id)))

    async def add(self, actor: Actor, account_id: int, key: str, code: str) -> AccountAction:
        """Add an action."""
        return _one(
            _allowed(await account_actions.add(self.database, account_id, domain_within_reach(actor), key, code))
        )

    async def change(self, actor: Actor, account_id: int, action: AccountAction) -> AccountAction:
        """Give an action another key and code.

        :raise NotFound: the account has none of this id.
        """
        return _one(
            _allowed(await account_actions.change(self.database, account_id, domain_within_reach(actor), action))
        )

    async def delete(self, actor: Actor, account_id: int, action_id: int) -> int:
        """Delete an action; return how many there were."""
        reach = domain_within_reach(actor)
        return len(_allowed(await account_actions.delete(self.database, account_id, reach, action_id)))


def _allowed(touched: Touched | None) -> tuple[AccountAction, ...]:
    touched = found(touched)
    if not touched.has_dtmf:
        raise Forbidden(Text("The account has no DTMF protocol"))
    return touched.actions


def _one(actions: tuple[AccountAction, ...]) -> AccountAction:
    if not actions:
        raise NotFound
    return actions[0]
