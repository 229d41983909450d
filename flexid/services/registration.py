"""New accounts for people who bring a creation token, and the tokens."""

from __future__ import annotations

from attrs import evolve, frozen

from flexid.base.clock import random_token
from flexid.base.text import Text
from flexid.domain.account import Account, Actor, NewAccount, Origin
from flexid.domain.errors import Forbidden, Invalid, NotFound
from flexid.domain.space import Space
from flexid.domain.tokens import CreationToken
from flexid.services.account_rules import AccountRules, Fields, without_nothing
from flexid.services.accounts import SPACE_FULL, hashed, new_provisioning_token
from flexid.store import account_changes, creation_tokens
from flexid.store.database import Database
from flexid.store.failures import ConstraintViolated

TOKEN_LENGTH = 13
BAD_TOKEN = Text("Please provide a valid account_creation_token")


@frozen
class Registration:
    """The use cases; tokens hold in the Space in which they were made."""

    database: Database
    rules: AccountRules
    token_minutes: int

    async def create_token(self, space: Space, origin: Origin) -> CreationToken:
        """Return a new account creation token."""
        return await creation_tokens.create(self.database, space.domain, random_token(TOKEN_LENGTH), origin)

    async def consume_token(self, space: Space, actor: Actor, token: str) -> CreationToken:
        """Use a token up for the caller's account.

        :raise NotFound: no such token, used, or too old.
        """
        spent = await creation_tokens.spend(self.database, token, space.domain, self.token_minutes, actor.account_id)
        if spent is None:
            raise NotFound
        return spent

    async def faults(self, space: Space, fields: Fields, token: str | None) -> dict[str, list[Text]]:
        """Return what would be refused."""
        faults = await self.rules.faults(self.database, space.domain, fields, by_admin=False)
        if token is not None and not await creation_tokens.is_good(
            self.database, token, space.domain, self.token_minutes
        ):
            faults["account_creation_token"] = [BAD_TOKEN]
        return faults

    async def register(self, space: Space, new: NewAccount, password: str, token: str, origin: Origin) -> Account:
        """Create an account, not activated, and use the token up: both or none.

        :raise Invalid: fields are wrong, names taken, or the token is no good.
        :raise Forbidden: the Space is full.
        """
        fields = Fields(new.username, password)
        new = evolve(new, domain=space.domain, password=hashed(space, new.username, password))
        if faults := await self.faults(space, fields, token):
            raise Invalid(faults)
        try:
            async with self.database.transaction() as transaction:
                if not await creation_tokens.spend(transaction, token, space.domain, self.token_minutes):
                    raise Invalid({"account_creation_token": [BAD_TOKEN]})
                account = await account_changes.create(transaction, new, new_provisioning_token(), origin, space.name)
                await creation_tokens.link(transaction, token, account.id)
        except ConstraintViolated as violation:
            if violation.constraint == "spaces_full":
                raise Forbidden(SPACE_FULL) from None
            raise Invalid(without_nothing(await self.faults(space, fields, token))) from None
        return account
